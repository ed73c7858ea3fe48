#!/bin/bash
# gRPC: mote beside gRPC C++, the same messages, the same load, in turns. Each server is pinned to one
# core and the load to the other.
set -eu
. tests/bench/lib.sh
rm -f "$B"/*.new

core="$(make -s --no-print-directory print-CORE) $(make -s --no-print-directory print-POSIX)"
# shellcheck disable=SC2086
$CC -std=c11 -O2 -flto -o "$B/mote_server" tests/bench/mote_server.c $core
# shellcheck disable=SC2086
$CC -std=c11 -O2 -flto -o "$B/client" tests/bench/client.c $core
if [ ! -x "$B/grpc_server" ] || [ tests/bench/grpc_server.cc -nt "$B/grpc_server" ]; then
    protoc -I tests/bench --cpp_out="$B" --grpc_out="$B" \
        --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" bench.proto
    # shellcheck disable=SC2046
    g++ -std=c++17 -O2 -I"$B" tests/bench/grpc_server.cc "$B"/bench.pb.cc "$B"/bench.grpc.pb.cc \
        $(pkg-config --libs grpc++ protobuf) -o "$B/grpc_server"
fi
version=$(pkg-config --modversion grpc++)

# A request as it lies on the wire: prefix and message.
/usr/bin/python3 - "$B/request" <<'PY'
import struct, sys
m = b"\x08" + bytes([0x80, 0xd0, 0x95, 0xff, 0xbc, 0x31]) + b"\x11" + struct.pack("<d", 20.5) \
    + b"\x1d" + struct.pack("<f", 0.25) + b"\x20\x7b" + b"\x2a\x0ctemperature0"
open(sys.argv[1], "wb").write(b"\0" + struct.pack(">I", len(m)) + m)
PY

unary() { # unary PID ADDRESS: "calls/s cpu-ns-per-call"
    local n=200000 before after rate out
    before=$(cpu_ns "$1")
    out=$(timeout 60 taskset -c 1 h2load -n $n -c 8 -m 32 -d "$B/request" -H 'te: trailers' \
        -H 'content-type: application/grpc' "http://$2/mote.bench.Bench/Unary")
    after=$(cpu_ns "$1")
    echo "$out" | grep -q "$n succeeded, 0 failed" || { echo "$out" >&2; exit 1; }
    rate=$(echo "$out" | sed -nE 's/^finished in .*, ([0-9.]+) req\/s.*/\1/p')
    echo "$rate $(((after - before) / n))"
}

stream() { # stream KIND COUNT PID ADDRESS: "messages/s cpu-ns-per-message"
    local before after rate
    before=$(cpu_ns "$3")
    rate=$(timeout 60 taskset -c 1 "$B/client" "$1" "$4" "$2")
    after=$(cpu_ns "$3")
    echo "$rate $(((after - before) / $2))"
}

start "$B/mote_server"
mote_address=$address mote_pid=$pid
start "$B/mote_server" --spin=50 # for round trips: mote's option of latency over idle time
spin_address=$address spin_pid=$pid
start "$B/grpc_server"
grpc_address=$address grpc_pid=$pid

# The answers must be the same before speed means anything.
answer() {
    curl -sS --http2-prior-knowledge -H 'te: trailers' -H 'content-type: application/grpc' \
        --data-binary "@$B/request" "http://$1/mote.bench.Bench/Unary"
}
if command -v curl >/dev/null; then
    answer "$mote_address" >"$B/mote.answer"
    answer "$grpc_address" >"$B/grpc.answer"
    cmp "$B/mote.answer" "$B/grpc.answer"
fi

for _ in $(seq "$ROUNDS"); do # the servers take turns, so that a slow moment hits both
    for who in mote grpc; do
        address_of=${who}_address pid_of=${who}_pid
        unary "${!pid_of}" "${!address_of}" >>"$B/unary.$who.new"
        stream upload 1000000 "${!pid_of}" "${!address_of}" >>"$B/upload.$who.new"
        stream subscribe 1000000 "${!pid_of}" "${!address_of}" >>"$B/subscribe.$who.new"
        stream chat 30000 "${!pid_of}" "${!address_of}" >>"$B/chat.$who.new"
        [ $who = grpc ] || stream chat 30000 "$spin_pid" "$spin_address" >>"$B/spin.$who.new"
    done
done
cp "$B/chat.grpc.new" "$B/spin.grpc.new"
for f in "$B"/*.new; do mv "$f" "${f%.new}"; done

row() { # row WHAT UNIT FILE COLUMN TARGET: more is better in column 1, less in column 2
    local m g better=less
    m=$(awk "{ print \$$4 }" "$B/$3.mote" | median)
    g=$(awk "{ print \$$4 }" "$B/$3.grpc" | median)
    [ "$4" = 2 ] || better="more"
    line "$1" "$2" "$m" "$g" "gRPC C++ $version" "$5" $better
}
row "unary calls" "calls/s" unary 1 -
row "unary calls, server CPU" "ns/call" unary 2 10
row "client stream" "messages/s" upload 1 -
row "client stream, server CPU" "ns/message" upload 2 10
row "server stream" "messages/s" subscribe 1 -
row "server stream, server CPU" "ns/message" subscribe 2 10
row "bidirectional round trips" "round trips/s" chat 1 -
row "bidirectional round trips, spinning" "round trips/s" spin 1 3
row "bidirectional round trips, server CPU" "ns/round trip" chat 2 -
