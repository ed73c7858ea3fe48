#!/bin/bash
# Lines and branches of hpack, h2, grpc and pb that the unit tests and golden conversations reach.
set -u
BUILD=${BUILD:-build}
tests/setup.sh coverage || exit 1
W=$BUILD/coverage
rm -rf "$W"
mkdir -p "$W"
core="hpack/*.c h2/*.c grpc/*.c pb/*.c"
for f in $core port/posix/*.c; do
    gcc -std=c11 -O0 -g --coverage -c "$f" -o "$W/$(echo "$f" | tr / _).o" || exit 1
done
for t in hpack h2_rules h2 pb grpc posix; do
    gcc --coverage tests/unit/test_$t.c "$W"/*.o -o "$W/test_$t" && "$W/test_$t" || exit 1
done
gcc --coverage -std=c11 tests/golden/replay.c tests/peers/peer_service.c "$W"/*_*.o -o "$W/replay" || exit 1
"$W/replay" tests/golden/*.in | tail -n 1
gcovr --root . --filter 'hpack/' --filter 'h2/' --filter 'grpc/' --filter 'pb/' "$W" | tee "$BUILD/coverage.txt"
gcovr --root . --branches --filter 'hpack/' --filter 'h2/' --filter 'grpc/' --filter 'pb/' "$W" |
    tail -n 3
