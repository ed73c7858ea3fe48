#!/bin/bash
# The unit tests and golden conversations as programs of other machines, by cross compilers and qemu-user: 32-bit x86, ARM and RISC-V, and the
# big-endian s390x.
set -u
BUILD=${BUILD:-build}
W=$BUILD/arch
passed=0
failed=0
build_and_run() { # build_and_run BITS NAME RUNNER COMPILER...
    local bits=$1 name=$2 runner=$3 t f out sources files objects=
    shift 3
    mkdir -p "$W/$name"
    for f in $(make -s --no-print-directory print-CORE) port/serial/serial.c; do
        "$@" -std=c11 -O1 -c "$f" -o "$W/$name/$(basename "$f" .c).o" || exit 1
        objects="$objects $W/$name/$(basename "$f" .c).o"
    done
    for t in hpack hpack_limits h2 h2_rules h2_limits h2_owed h2_send trace pb grpc channel life outbox serial replay wire; do
        sources=tests/unit/test_$t.c
        [ $t != replay ] || sources="-DREPLAY_ONLY tests/golden/replay.c tests/peers/peer_service.c"
        [ $t != wire ] || sources=$(make -s --no-print-directory print-parts_wire)
        files=
        [ $t != replay ] || files=$(ls tests/golden/*.in)
        [ $t != wire ] || files=$(ls tests/golden/wire/*.txt)
        [ "$bits" = 64 ] || files=${files//tests\/golden\/wire\/pb_arena.txt/}
        # shellcheck disable=SC2086
        if "$@" -std=c11 -O1 -static $sources $objects -o "$W/$name/test_$t" &&
            out=$(timeout 300 $runner "$W/$name/test_$t" $files); then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAIL $name $t"
            echo "$out" | tail -n 5
        fi
    done
}
build_and_run 32 x86-32 "" gcc -m32
build_and_run 32 armhf qemu-arm-static arm-linux-gnueabihf-gcc
build_and_run 64 riscv64 qemu-riscv64-static riscv64-linux-gnu-gcc
build_and_run 64 s390x qemu-s390x-static s390x-linux-gnu-gcc
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
