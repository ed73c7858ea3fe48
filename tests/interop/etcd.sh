#!/bin/bash
# mote's client with etcd (grpc-go): KV, Watch and Lease, and a restart of etcd in the middle.
set -u
BUILD=${BUILD:-build}
CC=${CC:-gcc}
W=$PWD/$BUILD/etcd
if ! tests/setup.sh etcd; then
    echo "etcd cannot be had here"
    exit 0
fi
. tests/lib.sh
rm -rf "$W/data"
mkdir -p "$W"
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null' EXIT
port=$((24000 + RANDOM % 1000))

started() { for _ in $(seq 200); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return; sleep 0.05; done; return 1; }
start_etcd() {
    etcd --data-dir "$W/data" --listen-client-urls "http://127.0.0.1:$port" --advertise-client-urls "http://127.0.0.1:$port" \
        --listen-peer-urls "http://127.0.0.1:$((port + 1000))" --logger zap --log-outputs "$W/etcd.log" --unsafe-no-fsync >/dev/null 2>&1 &
    pid=$!
    started
}
build_client() {
    protoc --plugin="$BUILD/protoc-gen-mote" -I tests/interop --mote_out="$W" --mote_opt=runtime= etcd.proto &&
        $CC -std=c11 -O1 -Wall -Wextra -Werror -I. -I"$W" -Itests/interop tests/interop/etcd_client.c "$W/etcd.mote.c" "$BUILD/libmote.a" -lpthread \
            -o "$W/etcd_client"
}
# Etcd is stopped as systemd stops it, and is away for a moment.
outlives() {
    "$W/etcd_client" "127.0.0.1:$port" outlives &
    local client=$!
    sleep 0.4
    kill "$pid" && wait "$pid"
    sleep 0.2
    start_etcd && wait $client
}
check "the client is built" build_client
check "etcd starts" start_etcd
check "values, refusals, a watch and a lease" "$W/etcd_client" "127.0.0.1:$port"
check "calls outlive a restart of etcd" outlives
summary
