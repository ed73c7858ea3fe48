#!/bin/bash
# Each fuzz target (make fuzz-programs) for SECONDS_EACH (30) seconds with libFuzzer and sanitizers, from its corpus; then
# one of them with AFL++ and the mutator as its custom mutator.
# FUZZ_ARGS="-seed=1 -runs=N" makes a run that repeats. Names as arguments choose targets.
set -u
BUILD=${BUILD:-build}
SECONDS_EACH=${SECONDS_EACH:-30}
W=$BUILD/fuzz
passed=0
failed=0
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

for name in $(make -s --no-print-directory print-FUZZERS); do
    [ "$chosen" = "  " ] || [[ $chosen == *" $name "* ]] || continue
    case $name in
    nghttp2) corpus=hpack ;;
    h2 | server | client) corpus=conversations ;;
    *) corpus=$name ;;
    esac
    corpus=fuzz/corpus/$corpus
    if [ "$name" = differ ]; then # from text
        corpus=$W/seeds_differ
        mkdir -p "$corpus"
        "$BUILD/mote-differ" --seeds="$corpus" nghttp2 || exit 1
    fi
    mkdir -p "$W/corpus_$name"
    # shellcheck disable=SC2086
    "$W/fuzz_$name" ${FUZZ_ARGS:--max_total_time=$SECONDS_EACH} -max_len=4096 -timeout=10 \
        -artifact_prefix="$W/$name-" "$W/corpus_$name" "$corpus" >"$W/$name.log" 2>&1
    result "fuzz_$name" $? "$W/$name.log"
    echo "fuzz_$name: $(grep -oE 'Done [0-9]+ runs' "$W/$name.log" | tail -n 1)"
done

if [ "$chosen" = "  " ] || [[ $chosen == *" afl "* ]]; then
    rm -rf "$W/afl" &&
        AFL_QUIET=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
            MOTE_MUTATOR_PREFIX=3 \
            AFL_CUSTOM_MUTATOR_LIBRARY="$BUILD/libmote-mutator.so" \
            timeout 120 afl-fuzz -s 1 -V "${AFL_SECONDS:-$SECONDS_EACH}" -i fuzz/corpus/conversations -o "$W/afl" \
            -- "$BUILD/afl/fuzz_h2" >"$W/afl.log" 2>&1 &&
        [ -z "$(ls "$W/afl/default/crashes" 2>/dev/null)" ]
    result "afl_h2" $? "$W/afl.log"
    echo "afl_h2: $(sed -n 's/^execs_done *: //p' "$W/afl/default/fuzzer_stats" 2>/dev/null) runs"
fi
# What docs/testing.md tells people to do for a service and for a server of theirs, line by line.
follow() { # follow TITLE
    sed -n "/^# $1\$/,/^\`\`\`\$/p" docs/testing.md | grep -v '^```' >"$W/lines.sh"
    grep -q clang "$W/lines.sh" && [ "$(wc -l <"$W/lines.sh")" -le 10 ] && SECONDS_EACH=2 bash -eu "$W/lines.sh" >"$W/lines.log" 2>&1 &&
        grep -q 'Done [0-9]* runs' "$W/lines.log"
    result "the lines of docs/testing.md: $1" $? "$W/lines.log"
}
if [ "$chosen" = "  " ] || [[ $chosen == *" docs "* ]]; then
    follow "your service"
    follow "your HTTP\/2 server"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
