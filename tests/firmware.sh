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
boards=${*:-lm3s6965evb stm32vldiscovery microbit mps2-an385 mps2-an386 mps3-an547 virt}
protoc -I examples/fleet -I examples/device -I grpc/services --python_out="$W/py" telemetry.proto device.proto health.proto reflection.proto || exit 1
export PYTHONPATH=$W/py PYTHONDONTWRITEBYTECODE=1
client="-DMOTE_CLIENT_ONLY -DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION -fcallgraph-info=su"
server="-DMOTE_SERVER_ONLY -DMOTE_NO_COMPRESSION"
core="$(make -s --no-print-directory print-CORE) port/serial/serial.c"

wait_for() { # wait_for COMMAND...
    for _ in $(seq 1200); do "$@" 2>/dev/null && return; sleep 0.05; done
    return 1
}
on_board() { # on_board BOARD APP BRIDGE-OPTION: boots it; sets `at` to where clients may call it
    rm -f "$W/$1.line"
    emulator=qemu-system-arm
    [ "$1" != virt ] || emulator="qemu-system-riscv32 -bios none"
    $emulator -M "$1" -display none -monitor none -serial "unix:$W/$1.line,server=on,wait=on" \
        -kernel "$W/$2-$1.elf" >"$W/$1.qemu" 2>&1 &
    pids="$pids $!"
    wait_for test -S "$W/$1.line"
    line=$W/$1.line
    if [ -n "${noise:-}" ]; then
        rm -f "$W/$1.noisy"
        "$PYTHON" tests/firmware/noise.py "$W/$1.noisy" "$line" $noise 1 >"$W/$1.noise" &
        pids="$pids $!"
        line=$W/$1.noisy
        wait_for test -S "$line"
    fi
    "$BUILD/mote-serial" --line="unix:$line" "$3" >"$W/$1.serial" 2>&1 &
    pids="$pids $!"
    [ -n "${noise:-}" ] || wait_for grep -q "^board: $2: flash $(size "$W/$2-$1.elf" | awk 'NR == 2 { print $1 + $2 ", RAM " $2 + $3 }'), stack " "$W/$1.serial" || {
        failed=$((failed + 1))
        echo "FAIL $2 on $1 does not say what it takes: $(cat "$W/$1.serial")"
    }
    [ "$2" != sensor ] || return
    wait_for grep -q listening "$W/$1.serial"
    at=$(sed -n 's/^listening on //p' "$W/$1.serial")
}

result() { # result APP BOARD LINE
    passed=$((passed + $(echo "$3" | sed -E 's/ passed.*//')))
    failed=$((failed + $(echo "$3" | sed -E 's/.*, ([0-9]+) failed.*/\1/')))
    printf '%s on %-18s %s\n' "$1" "$2" "$3"
    # shellcheck disable=SC2086
    kill $pids 2>/dev/null
    pids=
}

# The sensor streams to a collector that is killed and started again: nothing is lost, or comes twice.
# The golden conversations in little memory: what the board makes of them is what this machine does.
# shellcheck disable=SC2086
"${CC:-cc}" -std=c11 -O2 -DPEER_MAX_MESSAGE=65536 tests/firmware/golden.c tests/peers/peer_service.c $core -o "$W/golden" || exit 1
(cd tests/golden && "$W/golden") >"$W/golden.wanted"
golden_on() { # golden_on BOARD
    # shellcheck disable=SC2086
    port/cortex-m/build.sh "$1" "$W/golden-$1.elf" tests/firmware/golden.c tests/peers/peer_service.c $core -DPEER_MAX_MESSAGE=65536 >/dev/null
    emulator=qemu-system-arm
    [ "$1" != virt ] || emulator="qemu-system-riscv32 -bios none"
    (cd tests/golden && timeout 60 $emulator -M "$1" -display none -monitor none -serial null \
        -semihosting-config enable=on,target=native -kernel "$W/golden-$1.elf") 2>&1 | grep '\.in ' >"$W/golden.out"
    if cmp -s "$W/golden.out" "$W/golden.wanted" && ! grep -q ' 0$' "$W/golden.out"; then result golden "$1" "1 passed, 0 failed"
    else cat "$W/golden.out"; result golden "$1" "0 passed, 1 failed"; fi
}

number=$((27000 + RANDOM % 2000))
start_collector() {
    "$PYTHON" tests/firmware/collector_peer.py $number "$W/store" >"$W/collector" 2>&1 &
    collector=$!
    wait_for grep -q listening "$W/collector"
}
dialled() { grep -cE 'calls|refused' "$W/$1.serial"; }
calls_again() { [ "$(grep -c calls "$W/$1.serial")" -gt "$2" ]; }
has_more_than() { [ "$(wc -l <"$W/store")" -gt "$1" ]; }
sensor_on() { # sensor_on BOARD
    local p=0 f=0 before stack ram most root
    rm -f "$W/store"
    : >"$W/store"
    start_collector
    on_board "$1" sensor --dial=127.0.0.1:$number
    for round in 1 2; do
        before=$(wc -l <"$W/store")
        if wait_for has_more_than $((before + 60)); then p=$((p + 1)); else f=$((f + 1)); echo "FAIL no samples in round $round"; fi
        before=$(dialled "$1")
        kill -9 $collector
        wait $collector 2>/dev/null
        sleep 0.5
        # It waits between two calls, however the line has ended.
        if [ $(($(dialled "$1") - before)) -le 3 ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAIL it calls again without a pause"; fi
        start_collector
    done
    wait_for has_more_than $((before + 100)) && p=$((p + 1)) || { f=$((f + 1)); echo "FAIL no samples after a restart"; }
    # A collector that hangs, with its connection open: PINGs that nobody answers end it.
    before=$(grep -c calls "$W/$1.serial")
    kill -STOP $collector
    wait_for calls_again "$1" "$before" && p=$((p + 1)) || { f=$((f + 1)); echo "FAIL a collector that hangs is not noticed"; }
    kill -CONT $collector
    wait_for has_more_than $(($(wc -l <"$W/store") + 40)) && p=$((p + 1)) || { f=$((f + 1)); echo "FAIL no samples after a hang"; }
    kill -9 $collector
    wait $collector 2>/dev/null
    if awk '$1 != NR { exit 1 }' "$W/store"; then p=$((p + 1)); else f=$((f + 1)); echo "FAIL samples are missing"; fi
    stack=$(awk '$2 == "stack_bytes" && $3 > most { most = $3 } END { print int(most) }' "$W/store")
    ram=$(size "$W/sensor-$1.elf" | awk 'NR == 2 { print $2 + $3 }')
    root=board_reset
    [ "$1" != virt ] || root=main
    # Interrupts take what on_tick() does, and 8 registers with their alignment.
    most=$(($("$PYTHON" tests/stack.py --roots=$root "$W/sensor-$1".elf*.ci | awk '{ print $2 }') + 40))
    if [ "$stack" -le $most ] && [ $most -lt $((2 * stack)) ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAIL the stack was computed as $most"; fi
    echo "sensor-$1: $(wc -l <"$W/store") samples, stack $stack of at most $most, data, bss and stack $((ram + stack))"
    if [ $((ram + stack)) -le 3072 ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAIL it needs more than 3 KiB"; fi
    result sensor "$1" "$p passed, $f failed"
}

# A reading a minute, and a server with gRPC's default rules for PINGs: it is not asked too often.
quiet() { # quiet BOARD
    local connections
    : >"$W/store"
    INTERVAL=60000 GRPC_VERBOSITY=debug GRPC_TRACE=http start_collector
    on_board "$1" sensor --dial=127.0.0.1:$number
    wait_for has_more_than 0
    connections=$(grep -c calls "$W/$1.serial")
    sleep 15
    kill -9 $collector
    wait $collector 2>/dev/null
    if [ "$(grep -c calls "$W/$1.serial")" = "$connections" ] && ! grep -q too_many_pings "$W/collector"; then result "sensor, quiet" "$1" "1 passed, 0 failed"
    else
        cat "$W/$1.serial"
        result "sensor, quiet" "$1" "0 passed, 1 failed"
    fi
}

# With a byte in 700 lost, doubled or changed on the line: nothing is lost or wrong, and nothing hangs.
noisy() { # noisy BOARD
    local noise=700 p=0 f=0
    : >"$W/store"
    start_collector
    on_board "$1" sensor --dial=127.0.0.1:$number
    wait_for has_more_than 50 && p=$((p + 1)) || { f=$((f + 1)); echo "FAIL no samples through noise"; }
    kill -9 $collector
    wait $collector 2>/dev/null
    if awk '$2 == "uptime_s" && $3 >= before && $3 < before + 20 { before = $3; good++ }
            $2 == "stack_bytes" && $3 == int($3) && $3 > 100 && $3 < 1024 { good++ }
            $1 != NR || good != NR { print "this one: " $0; exit 1 }' "$W/store"; then p=$((p + 1)); else f=$((f + 1)); echo "FAIL samples are missing or wrong"; fi
    # shellcheck disable=SC2086
    kill $pids
    wait_for grep -q lost "$W/$1.noise"
    echo "sensor-$1: $(wc -l <"$W/store") samples while $(cat "$W/$1.noise")"
    result "sensor, noise" "$1" "$p passed, $f failed"
    on_board "$1" device --listen=127.0.0.1:0
    timeout 200 "$PYTHON" tests/firmware/noisy_peer.py "$at" 100 >"$W/$1.out" 2>&1
    # shellcheck disable=SC2086
    kill $pids
    wait_for grep -q lost "$W/$1.noise"
    echo "device-$1: $(grep -E 'made again|FAIL' "$W/$1.out" | tail -n 3) while $(cat "$W/$1.noise")"
    result "device, noise" "$1" "$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$W/$1.out" || echo "0 passed, 1 failed")"
}

for board in $boards; do
    golden_on "$board"
    rm -f "$W/sensor-$board".elf*
    # shellcheck disable=SC2086
    if port/cortex-m/build.sh "$board" "$W/sensor-$board.elf" examples/firmware/sensor.c examples/fleet/sensor_core.c \
        examples/fleet/telemetry.mote.c $core $client; then
        sensor_on "$board"
    else
        failed=$((failed + 1))
    fi
    # shellcheck disable=SC2086
    port/cortex-m/build.sh "$board" "$W/device-$board.elf" examples/firmware/device.c examples/device/device_service.c \
        examples/device/device.mote.c $core $server || { failed=$((failed + 1)); continue; }
    on_board "$board" device --listen=127.0.0.1:0
    timeout 120 "$PYTHON" tests/firmware/device_peer.py "$at" >"$W/$board.out" 2>&1
    answer=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$W/$board.out" || echo "0 passed, 1 failed")
    grep -vE '^[0-9]+ passed' "$W/$board.out" | tail -n 12
    result device "$board" "$answer"
    case $board in
    lm3s6965evb | microbit) noisy "$board" ;;
    esac
    [ "$board" != lm3s6965evb ] || quiet "$board"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
