#!/bin/bash
# mote beside its peers, both in one run. Prints a table and writes it to $BUILD/bench.tsv.
set -eu
. tests/bench/lib.sh
printf 'what\tunit\tmote\tpeer\tpeer name and version\tratio\ttarget\n' >"$T"
tests/bench/h2.sh
tests/bench/pb.sh
tests/bench/grpc.sh
tests/bench/scenarios.sh
tests/bench/tls.sh
column -t -s "$(printf '\t')" "$T" 2>/dev/null || cat "$T"
