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
trap '[ -z "$pid$sensor" ] || kill $pid $sensor 2>/dev/null' EXIT

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

check "opentelemetry-proto is fetched" theirs
check "the client with each instrument is built" numbers_built
check "certificates are made" certificates
check "each field, each number, each answer: grpcio" in_python
if command -v go >/dev/null; then
    check "the Collector is built" build_collector
    check "the Collector gets what the ledger says" run_with plain "--collector=localhost:$port" --samples=100 --interval=10 --export=100
    check "delta, and not compressed" run_with delta "--collector=localhost:$port" --samples=100 --interval=10 --export=100 --delta --no-gzip
    check "what it says is compressed" compresses
    check "over TLS" run_with tls "--collector=localhost:$((port + 1))" --tls "--ca=$W/good.pem" --samples=100 --interval=10 --export=100
    check "stopped and started again: nothing is lost" interrupted stopped TERM exactly
    check "killed and started again: nothing is lost" interrupted killed KILL atleast
    check "what has no room meanwhile is counted" overflows
else
    echo "the Collector is not built here: Go is missing"
fi
summary
