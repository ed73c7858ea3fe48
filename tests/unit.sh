#!/bin/bash
# Runs test programs, two at a time, and adds up: tests/unit.sh PROGRAM...
set -u
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

run() { # run PROGRAM: its output, and its last line with its name
    local name arguments=()
    name=$(basename "$(dirname "$1")")/$(basename "$1")
    case $1 in
    */replay) mapfile -t arguments < <(ls tests/golden/*.in) ;;
    */wire) mapfile -t arguments < <(ls tests/golden/wire/*.txt) ;;
    */attack_local) arguments=(--no-cpu) ;;
    */fuzz_server | */fuzz_client | */fuzz_h2) arguments=(fuzz/corpus/conversations) ;;
    */fuzz_*) arguments=("fuzz/corpus/${1##*/fuzz_}") ;;
    esac
    timeout 100 "$1" "${arguments[@]}" >"$W/${name//\//_}" 2>&1
    echo "$? $name" >"$W/${name//\//_}.status"
}
export -f run
export W
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'run {}'

passed=0
failed=0
for status in "$W"/*.status; do
    read -r code name <"$status"
    out=${status%.status}
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -n 1)
    p=$(echo "$line" | sed -E 's/ passed.*//')
    f=$(echo "$line" | sed -E 's/.*, ([0-9]+) failed.*/\1/')
    if [ -z "$line" ] || { [ "$code" != 0 ] && [ "$f" = 0 ]; }; then
        f=$((${f:-0} + 1))
        echo "  $name ended with status $code"
    fi
    [ "$f" = 0 ] || grep -vE '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -n 40 | sed 's/^/  /'
    passed=$((passed + ${p:-0}))
    failed=$((failed + f))
    [ "$f" = 0 ] && [ "$#" -gt 6 ] || printf '%-28s %4d passed, %d failed\n' "$name" "${p:-0}" "$f"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
