#!/bin/bash
# Each fuzz target for SECONDS_EACH (30) seconds with libFuzzer and sanitizers, from the corpus.
# FUZZ_ARGS="-seed=1 -runs=N" makes a run that repeats.
set -u
BUILD=${BUILD:-build}
SECONDS_EACH=${SECONDS_EACH:-30}
tests/setup.sh fuzz || exit 1
W=$BUILD/fuzz
mkdir -p "$W"
passed=0
failed=0
for t in hpack grpc pb; do
    extra=
    [ $t != grpc ] || extra=tests/peers/peer_service.c
    # shellcheck disable=SC2086
    clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all fuzz/fuzz_$t.c \
        $extra hpack/*.c h2/*.c grpc/*.c pb/*.c -o "$W/fuzz_$t" || exit 1
    mkdir -p "$W/corpus_$t"
    # shellcheck disable=SC2086
    if "$W/fuzz_$t" ${FUZZ_ARGS:--max_total_time=$SECONDS_EACH} -max_len=4096 -timeout=10 -artifact_prefix="$W/$t-" \
        "$W/corpus_$t" fuzz/corpus/$t >"$W/$t.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL fuzz_$t"
        tail -n 30 "$W/$t.log"
    fi
    echo "fuzz_$t: $(grep -oE 'stat::number_of_executed_units: [0-9]+|Done [0-9]+ runs' "$W/$t.log" | tail -n 1)"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
