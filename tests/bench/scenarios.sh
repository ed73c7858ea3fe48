#!/bin/bash
# The scenarios of gRPC's own benchmarks: mote, gRPC C++ and (where their toolchains are) grpc-go and tonic, each as client of
# its own server, the server on one core and the client on the other. Every response's size and every summary is checked.
set -eu
. tests/bench/lib.sh
rm -f "$B"/scenario.*.new
. tests/bench/scenario_peers.sh

# NAME SCENARIO COUNT SIZE
scenarios="unary,unary,20000,0 ping,ping,20000,0 throughput,throughput,100000,0
upload0,upload,300000,0 upload1k,upload,200000,1024 upload1m,upload,2000,1048576
download0,download,300000,0 download1k,download,200000,1024 download1m,download,2000,1048576"

for who in mote $peers; do
    start "$B/scenario_$who" server
    eval "${who}_address=$address ${who}_pid=$pid"
done
for _ in $(seq "$ROUNDS"); do
    for scenario in $scenarios; do
        IFS=, read -r name kind count size <<<"$scenario"
        for who in mote $peers; do # rate, median, 99th percentile, client's CPU, server's CPU
            address_of=${who}_address pid_of=${who}_pid
            before=$(cpu_ns "${!pid_of}")
            result=$(timeout 120 taskset -c 1 "$B/scenario_$who" client "$kind" "${!address_of}" "$count" "$size")
            echo "$result $((($(cpu_ns "${!pid_of}") - before) / count))" >>"$B/scenario.$name.$who.new"
        done
    done
done

of() { awk "{ print \$$3 }" "$B/scenario.$1.$2.new" | median; }
row() { # row WHAT UNIT NAME COLUMN TARGET more|less
    for peer in $peers; do
        named=name_$peer target=$5
        [ "$peer" = cpp ] || target=-
        line "$1" "$2" "$(of "$3" mote "$4")" "$(of "$3" "$peer" "$4")" "${!named}" "$target" "$6"
    done
}
row "unary call, median" us unary 2 - less
row "unary call, 99th percentile" us unary 3 - less
row "streaming round trip, median" us ping 2 - less
row "streaming round trip, 99th percentile" us ping 3 - less
row "unary calls, 64 at a time" calls/s throughput 1 - more
row "unary calls, 64 at a time, client CPU" ns/call throughput 4 10 less
row "unary calls, 64 at a time, server CPU" ns/call throughput 5 10 less
for size in "0 bytes,0,10" "1 KiB,1k,-" "1 MiB,1m,-"; do
    IFS=, read -r text suffix target <<<"$size"
    for way in "client,upload" "server,download"; do
        IFS=, read -r side name <<<"$way"
        row "stream from the $side, $text" messages/s "$name$suffix" 1 - more
        row "stream from the $side, $text, client CPU" ns/message "$name$suffix" 4 "$target" less
        row "stream from the $side, $text, server CPU" ns/message "$name$suffix" 5 "$target" less
    done
done
