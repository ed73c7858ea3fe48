#!/bin/sh
# The sensor demo: a collector, some devices, and a collector that is killed in the middle.
#   BUILD=build DURATION=10 DEVICES=3 PORT=any TLS=0 examples/fleet/demo.sh
# With TLS=1 they talk over mutual TLS, with certificates that are made on the spot.
set -u
BUILD=${BUILD:-build}
DURATION=${DURATION:-10}
DEVICES=${DEVICES:-3}
PORT=${PORT:-$((20000 + $$ % 30000))}
TLS=${TLS:-0}
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

certificate() { # certificate NAME DNS-NAME: signed by the demo's own CA
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" &&
        echo "subjectAltName=DNS:$2" >"$1.ext" &&
        openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out "$1.pem" -extfile "$1.ext"
}
collector_tls=
sensor_tls=
host=127.0.0.1
if [ "$TLS" = 1 ]; then
    (cd "$work" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
        -days 1 -subj "/CN=demo CA" && certificate collector localhost && certificate sensor sensor) \
        >"$work/openssl" 2>&1 || { cat "$work/openssl"; exit 1; }
    collector_tls="--tls --ca=$work/ca.pem --cert=$work/collector.pem --key=$work/collector.key"
    sensor_tls="--tls --ca=$work/ca.pem --cert=$work/sensor.pem --key=$work/sensor.key"
    host=localhost
fi

start_collector() {
    # shellcheck disable=SC2086
    "$BUILD/collector" --address="127.0.0.1:$PORT" --store="$work/samples.db" $collector_tls "$@" &
    collector=$!
}

echo "mote demo: $DEVICES devices stream readings of this machine for $DURATION seconds$([ "$TLS" = 0 ] || echo ", over mutual TLS")"
start_collector
for i in $(seq "$DEVICES"); do
    # shellcheck disable=SC2086
    "$BUILD/sensor" --collector="$host:$PORT" $sensor_tls --name="sensor-$i" --interval=50 \
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
received=$(sqlite3 "$work/samples.db" "SELECT count(*) FROM samples")
echo "sent $sent, received $received, lost $((sent - received))"
[ "$failed" = 0 ] && [ "$sent" -gt 0 ] && [ "$sent" = "$received" ]
