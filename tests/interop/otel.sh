#!/bin/bash
# mote's client with an OpenTelemetry Collector (grpc-go), plain and over TLS: what the Collector says, and what it got.
set -u
BUILD=${BUILD:-build}
CC=${CC:-gcc}
W=$PWD/$BUILD/otel
if ! command -v go >/dev/null; then
    echo "the Collector is not built here: Go is missing"
    exit 0
fi
. tests/lib.sh
. tests/certificates.sh
. tests/interop/collector.sh
mkdir -p "$W"
rm -f "$W"/*.pem "$W/collector.log"
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null' EXIT
port=$((25000 + RANDOM % 1000 * 2))

build_client() {
    protoc --plugin="$BUILD/protoc-gen-mote" -I tests/interop/otel --mote_out="$W" --mote_opt=runtime= trace.proto metrics.proto || return 1
    # shellcheck disable=SC2046
    $CC -std=c11 -O1 -Wall -Wextra -Werror -I. -I"$W" tests/interop/otel/client.c "$W/trace.mote.c" "$W/metrics.mote.c" port/posix/tls.c \
        $(make -s --no-print-directory print-TLS_FILES) "$BUILD/libmote.a" -lmbedtls -lmbedx509 -lmbedcrypto -lpthread -o "$W/client"
}
certificates() { (cd "$W" && ca good && cert server good 30 DNS:localhost); }
count() { # count NUMBER TEXT: so many lines of what it got have it
    local n
    n=$(grep -cF -- "$2" "$W/collector.log")
    [ "$n" = "$1" ] || { echo "$2: $n times, not $1"; return 1; }
}
# Each of four runs: 501 spans in two requests, and two values.
has_all() {
    stop_collector TERM
    count 8 'service.name: Str(mote)' && count 2004 'Name           : a reading' && count 4 '"spans": 500' &&
        count 2004 'Trace ID       : cafecafe0102030405060708090a0b0c' && count 2004 'ID             : cafecafe01020304' &&
        count 8 'Start time     : 2023-11-14 22:13:20 +0000 UTC' && count 8 'End time       : 2023-11-14 22:13:21 +0000 UTC' &&
        count 8 'Name: temperature' && count 8 'Unit: Cel' && count 4 'Value: 21.500000' && count 4 'Value: -3.250000'
}
check "the Collector is built" build_collector
check "the client is built" build_client
check "certificates are made" certificates
check "the Collector starts" start_collector "$W" "$port" "$W/collector.log"
check "traces, metrics and refusals, compressed and not" "$W/client" "127.0.0.1:$port"
check "the same over TLS" "$W/client" "localhost:$((port + 1))" "$W/good.pem"
check "the Collector has got all of it" has_all
summary
