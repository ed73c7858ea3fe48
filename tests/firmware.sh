#!/bin/bash
# Firmware on emulated boards, each with grpcio over its serial line and build/mote-serial: tests/firmware.sh [BOARD...]
set -u
BUILD=${BUILD:-build}
PYTHON=${PYTHON:-/usr/bin/python3}
W=$PWD/$BUILD/firmware
mkdir -p "$W/py"
tests/setup.sh firmware || exit 1
passed=0
failed=0
pids=
trap '[ -z "$pids" ] || kill $pids 2>/dev/null' EXIT
boards=${*:-lm3s6965evb stm32vldiscovery microbit mps2-an385 mps2-an386 mps3-an547}
protoc -I examples -I grpc/services --python_out="$W/py" device.proto health.proto reflection.proto || exit 1
export PYTHONPATH=$W/py PYTHONDONTWRITEBYTECODE=1
core="$(ls hpack/*.c h2/*.c grpc/*.c grpc/services/*.c pb/*.c) port/serial/serial.c"

wait_for() { # wait_for COMMAND...
    for _ in $(seq 100); do "$@" 2>/dev/null && return; sleep 0.05; done
    return 1
}
on_board() { # on_board BOARD APP: boots it; sets `at` to where clients may call it
    rm -f "$W/$1.line"
    qemu-system-arm -M "$1" -display none -monitor none -serial "unix:$W/$1.line,server=on,wait=off" \
        -kernel "$W/$2-$1.elf" >"$W/$1.qemu" 2>&1 &
    pids="$pids $!"
    wait_for test -S "$W/$1.line"
    "$BUILD/mote-serial" --line="unix:$W/$1.line" --listen=127.0.0.1:0 >"$W/$1.serial" 2>&1 &
    pids="$pids $!"
    wait_for grep -q listening "$W/$1.serial"
    at=$(sed -n 's/^listening on //p' "$W/$1.serial")
}

for board in $boards; do
    # shellcheck disable=SC2086
    port/cortex-m/build.sh "$board" "$W/device-$board.elf" examples/firmware/device.c examples/device_service.c \
        examples/device.mote.c $core || { failed=$((failed + 1)); continue; }
    on_board "$board" device
    timeout 120 "$PYTHON" tests/firmware/device_peer.py "$at" >"$W/$board.out" 2>&1
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$W/$board.out" || echo "0 passed, 1 failed")
    grep -vE '^[0-9]+ passed' "$W/$board.out" | tail -n 12
    passed=$((passed + $(echo "$line" | sed -E 's/ passed.*//')))
    failed=$((failed + $(echo "$line" | sed -E 's/.*, ([0-9]+) failed.*/\1/')))
    printf 'device on %-18s %s\n' "$board" "$line"
    # shellcheck disable=SC2086
    kill $pids
    pids=
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
