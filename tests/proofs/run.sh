#!/bin/bash
# Proofs by CBMC, each of a file in tests/proofs/: tests/proofs/run.sh [NAME...]
#
# A harness calls a function from any state that its invariant permits, with any input of up to N bytes and any memory of up to M,
# and shows that nothing is read or written outside of it, nothing overflows, no pointer and no shift is invalid, and that
# the invariant holds again. Loops are unwound to their end, which is asserted. Each line of the functions that it names in `proves:`
# is reached, which is shown as well. What its head says: proves, sources (beside the one that it includes), unwind,
# loops (those that have another limit, FUNCTION.NUMBER:LIMIT), N and M.
set -u
BUILD=${BUILD:-build}
W=$BUILD/proofs
passed=0
failed=0
mkdir -p "$W"
cbmc=$(BUILD=$BUILD tests/proofs/cbmc.sh) || { echo "CBMC cannot be fetched"; exit 1; }
checks="--no-standard-checks --bounds-check --pointer-check --pointer-overflow-check --signed-overflow-check --undefined-shift-check
    --div-by-zero-check --unwinding-assertions"

head_of() { sed -n "1,/\*\//s/^ \* $2: //p" "$1"; }

# Lines of the functions under proof that no input reaches. A brace that ends a function may be one, where each way returns,
# and what an invariant that does not hold would lead to.
unreached() { # unreached LOG "FUNCTIONS"
    local f file line
    for f in $2; do
        grep -q "function $f .*: SATISFIED" "$1" || echo "$f is not reached"
        grep -E "function $f .*: FAILED" "$1" | sed -E 's/.* file ([^ ]*) line ([0-9]*) function.*/\1 \2/' | while read -r file line; do
            sed -n "${line}p" "$file" | grep -qE '^}$|MOTE_CHECK_THAT' || echo "$file:$line in $f"
        done
    done
}

prove() { # prove FILE
    local name sources unwind loops begin=$SECONDS functions
    name=$(basename "$1" .c)
    sources=$(head_of "$1" sources)
    unwind=$(head_of "$1" unwind)
    loops=$(head_of "$1" loops)
    functions=$(sed -n '/^ \* proves: /,/ of /p' "$1" | tr '\n' ' ' | sed -E 's/ \* proves: //; s/ of .*//; s/[*,]//g')
    # shellcheck disable=SC2086
    if ! $cbmc "$1" $sources $checks --unwind "$unwind" ${loops:+--unwindset $loops} --drop-unused-functions >"$W/$name.log" 2>&1; then
        failed=$((failed + 1))
        echo "FAIL $name"
        grep -E ': FAILURE|[Ee]rror' "$W/$name.log" | head -n 10
        return
    fi
    # shellcheck disable=SC2086
    $cbmc "$1" $sources --no-standard-checks --drop-unused-functions --cover location --unwind "$unwind" ${loops:+--unwindset $loops} >"$W/$name.cover" 2>&1
    if [ -n "$(unreached "$W/$name.cover" "$functions")" ]; then
        failed=$((failed + 1))
        echo "FAIL $name: not every line is reached"
        unreached "$W/$name.cover" "$functions" | head -n 10
        return
    fi
    passed=$((passed + 1))
    printf '%-16s %5s properties, every line of %d functions reached, %d s\n' "$name" \
        "$(sed -nE 's/^\*\* 0 of ([0-9]+) failed.*/\1/p' "$W/$name.log")" "$(echo "$functions" | wc -w)" $((SECONDS - begin))
}

[ $# -gt 0 ] || set -- tests/proofs/*.c
for f in "$@"; do
    [ -e "$f" ] || f=tests/proofs/$f.c
    prove "$f"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
