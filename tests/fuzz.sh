#!/bin/bash
# Each fuzz target for SECONDS_EACH (30) seconds with libFuzzer and sanitizers, from its corpus; then
# one of them with AFL++ and the mutator as its custom mutator.
# FUZZ_ARGS="-seed=1 -runs=N" makes a run that repeats. Names as arguments choose targets.
set -u
BUILD=${BUILD:-build}
SECONDS_EACH=${SECONDS_EACH:-30}
tests/setup.sh fuzz || exit 1
W=$BUILD/fuzz
mkdir -p "$W"
passed=0
failed=0
core="hpack/*.c h2/*.c grpc/*.c grpc/codec/*.c grpc/channel/*.c pb/*.c"
hpack="hpack/*.c grpc/strerror.c"
# What one side of a connection says: three bytes of choices, then preface and frames.
mutator="-DMOTE_MUTATOR_PREFIX=3 fuzz/mutator.c fuzz/mutator_headers.c"
chosen=" $* "

result() { # result NAME STATUS LOG
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        tail -n 30 "$3"
    fi
}

target() { # target NAME CORPUS SOURCES-AND-FLAGS...
    local name=$1 corpus=$2
    shift 2
    [ "$chosen" = "  " ] || [[ $chosen == *" $name "* ]] || return
    # shellcheck disable=SC2068
    clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $@ \
        -o "$W/fuzz_$name" || exit 1
    mkdir -p "$W/corpus_$name"
    # shellcheck disable=SC2086
    "$W/fuzz_$name" ${FUZZ_ARGS:--max_total_time=$SECONDS_EACH} -max_len=4096 -timeout=10 \
        -artifact_prefix="$W/$name-" "$W/corpus_$name" "fuzz/corpus/$corpus" >"$W/$name.log" 2>&1
    result "fuzz_$name" $? "$W/$name.log"
    echo "fuzz_$name: $(grep -oE 'Done [0-9]+ runs' "$W/$name.log" | tail -n 1)"
}

target hpack hpack "fuzz/fuzz_hpack.c $hpack"
target huffman huffman "fuzz/fuzz_huffman.c $hpack"
target nghttp2 hpack "fuzz/fuzz_nghttp2.c $hpack -lnghttp2"
target h2 conversations "fuzz/fuzz_h2.c $mutator h2/*.c $hpack"
target server conversations "fuzz/fuzz_grpc.c tests/peers/peer_service.c $mutator $core"
target client conversations "-DFUZZ_CLIENT=1 fuzz/fuzz_grpc.c tests/peers/peer_service.c $mutator $core"
target flate flate "fuzz/fuzz_flate.c $core"
target pair pair "fuzz/fuzz_pair.c $core"
target tls tls "fuzz/fuzz_tls.c $(ls tls/*.c | grep -v absent | tr '\n' ' ') -lmbedtls -lmbedx509 -lmbedcrypto"
target pb pb "fuzz/fuzz_pb.c fuzz/schema.mote.c fuzz/schema3.mote.c $core"

if [ "$chosen" = "  " ] || [[ $chosen == *" afl "* ]]; then
    # shellcheck disable=SC2086
    AFL_QUIET=1 afl-clang-fast -std=c11 -O1 -fsanitize=fuzzer fuzz/fuzz_h2.c h2/*.c $hpack -o "$W/afl_h2" \
        >"$W/afl.log" 2>&1 &&
        make -s BUILD="$BUILD" mutator &&
        rm -rf "$W/afl" &&
        AFL_QUIET=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
            MOTE_MUTATOR_PREFIX=3 AFL_CUSTOM_MUTATOR_ONLY=1 \
            AFL_CUSTOM_MUTATOR_LIBRARY="$BUILD/libmote-mutator.so" \
            timeout 120 afl-fuzz -s 1 -V "${AFL_SECONDS:-$SECONDS_EACH}" -i fuzz/corpus/conversations -o "$W/afl" \
            -- "$W/afl_h2" >>"$W/afl.log" 2>&1 &&
        [ -z "$(ls "$W/afl/default/crashes" 2>/dev/null)" ]
    result "afl_h2" $? "$W/afl.log"
    echo "afl_h2: $(sed -n 's/^execs_done *: //p' "$W/afl/default/fuzzer_stats" 2>/dev/null) runs"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
