#!/bin/bash
# The sensor demo loses nothing, with the collector killed in the middle; and each policy of a full
# ring does what it says.
set -u
BUILD=${BUILD:-build}
. tests/lib.sh
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

# What the sensors and the collector say at the end adds up, and is what is in the store.
ledger() { # ledger COLLECTOR-OUTPUT STORE SENSOR-OUTPUT...
    python3 tests/fleet/ledger.py "$@"
}

demo_loses_nothing() {
    DURATION=4 examples/fleet/demo.sh >"$W/out" || { tail -n 5 "$W/out"; return 1; }
    grep -qE '^sent [1-9][0-9]*, received [0-9]+, lost 0$' "$W/out" &&
        grep -q 'bytes/sample' "$W/out" && grep -q 'bytes of RAM' "$W/out"
}

# Without a collector a ring of 4096 samples fills up; what is dropped is counted and reported.
full_ring_drops_and_counts() {
    port=$((20000 + ($$ + 1) % 30000))
    "$BUILD/sensor" --collector=127.0.0.1:$port --interval=1 --duration=4 >"$W/sensor" &
    sensor=$!
    sleep 3.5
    "$BUILD/collector" --address=127.0.0.1:$port --store="$W/samples.db" >"$W/collector" &
    collector=$!
    wait $sensor || { cat "$W/sensor"; kill $collector; return 1; }
    kill $collector
    wait $collector
    ledger "$W/collector" "$W/samples.db" "$W/sensor" && ! grep -q 'dropped 0 ' "$W/sensor"
}

# With the policy to block nothing is dropped: readings wait.
full_ring_blocks() {
    "$BUILD/sensor" --collector=127.0.0.1:1 --interval=1 --duration=3 --when-full=block >"$W/sensor" &
    sensor=$!
    sleep 4
    kill -0 $sensor || return 1 # it tries to deliver until its limit
    kill -9 $sensor
}

collector_commands_the_interval() {
    port=$((20000 + ($$ + 2) % 30000))
    "$BUILD/collector" --address=127.0.0.1:$port --interval=20 >"$W/collector" &
    collector=$!
    sleep 0.3
    "$BUILD/sensor" --collector=127.0.0.1:$port --interval=1000 --duration=3 >"$W/sensor"
    kill $collector
    wait $collector
    sent=$(sed -nE 's/.*: sent ([0-9]+).*/\1/p' "$W/sensor")
    echo "sent $sent"
    [ "$sent" -gt 100 ] # 15 at its own interval
}

for t in demo_loses_nothing full_ring_drops_and_counts full_ring_blocks collector_commands_the_interval; do
    check $t $t
done
summary
