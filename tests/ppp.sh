#!/bin/bash
# The sensor on an emulated board through a modem that speaks PPP: lwIP at both ends of a pseudo-terminal, and behind the
# modem grpcio: tests/ppp.sh
set -u
BUILD=${BUILD:-build}
PYTHON=${PYTHON:-/usr/bin/python3}
W=$PWD/$BUILD/ppp
mkdir -p "$W/py" "$W/lwip"
tests/setup.sh firmware || exit 1
protoc -I examples/fleet --python_out="$W/py" telemetry.proto || exit 1
export PYTHONPATH=$W/py PYTHONDONTWRITEBYTECODE=1
board=mps2-an385
port=$((29000 + RANDOM % 2000))
passed=0
failed=0
pids=
collector=
trap 'kill $pids $collector 2>/dev/null' EXIT

lwip=$(tests/debian_source.sh lwip/bookworm)/src
flags="-std=gnu11 -O1 -g -Itests/firmware/ppp -Iport/lwip -I$lwip/include"
for f in "$lwip"/core/*.c "$lwip"/core/ipv4/*.c "$lwip"/netif/ppp/*.c "$lwip/netif/ppp/polarssl/md5.c"; do
    [ "$W/lwip/$(basename "$f" .c).o" -nt tests/firmware/ppp/lwipopts.h ] || echo "$flags -w -c $f -o $W/lwip/$(basename "$f" .c).o"
done | xargs -r -P 2 -L 1 "${CC:-cc}"
# shellcheck disable=SC2086
"${CC:-cc}" $flags -Wall -Wextra -Werror tests/firmware/ppp/modem.c port/lwip/net.c "$W"/lwip/*.o -o "$W/modem" || exit 1
# shellcheck disable=SC2046
LINK=ppp port/lwip/build.sh $board "$W/sensor_ppp-$board.elf" examples/firmware/sensor_ppp.c examples/fleet/sensor_core.c \
    examples/fleet/telemetry.mote.c $(make -s --no-print-directory print-CORE) -DMOTE_CLIENT_ONLY -DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION \
    "-DCOLLECTOR_ADDRESS=MOTE_IP(10, 64, 64, 1)" -DCOLLECTOR_PORT=$port || exit 1

check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; cat "$W/modem.out"; fi
}
wait_for() {
    for _ in $(seq 1200); do "$@" 2>/dev/null && return; sleep 0.05; done
    return 1
}
start_collector() {
    "$PYTHON" tests/firmware/collector_peer.py $port "$W/store" >"$W/collector" 2>&1 &
    collector=$!
    wait_for grep -q listening "$W/collector"
}
begin() { # begin LOST: a modem that loses so many bytes, and a board on its line
    # shellcheck disable=SC2086
    [ -z "$pids" ] || { kill $pids; wait $pids; } 2>/dev/null
    : >"$W/store"
    "$W/modem" $port "$1" >"$W/modem.out" &
    modem=$!
    wait_for grep -q '^line ' "$W/modem.out"
    qemu-system-arm -M $board -display none -monitor none -serial chardev:line \
        -chardev "serial,id=line,path=$(sed -n 's/^line //p' "$W/modem.out")" -kernel "$W/sensor_ppp-$board.elf" >"$W/qemu" 2>&1 &
    pids="$modem $!"
}
has_more_than() { [ "$(wc -l <"$W/store")" -gt "$1" ]; }
more_samples() { wait_for has_more_than $(($(wc -l <"$W/store") + 40)); }
called_again() { [ "$(grep -c '^call' "$W/modem.out")" -gt "$1" ]; }
complete() { awk '$1 != NR { exit 1 }' "$W/store"; }

start_collector
begin 0
check "samples arrive, after a call that was BUSY" more_samples
calls=$(grep -c '^call' "$W/modem.out")
kill -USR1 "$modem"
check "the network ends the link: the board calls again" wait_for called_again "$calls"
check "samples go on on the next link" more_samples
calls=$(grep -c '^call' "$W/modem.out")
kill -USR2 "$modem"
check "a link that is dead is noticed, and the board calls again" wait_for called_again "$calls"
check "samples go on behind a dead link" more_samples
calls=$(grep -c '^call' "$W/modem.out")
kill -9 $collector
wait $collector 2>/dev/null
start_collector
check "samples go on to a collector that was killed" more_samples
check "and the link was the same" [ "$(grep -c '^call' "$W/modem.out")" = "$calls" ]
check "none is missing, none comes twice" complete
begin 2500
check "samples arrive through a line that loses bytes" wait_for has_more_than 80
check "none is missing, none comes twice" complete
echo "$passed passed, $failed failed"
[ $failed = 0 ]
