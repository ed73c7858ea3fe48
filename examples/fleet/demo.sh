#!/bin/sh
# The sensor demo: a collector and some devices, and what may happen to them: the collector is killed, its disk is full, two devices
# are killed, one with a spool (--spool=FILE) and one without.
#   BUILD=build DURATION=10 DEVICES=3 PORT=any TLS=0 WEB=0 examples/fleet/demo.sh
# With TLS=1 they talk over mutual TLS, with certificates that are made on the spot. The collector serves its dashboard; with WEB=1 it
# stays at the end, with devices that go on, until Ctrl-C.
set -u
BUILD=${BUILD:-build}
DURATION=${DURATION:-10}
DEVICES=${DEVICES:-3}
PORT=${PORT:-$((20000 + $$ % 30000))}
TLS=${TLS:-0}
WEB=${WEB:-0}
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

# Whoever is to command devices from the dashboard needs this; the part behind # stays in the browser.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && echo "$token" >"$work/web-token")
WEB_PORT=$((PORT + 1))

start_collector() {
    # shellcheck disable=SC2086
    "$BUILD/collector" --address="127.0.0.1:$PORT" --store="$work/samples.db" --web=$WEB_PORT --web-token="$work/web-token" $collector_tls "$@" &
    collector=$!
}

start_sensor() { # start_sensor NAME SECONDS OPTION...: its process is $sensor
    device=$1
    seconds=$2
    shift 2
    # shellcheck disable=SC2086
    "$BUILD/sensor" --collector="$host:$PORT" $sensor_tls --name="$device" --interval=50 --duration="$seconds" "$@" \
        >"$work/$device.out" &
    sensor=$!
}
part() { # part N M: N/M of the duration, in seconds
    awk "BEGIN { print $DURATION * $1 / $2 }"
}
stored() { # stored CONDITION: how many samples
    sqlite3 "$work/samples.db" "SELECT count(*) FROM readings WHERE $1"
}

echo "mote demo: $DEVICES devices stream readings of this machine for $DURATION seconds$([ "$TLS" = 0 ] || echo ", over mutual TLS")"
echo "the dashboard: http://127.0.0.1:$WEB_PORT/#token=$token"
start_collector
for i in $(seq "$DEVICES"); do
    start_sensor "sensor-$i" "$DURATION"
    sensors="$sensors $sensor"
done
start_sensor with-spool "$DURATION" --spool="$work/spool"
spooled=$sensor
start_sensor without "$DURATION"
lossy=$sensor
sensors="$sensors $spooled $lossy"

sleep "$(part 1 4)"
kill -9 $collector
wait $collector 2>/dev/null
echo "*** the collector is killed; the devices keep their samples ***"
sleep 0.5
echo "*** the collector is started again ***"
start_collector
sleep "$(part 1 5)"

# As a disk that is full: its files cannot grow beyond 4 kB.
prlimit --pid $collector --fsize=4096:unlimited
echo "*** the collector's disk is full: it acknowledges nothing, and the devices keep their samples ***"
sleep "$(part 1 6)"
kill -9 "$spooled" "$lossy"
wait "$spooled" "$lossy" 2>/dev/null
sensors=${sensors% "$spooled" "$lossy"}
echo "*** a device with a spool and one without are killed, and started again ***"
start_sensor with-spool "$(awk "BEGIN { print int($DURATION / 3) + 1 }")" --spool="$work/spool"
sensors="$sensors $sensor"
start_sensor without "$(awk "BEGIN { print int($DURATION / 3) + 1 }")"
sensors="$sensors $sensor"
sleep 1
prlimit --pid $collector --fsize=unlimited:unlimited
echo "*** there is room on the disk again ***"

failed=0
for s in $sensors; do
    wait "$s" || failed=1
done
sensors=
kill $collector
wait $collector >"$work/none" || failed=1
collector=

echo
grep -h -e due -e carried "$work"/*.out
sent=$(awk '{ for (i = 1; i < NF; i++) if ($i == "sent") n += $(i + 1) } END { print n + 0 }' \
    "$work"/sensor-*.out "$work/with-spool.out")
received=$(stored "device <> 'without'")
first=$(sqlite3 "$work/samples.db" "SELECT max(sequence) FROM samples WHERE source = (SELECT min(id) FROM sources WHERE device = 'without')")
taken=$(awk "BEGIN { print int(100 * ($DURATION * 37 / 60 + 0.5)) }") # until it was killed, by the clock
echo "the device without a spool had taken about $taken readings when it was killed; $first are stored, the others were in its memory and are lost"
echo "sent $sent, received $received, lost $((sent - received))"
[ "$failed" = 0 ] && [ "$sent" -gt 0 ] && [ "$sent" = "$received" ] || exit 1
[ "$WEB" != 0 ] || exit 0

echo
echo "the dashboard stays open until Ctrl-C: http://127.0.0.1:$WEB_PORT/#token=$token"
start_collector --plain >"$work/none"
for i in $(seq "$DEVICES"); do
    start_sensor "sensor-$i" 1000000
    sensors="$sensors $sensor"
done
wait "$collector"
