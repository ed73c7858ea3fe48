#!/bin/bash
# protobuf's conformance runners against build/conformance_testee: that of Debian's source package, and
# a newer one with editions where it can be had. Recommended tests count like required ones.
set -u
BUILD=${BUILD:-build}
P=$BUILD/protobuf
tests/setup.sh conformance || exit 1
passed=0
failed=0
skipped=

BUILD=$BUILD tests/pb/source.sh >"$BUILD/protobuf.log" 2>&1 || {
    tail -n 5 "$BUILD/protobuf.log"
    echo "conformance: error: Debian's source package of protobuf cannot be built"
    exit 1
}

messages="google/protobuf/test_messages_proto3.proto google/protobuf/test_messages_proto2.proto"
known="any duration field_mask struct timestamp wrappers"
known=$(for k in $known; do printf 'google/protobuf/%s.proto ' "$k"; done)

testee() { # testee NAME FLAGS: from the generated files in $P/NAME.gen
    # shellcheck disable=SC2046,SC2086
    ${CC:-cc} -std=c11 -O1 -Wall -Wextra -Wconversion -Werror $2 -I. -I"$P/$1.gen" tests/pb/testee.c \
        $(find "$P/$1.gen" -name '*.mote.c') $(make -s --no-print-directory print-PB) $(make -s --no-print-directory print-JSON) -o "$P/$1" || exit 1
}

result() { # result NAME LOG: adds the runner's closing lines
    local line
    while read -r line; do
        echo "$1: $line"
        passed=$((passed + $(echo "$line" | sed -E 's/.*: ([0-9]+) successes.*/\1/')))
        failed=$((failed + $(echo "$line" | sed -E 's/.* ([0-9]+) unexpected failures.*/\1/')))
    done < <(grep 'CONFORMANCE SUITE' "$2")
    grep -q 'CONFORMANCE SUITE' "$2" || failed=$((failed + 1))
    grep '^ERROR' "$2" | cut -c 1-200 | head -n 20
}

rm -rf "$P/testee.gen"
mkdir -p "$P/testee.gen"
# shellcheck disable=SC2086
protoc --plugin="$BUILD/protoc-gen-mote" -I "$P/source/conformance" -I "$P/source/src" \
    --mote_out="$P/testee.gen" --mote_opt=runtime=,keep_unknown,json conformance.proto $messages $known || exit 1
testee testee ""
cp "$P/testee" "$BUILD/conformance_testee"
timeout 300 "$P/conformance_test_runner" --enforce_recommended "$BUILD/conformance_testee" >"$P/runner.log" 2>&1
result "protobuf 3.21.12" "$P/runner.log"

reason=$(BUILD=$BUILD tests/pb/newer.sh)
newer=$?
if [ $newer = 2 ]; then
    echo "the newer runner is not what it was: $reason"
    exit 1
elif [ $newer = 0 ]; then
    N=$P/newer
    export PYTHONPATH=$PWD/$N/py
    rm -rf "$P/newer_testee.gen"
    mkdir -p "$P/newer_testee.gen"
    editions="test_messages_edition2023 test_messages_proto2_editions test_messages_proto3_editions"
    # shellcheck disable=SC2046,SC2086
    ${PYTHON:-python3} -m grpc_tools.protoc --plugin=protoc-gen-mote="$BUILD/protoc-gen-mote" \
        -I "$N/package/include" -I "$N/package/include/conformance" -I "$N/py/grpc_tools/_proto" \
        --mote_out="$P/newer_testee.gen" --mote_opt=runtime=,keep_unknown,json conformance.proto $messages \
        $(for e in $editions; do echo "google/protobuf/$e.proto"; done) $known || exit 1
    unset PYTHONPATH
    testee newer_testee -DTEST_EDITIONS
    cp "$P/newer_testee" "$BUILD/conformance_testee"
    runner="$N/package/bin/conformance_test_runner-linux-x64"
    libs=$N/libc/usr/lib/x86_64-linux-gnu
    timeout 300 "$libs/ld-linux-x86-64.so.2" --library-path "$libs" "$runner" --enforce_recommended \
        --maximum_edition 2023 "$PWD/$BUILD/conformance_testee" >"$P/newer.log" 2>&1
    result "protobuf 33.2, editions" "$P/newer.log"
else
    skipped=", 1 skipped"
    echo "the newer runner is skipped: $reason"
fi
echo "$passed passed, $failed failed$skipped"
[ "$failed" = 0 ]
