#!/bin/bash
# Runs test programs, one more at a time than there are cores, and adds up: tests/unit.sh PROGRAM...
# LIST=1 prints a line for each, not only for those that fail;
# EMULATOR is a program that runs programs of another machine.
set -u
[ $# -gt 0 ] || { echo "unit.sh: error: no test program has this name, and no test" >&2; exit 2; }
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

run() { # run PROGRAM: its output, and its last line with its name
    local arguments=() variant=${1%/*}
    local name=${variant##*/}/${1##*/}
    case $1 in
    */small-client/replay) mapfile -t arguments < <(ls tests/golden/*.client.in) ;;
    */small-server/replay) mapfile -t arguments < <(ls tests/golden/*.server.in) ;;
    */unit/replay) mapfile -t arguments < <(printf '%s\n' --every 5; ls tests/golden/*.in) ;; # the variant asan: all
    */replay) mapfile -t arguments < <(ls tests/golden/*.in) ;;
    */arch-x86-32/wire | */arch-armhf/wire) # what fits into an arena depends on the size of pointers
        mapfile -t arguments < <(ls tests/golden/wire/*.txt | grep -v pb_arena) ;;
    */wire) mapfile -t arguments < <(ls tests/golden/wire/*.txt) ;;
    */attack_local) arguments=(--no-cpu) ;;
    */fuzz_server | */fuzz_client | */fuzz_h2) arguments=(fuzz/corpus/conversations) ;;
    */fuzz_nghttp2) arguments=(fuzz/corpus/hpack) ;;
    */fuzz_*) arguments=("fuzz/corpus/${1##*/fuzz_}") ;;
    esac
    # shellcheck disable=SC2086
    timeout "${LIMIT:-300}" ${EMULATOR:-} "$1" "${arguments[@]}" >"$W/${name//\//_}" 2>&1
    echo "$? $name" >"$W/${name//\//_}.status"
}
export -f run
export W
# Those that take long come first, so that no core waits for the last one; one of them sleeps.
{ printf '%s\n' "$@" | grep -E '/(test_posix|attack_work|replay|test_pb_walk)$'; printf '%s\n' "$@" | grep -vE '/(test_posix|attack_work|replay|test_pb_walk)$'; } |
    xargs -P $(($(nproc) + 1)) -I{} bash -c 'run {}'

passed=0
failed=0
left_out=0
for status in "$W"/*.status; do
    read -r code name <"$status"
    out=${status%.status}
    p=''
    f=''
    while read -r line; do # the last of such lines counts
        if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
            p=${BASH_REMATCH[1]}
            f=${BASH_REMATCH[2]}
        elif [[ $line =~ ^"assertions on texts left out: "([0-9]+) ]]; then
            left_out=$((left_out + BASH_REMATCH[1]))
        fi
    done <"$out"
    if [ -z "$p" ] || { [ "$code" != 0 ] && [ "$f" = 0 ]; }; then
        f=$((${f:-0} + 1))
        echo "  $name ended with status $code"
    fi
    [ "$f" = 0 ] || grep -vE '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -n 40 | sed 's/^/  /'
    passed=$((passed + ${p:-0}))
    failed=$((failed + f))
    [ "$f" = 0 ] && [ "$#" -gt 6 ] && [ -z "${LIST:-}" ] || printf '%-28s %4d passed, %d failed\n' "$name" "${p:-0}" "$f"
done
[ $left_out = 0 ] || echo "assertions on texts left out: $left_out"
echo "$passed passed, $failed failed"
[ $((passed + failed)) -gt 0 ] && [ "$failed" = 0 ]
