#!/bin/bash
# The unit tests as 32-bit x86 and as big-endian s390x programs (under qemu-user).
set -u
BUILD=${BUILD:-build}
W=$BUILD/arch
mkdir -p "$W"
passed=0
failed=0
core="hpack/*.c h2/*.c grpc/*.c grpc/services/*.c pb/*.c"
build_and_run() { # build_and_run NAME RUNNER COMPILER...
    local name=$1 runner=$2 t out
    shift 2
    for t in hpack hpack_limits h2 h2_rules h2_limits h2_owed h2_send trace pb grpc channel life outbox; do
        # shellcheck disable=SC2086
        # shellcheck disable=SC2086
        if "$@" -std=c11 -O1 -static tests/unit/test_$t.c $core -o "$W/test_$t.$name" &&
            out=$(timeout 300 $runner "$W/test_$t.$name"); then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $name $t"
            echo "$out" | tail -n 5
        fi
    done
}
build_and_run x86-32 "" gcc -m32
build_and_run s390x qemu-s390x-static s390x-linux-gnu-gcc
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
