#!/bin/bash
# The demo on microcontrollers: two emulated boards stream into a collector on this machine, and a client calls into a
# third. BUILD=build DURATION=10 examples/firmware/demo-mcu.sh
set -u
BUILD=${BUILD:-build}
DURATION=${DURATION:-10}
client="-DMOTE_CLIENT_ONLY -DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION" # see h2/mote_features.h
server="-DMOTE_SERVER_ONLY -DMOTE_NO_COMPRESSION"
core="$(make -s --no-print-directory print-CORE) port/serial/serial.c"
work=$(mktemp -d)
port=$((20000 + $$ % 30000))
pids=
trap '[ -z "$pids" ] || kill $pids 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

boot() { # boot BOARD FIRMWARE BRIDGE-OPTION: the board, and its bridge to TCP
    qemu-system-arm -M "$1" -display none -monitor none -serial "unix:$work/$1,server=on,wait=on" -kernel "$work/$2" \
        >"$work/$1.log" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 100); do [ -S "$work/$1" ] && break; sleep 0.05; done
    "$BUILD/mote-serial" --line="unix:$work/$1" "$3" >"$work/$1.bridge" 2>&1 &
    pids="$pids $!"
}

# shellcheck disable=SC2086
for board in stm32vldiscovery microbit; do
    port/cortex-m/build.sh $board "$work/sensor-$board.elf" examples/firmware/sensor.c examples/fleet/sensor_core.c \
        examples/fleet/telemetry.mote.c $core $client || exit 1
done
# shellcheck disable=SC2086
port/cortex-m/build.sh lm3s6965evb "$work/device-lm3s6965evb.elf" examples/firmware/device.c examples/device/device_service.c \
    examples/device/device.mote.c $core $server || exit 1

"$BUILD/collector" --address="127.0.0.1:$port" --store="$work/samples.db" --interval=50 >"$work/collector" &
collector=$!
pids=$collector
boot stm32vldiscovery sensor-stm32vldiscovery.elf --dial="127.0.0.1:$port"
sleep "$(awk "BEGIN { print $DURATION / 2 }")"
boot microbit sensor-microbit.elf --dial="127.0.0.1:$port"
boot lm3s6965evb device-lm3s6965evb.elf --listen=127.0.0.1:0
for _ in $(seq 100); do grep -q listening "$work/lm3s6965evb.bridge" && break; sleep 0.05; done
at=$(sed -n 's/^listening on //p' "$work/lm3s6965evb.bridge")
echo "*** a client calls the third board ***"
"$BUILD/device_caller" --address="$at" --channel=2 --watch=2 || exit 1
sleep "$(awk "BEGIN { print $DURATION / 2 }")"
kill $collector
wait $collector
tail -n 4 "$work/collector"
[ "$(sqlite3 "$work/samples.db" "SELECT count(*) FROM samples")" -gt 20 ]
