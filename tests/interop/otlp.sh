#!/bin/bash
# A sensor that speaks OTLP (`make otlp-test`): with OpenTelemetry's own messages in Python and grpcio as the receiver, and with the
# OpenTelemetry Collector, plain and over TLS, stopped, killed and started again. What they get is held against the sensor's ledger.
set -u
BUILD=${BUILD:-build}
CC=${CC:-gcc}
W=$PWD/$BUILD/otlp
PYTHON=/usr/bin/python3 # which has Debian's python3-grpcio
. tests/lib.sh
. tests/certificates.sh
. tests/interop/collector.sh
mkdir -p "$W"
rm -f "$W"/*.pem "$W"/*.log "$W"/*.ledger
pid=
sensor=
board=
trap '[ -z "$pid$sensor$board" ] || kill $pid $sensor $board 2>/dev/null' EXIT

# ---- Python

theirs() { # the messages of OpenTelemetry, as Python has them: the last version that goes with Debian's protobuf
    [ ! -d "$W/py/opentelemetry" ] || return 0
    echo 'opentelemetry-proto==1.26.0 --hash=sha256:6c4d7b4d4d9c88543bcf8c28ae3f8f0448a753dc291c18c5390444c90b76a725' >"$W/requirements"
    $PYTHON -m pip install -q --disable-pip-version-check --no-deps --only-binary :all: --require-hashes --target "$W/py" -r "$W/requirements"
}
numbers_built() {
    # shellcheck disable=SC2046
    $CC -std=c11 -O1 -g -Wall -Wextra -Werror -DMOTE_CHECK -I. tests/interop/otel/numbers.c port/posix/tls.c \
        $(make -s --no-print-directory print-TLS_FILES) "$BUILD/libmote.a" -lmbedtls -lmbedx509 -lmbedcrypto -o "$W/numbers" &&
        protoc -I grpc/services --descriptor_set_out="$W/descriptors" otlp.proto
}
certificates() { (cd "$W" && ca good && cert server good 30 DNS:localhost); }
in_python() {
    PYTHONPATH="$W/py" $PYTHON -W ignore tests/interop/otel/otlp.py "$W/numbers" "$W/descriptors" "$BUILD/otlp_sensor" \
        "$W/server.pem" "$W/server.key" "$W/good.pem" 2>"$W/python.err" || { cat "$W/python.err"; false; }
}

# Whoever ends each connection at once does not make it take readings sooner: 41 of them fit in two seconds.
keeps_time() {
    local taken
    rm -f "$W/ends"
    $PYTHON -u -c 'import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1])
while True: s.accept()[0].close()' >"$W/ends" &
    pid=$!
    for _ in $(seq 100); do [ -s "$W/ends" ] && break; sleep 0.05; done
    timeout 2 "$BUILD/otlp_sensor" "--collector=127.0.0.1:$(cat "$W/ends")" --samples=100000 --interval=50 --export=100 >"$W/ends.ledger" 2>&1
    kill $pid
    pid=
    taken=$(sed -nE 's/^samples ([0-9]+),.*/\1/p' "$W/ends.ledger")
    echo "$taken samples"
    [ "$taken" -ge 1 ] && [ "$taken" -le 45 ]
}

# ---- the Collector

port=$((26000 + RANDOM % 1000 * 2))
collects() { # collects NAME: it starts, and writes to NAME.log
    start_collector "$W" "$port" "$W/$1.log"
}
sensed() { # sensed NAME ARGUMENTS...: a sensor ends with all that it sent taken
    local name=$1
    shift
    "$BUILD/otlp_sensor" --name="$name" "$@" >"$W/$name.ledger" 2>"$W/$name.err" || { cat "$W/$name.ledger" "$W/$name.err"; false; }
}
received() { $PYTHON tests/interop/otel/received.py "$W/$1.ledger" "$2" "${@:3}"; }
run_with() { # run_with NAME ARGUMENTS...: one Collector from beginning to end
    collects "$1" && sensed "$@" && stop_collector TERM && received "$1" exactly "$W/$1.log"
}
# The Collector goes for a second and a half, by a signal, while the sensor runs for five.
interrupted() { # interrupted NAME SIGNAL HOW ARGUMENTS...
    local name=$1 status=0
    collects "$name" || return 1
    "$BUILD/otlp_sensor" --name="$name" "--collector=localhost:$port" --samples=250 --interval=20 --export=100 "${@:4}" \
        >"$W/$name.ledger" 2>"$W/$name.err" &
    sensor=$!
    sleep 1.5
    stop_collector "$2"
    sleep 1.5
    collects "$name-again" || return 1
    wait $sensor || status=$?
    sensor=
    stop_collector TERM
    received "$name" "$3" "$W/$name.log" "$W/$name-again.log" && [ $status = "${STATUS:-0}" ] && grep -q 'not taken yet: UNAVAILABLE' "$W/$name.err"
}
compresses() { # which the frames say
    run_with compressed "--collector=localhost:$port" --samples=20 --interval=10 --export=100 --trace &&
        grep -q 'grpc-encoding: gzip' "$W/compressed.err"
}
overflows() { # with a ring of 60 gauges: what there was no room for is dropped, and counted
    STATUS=1 interrupted overflows TERM exactly --ring=4096 && grep -qE '^metrics: .* dropped [1-9]' "$W/overflows.ledger"
}

# ---- a board, whose 40 samples leave over its serial line, while the Collector goes for three seconds

firmware_built() {
    # shellcheck disable=SC2046
    port/cortex-m/build.sh microbit "$W/otlp.elf" examples/firmware/otlp.c $(make -s --no-print-directory print-CORE) port/serial/serial.c \
        -DMOTE_CLIENT_ONLY -DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION -DSAMPLES=40 -DBUILT_S="$(date +%s)"
}
boots() {
    rm -f "$W/line"
    qemu-system-arm -M microbit -display none -monitor none -serial "unix:$W/line,server=on,wait=on" -kernel "$W/otlp.elf" >"$W/qemu.log" 2>&1 &
    board=$!
    for _ in $(seq 200); do [ -S "$W/line" ] && break; sleep 0.05; done
    "$BUILD/mote-serial" --line="unix:$W/line" "--dial=127.0.0.1:$port" >"$W/bridge.log" 2>&1 &
    board="$board $!"
}
all_of_the_board() { # within a minute, for an emulator on a busy machine is slow
    for _ in $(seq 120); do
        $PYTHON tests/interop/otel/board.py 40 "$W/board.log" "$W/board-again.log" && return
        sleep 0.5
    done
    return 1
}
board_interrupted() {
    local status=0
    collects board && boots || return 1
    for _ in $(seq 600); do grep -q 'Name: mote.dropped' "$W/board.log" && break; sleep 0.05; done
    stop_collector TERM
    sleep 3
    collects board-again || return 1
    all_of_the_board || status=1
    # shellcheck disable=SC2086
    kill $board
    board=
    stop_collector TERM
    return $status
}

check "opentelemetry-proto is fetched" theirs
check "the client with each instrument is built" numbers_built
check "certificates are made" certificates
check "each field, each number, each answer: grpcio" in_python
check "it keeps its time though each connection is ended" keeps_time
if command -v go >/dev/null; then
    check "the Collector is built" build_collector
    check "the Collector gets what the ledger says" run_with plain "--collector=localhost:$port" --samples=100 --interval=10 --export=100
    check "delta, and not compressed" run_with delta "--collector=localhost:$port" --samples=100 --interval=10 --export=100 --delta --no-gzip
    check "what it says is compressed" compresses
    check "over TLS" run_with tls "--collector=localhost:$((port + 1))" --tls "--ca=$W/good.pem" --samples=100 --interval=10 --export=100
    check "stopped and started again: nothing is lost" interrupted stopped TERM exactly
    check "killed and started again: nothing is lost" interrupted killed KILL atleast
    check "what has no room meanwhile is counted" overflows
    if command -v qemu-system-arm >/dev/null && command -v arm-none-eabi-gcc >/dev/null; then
        check "firmware for a Cortex-M0 is built" firmware_built
        check "a board streams to the Collector, which goes meanwhile" board_interrupted
    else
        echo "no board: qemu-system-arm or arm-none-eabi-gcc is missing"
    fi
else
    echo "the Collector is not built here: Go is missing"
fi
summary
