#!/bin/bash
# Lines and branches of hpack, h2, grpc and pb that the unit tests and golden conversations reach.
set -u
BUILD=${BUILD:-build}
tests/setup.sh coverage || exit 1
W=$BUILD/coverage
rm -rf "$W"
mkdir -p "$W"
core=$(make -s --no-print-directory print-CORE)
for f in $core $(make -s --no-print-directory print-POSIX); do
    gcc -std=c11 -O0 -g --coverage -c "$f" -o "$W/$(echo "$f" | tr / _).o" || exit 1
done
for t in hpack hpack_limits h2 h2_rules h2_limits h2_owed h2_send trace pb grpc channel life outbox posix; do
    gcc --coverage tests/unit/test_$t.c "$W"/*.o -o "$W/test_$t" && "$W/test_$t" || exit 1
done
gcc --coverage -std=c11 tests/attack/local.c tests/attack/attacks.c "$W"/*_*.o -o "$W/attack" || exit 1
"$W/attack" --no-cpu | tail -n 1
gcc --coverage -std=c11 tests/golden/replay.c tests/peers/peer_service.c "$W"/*_*.o -o "$W/replay" || exit 1
"$W/replay" tests/golden/*.in | tail -n 1
# shellcheck disable=SC2046
gcc --coverage -std=c11 $(make -s --no-print-directory print-parts_wire) "$W"/*_*.o -o "$W/wire" || exit 1
"$W/wire" tests/golden/wire/*.txt | tail -n 1
gcovr --root . --filter 'hpack/' --filter 'h2/' --filter 'grpc/' --filter 'pb/' "$W" | tee "$BUILD/coverage.txt"
gcovr --root . --branches --filter 'hpack/' --filter 'h2/' --filter 'grpc/' --filter 'pb/' "$W" |
    tail -n 3
# What parses the bytes of strangers has no line and no branch that no test has taken.
gcovr --root . --filter 'hpack/' --filter 'h2/' --fail-under-line 100 --fail-under-branch 100 "$W" >/dev/null || {
    echo "coverage: hpack or h2 is below 100% of lines or branches"
    exit 1
}
echo "hpack and h2: 100% of lines and branches"
