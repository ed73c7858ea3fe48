#!/bin/sh
# The sensor demo: a collector, some devices, and a collector that is killed in the middle.
#   BUILD=build DURATION=10 DEVICES=3 PORT=any examples/demo.sh
set -u
BUILD=${BUILD:-build}
DURATION=${DURATION:-10}
DEVICES=${DEVICES:-3}
PORT=${PORT:-$((20000 + $$ % 30000))}
work=$(mktemp -d)
collector=
sensors=

stop() {
    # shellcheck disable=SC2086
    kill $collector $sensors 2>/dev/null
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' INT TERM

start_collector() {
    "$BUILD/collector" --address="127.0.0.1:$PORT" --store="$work/samples" "$@" &
    collector=$!
}

echo "mote demo: $DEVICES devices stream readings of this machine for $DURATION seconds"
start_collector
for i in $(seq "$DEVICES"); do
    "$BUILD/sensor" --collector="127.0.0.1:$PORT" --name="sensor-$i" --interval=50 \
        --duration="$DURATION" >"$work/sensor-$i.out" &
    sensors="$sensors $!"
done

sleep "$(awk "BEGIN { print $DURATION / 2 }")"
kill -9 $collector
wait $collector 2>/dev/null
echo "*** the collector is killed; the devices keep their samples ***"
sleep 1
echo "*** the collector is started again ***"
start_collector

failed=0
for s in $sensors; do
    wait "$s" || failed=1
done
sensors=
kill $collector
wait $collector >"$work/none" || failed=1
collector=

echo
cat "$work"/sensor-*.out
sent=$(awk '{ for (i = 1; i < NF; i++) if ($i == "sent") n += $(i + 1) } END { print n + 0 }' \
    "$work"/sensor-*.out)
received=$(wc -l <"$work/samples")
echo "sent $sent, received $received, lost $((sent - received))"
[ "$failed" = 0 ] && [ "$sent" -gt 0 ] && [ "$sent" = "$received" ]
