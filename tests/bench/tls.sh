#!/bin/bash
# TLS: the record layer beside mbedTLS by itself, messages beside gRPC C++ with TLS, handshakes.
set -eu
. tests/bench/lib.sh
rm -f "$B"/tls.*.new
W=$PWD/$B/tls
mkdir -p "$W"
(cd "$W" && . "$OLDPWD/tests/certificates.sh" && ca ca && cert server ca 20 DNS:localhost) >"$B/out" 2>&1
core="$(make -s --no-print-directory print-CORE) $(make -s --no-print-directory print-POSIX) port/posix/tls.c $(make -s --no-print-directory print-TLS_FILES)"
libraries="-lmbedtls -lmbedx509 -lmbedcrypto"
# shellcheck disable=SC2086
$CC -std=c11 -O2 -flto -I. -Itests/interop -o "$B/scenario_mote_tls" tests/bench/scenario.c tests/interop/interop.mote.c \
    $core $libraries 2>"$B/out" || { cat "$B/out"; exit 1; }
# shellcheck disable=SC2086
$CC -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -o "$B/tls_raw" tests/bench/tls.c $core $libraries
grpc="gRPC C++ $(pkg-config --modversion grpc++)"
mbedtls="mbedTLS $(sed -nE 's/^#define MBEDTLS_VERSION_STRING +"(.*)"/\1/p' /usr/include/mbedtls/version.h)"

start "$B/scenario_mote_tls" server "$W/server.pem" "$W/server.key"
mote_address=$address mote_pid=$pid
start "$B/scenario_cpp" server "$W/server.pem" "$W/server.key"
cpp_address=$address cpp_pid=$pid
start "$B/tls_raw" raw-server "$W/server.pem" "$W/server.key"
raw_address=$address
start "$BUILD/h2_server" --port=0 --tls --cert="$W/server.pem" --key="$W/server.key"
shakes_mote="$address $pid"
shakes_cpp="$cpp_address $cpp_pid"
client() { # client WHO SCENARIO COUNT SIZE: rate, median, 99th percentile, client's CPU, server's CPU
    local program=$B/scenario_$1 address_of=${1}_address pid_of=${1}_pid before result
    [ "$1" = cpp ] || program=$B/scenario_mote_tls
    before=$(cpu_ns "${!pid_of}")
    result=$(timeout 120 taskset -c 1 "$program" client "$2" "${!address_of}" "$3" "$4" "$W/ca.pem")
    echo "$result $((($(cpu_ns "${!pid_of}") - before) / $3))"
}
handshakes_at() { # handshakes_at ADDRESS PID: the server's CPU for each, of 300 connections
    local before
    before=$(cpu_ns "$2")
    timeout 60 taskset -c 1 h2load -n 300 -c 300 -H 'te: trailers' -H 'content-type: application/grpc' \
        "https://localhost:${1##*:}/grpc.testing.BenchmarkService/None" | grep -q "300 done"
    echo $((($(cpu_ns "$2") - before) / 300000))
}

for _ in $(seq "$ROUNDS"); do
    timeout 60 taskset -c 1 "$B/tls_raw" raw-client "$raw_address" "$W/ca.pem" 1500 >>"$B/tls.raw.new"
    client mote upload 1500 1048576 >>"$B/tls.upload.mote.new"
    client cpp upload 1500 1048576 >>"$B/tls.upload.cpp.new"
    for who in mote cpp; do
        client $who download 1500 1048576 >>"$B/tls.download.$who.new"
        client $who throughput 50000 0 >>"$B/tls.throughput.$who.new"
        client $who upload 200000 0 >>"$B/tls.small.$who.new" 2>/dev/null
        shakes=shakes_$who
        # shellcheck disable=SC2086
        handshakes_at ${!shakes} >>"$B/tls.handshake.$who.new"
    done
    taskset -c 1 "$B/tls_raw" handshakes "$W/ca.pem" "$W/server.pem" "$W/server.key" 300 >>"$B/tls.both.new"
done
of() { awk "{ print \$$3 }" "$B/tls.$1.$2.new" | median; }
row() { # row WHAT UNIT NAME COLUMN TARGET more|less
    line "$1" "$2" "$(of "$3" mote "$4")" "$(of "$3" cpp "$4")" "$grpc" "$5" "$6"
}
line "TLS, 1 MiB messages from the client" MiB/s "$(of upload mote 1)" "$(median <"$B/tls.raw.new")" "$mbedtls, raw loop" 0.85 more
row "TLS, 1 MiB messages from the client" messages/s upload 1 - more
row "TLS, 1 MiB messages from the server" messages/s download 1 - more
row "TLS, unary calls, 64 at a time" calls/s throughput 1 - more
row "TLS, unary calls, 64 at a time, server CPU" ns/call throughput 5 - less
row "TLS, stream from the client, 0 bytes" messages/s small 1 - more
row "TLS, a handshake, server CPU" us handshake 1 - less
line "TLS, handshakes in memory, resumed beside full" handshakes/s "$(awk '{ print $2 }' "$B/tls.both.new" | median)" \
    "$(awk '{ print $1 }' "$B/tls.both.new" | median)" "mote, full" - more
