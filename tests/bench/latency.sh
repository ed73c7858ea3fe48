#!/bin/bash
# Unary calls at a fixed rate (RATE=4000 a second, for SECONDS_EACH=5) on 1, 10, 100 and 1,000 connections, each timed from the
# moment it was due: mote, its peers of scenarios.sh, and the same bytes through a bare epoll loop, the server on one core and the
# load, which spins, on the other. Then what a server holds for each of the 1,000 connections after that.
set -eu
. tests/bench/lib.sh
. tests/bench/scenario_peers.sh
RATE=${RATE:-4000}
SECONDS_EACH=${SECONDS_EACH:-5}
L=$BUILD/bench-latency.tsv
rm -f "$B"/latency.*.new

# shellcheck disable=SC2046
$CC -std=c11 -O2 -flto -I. -Itests/interop -o "$B/latency" tests/bench/latency.c tests/interop/interop.mote.c \
    $(make -s --no-print-directory print-CORE) $(make -s --no-print-directory print-POSIX)
all="mote $peers"

name_mote=mote name_bare="a bare epoll loop"
resident() { awk '/^VmRSS/ { print $2 * 1024 }' /proc/"$1"/status; }
start "$B/scenario_mote" server many
bytes=$("$B/latency" client "$address" 1 2000 1 | cut -d ' ' -f 5,6)
# shellcheck disable=SC2086
start "$B/latency" server $bytes
bare_address=$address
for _ in $(seq "$ROUNDS"); do
    for who in $all; do # each with a server of its own, whose memory says what is new
        argument=
        [ "$who" != mote ] || argument=many
        # shellcheck disable=SC2086
        start "$B/scenario_$who" server $argument
        "$B/latency" client "$address" 1 2000 1 >/dev/null
        before=$(resident "$pid")
        for connections in 1 10 100 1000; do
            timeout 120 taskset -c 1 "$B/latency" client "$address" $connections "$RATE" "$SECONDS_EACH" >>"$B/latency.$who.$connections.new"
            [ $connections != 100 ] || before=$(resident "$pid")
        done
        echo $((($(resident "$pid") - before) / 900)) >>"$B/latency.$who.memory.new"
        kill "$pid"
        wait "$pid" || true
    done
    for connections in 1 10 100 1000; do
        # shellcheck disable=SC2086
        timeout 120 taskset -c 1 "$B/latency" bytes "$bare_address" $connections "$RATE" "$SECONDS_EACH" $bytes >>"$B/latency.bare.$connections.new"
    done
done

of() { awk "{ print \$$2 }" "$B/latency.$1.new" | median; }
{
    printf 'connections\twho\tp50, us\tp99, us\tp99.9, us\tcalls/s\n'
    for connections in 1 10 100 1000; do
        for who in $all bare; do
            named=name_$who
            printf '%s\t%s\t%s\t%s\t%s\t%s\n' $connections "${!named}" "$(of "$who".$connections 1)" "$(of "$who".$connections 2)" \
                "$(of "$who".$connections 3)" "$(of "$who".$connections 4)"
        done
    done
    for who in $all; do
        named=name_$who
        printf 'memory of a connection\t%s\t%s bytes\t\t\t\n' "${!named}" "$(of "$who".memory 1)"
    done
} >"$L"
column -t -s "$(printf '\t')" "$L"
