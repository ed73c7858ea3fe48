#!/bin/bash
# The sensor over Ethernet and TLS on emulated boards, with lwIP and mbedTLS; the collector is grpcio: tests/lwip.sh
set -u
BUILD=${BUILD:-build}
PYTHON=${PYTHON:-/usr/bin/python3}
W=$PWD/$BUILD/lwip
mkdir -p "$W/py" "$W/tls"
tests/setup.sh firmware || exit 1
[ -s "$W/tls/server.pem" ] || (cd "$W/tls" && . "$OLDPWD/tests/certificates.sh" && all_certificates) >"$W/log" 2>&1
protoc -I examples/fleet --python_out="$W/py" telemetry.proto || exit 1
export PYTHONPATH=$W/py PYTHONDONTWRITEBYTECODE=1
core="$(make -s --no-print-directory print-CORE)"
port=$((29000 + RANDOM % 2000))
passed=0
failed=0
board_pid=
trap '[ -z "$board_pid" ] || kill $board_pid 2>/dev/null; kill ${collector:-} 2>/dev/null' EXIT

check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $board: $name"; fi
}
wait_for() {
    for _ in $(seq 1200); do "$@" 2>/dev/null && return; sleep 0.05; done
    return 1
}
firmware() { # firmware NAME CA: the sensor that trusts this authority
    mkdir -p "$W/$1"
    {
        echo "static const char ca_pem[] ="
        sed 's/.*/"&\\n"/' "$2"
        echo ";"
        echo "#define COLLECTOR_NAME \"localhost\""
        echo "#define COLLECTOR_ADDRESS MOTE_IP(10, 0, 2, 2) /* the machine that runs the emulator */"
        echo "#define COLLECTOR_PORT $port"
    } >"$W/$1/ca.h"
    # shellcheck disable=SC2086
    port/lwip/build.sh "$board" "$W/$1-$board.elf" examples/firmware/sensor_tls.c examples/fleet/sensor_core.c examples/fleet/telemetry.mote.c \
        $core -I"$W/$1" -DMOTE_CLIENT_ONLY -DMOTE_NO_COMPRESSION
}
boot() { # boot NAME
    [ -z "$board_pid" ] || kill "$board_pid"
    qemu-system-arm -M "$board" -display none -monitor none -serial "file:$W/console" -nic user -kernel "$W/$1-$board.elf" >"$W/qemu" 2>&1 &
    board_pid=$!
}
start_collector() { # start_collector CERTIFICATE
    "$PYTHON" tests/firmware/collector_peer.py $port "$W/store" "$W/tls/$1.pem" "$W/tls/$1.key" >"$W/collector" 2>&1 &
    collector=$!
    wait_for grep -q listening "$W/collector"
}
stop_collector() { kill -9 $collector; wait $collector 2>/dev/null; }
has_more_than() { [ "$(wc -l <"$W/store")" -gt "$1" ]; }
complete() { awk '$1 != NR { exit 1 }' "$W/store"; }

for board in ${BOARDS:-mps2-an385 lm3s6965evb}; do
    rm -f "$W/store"
    : >"$W/store"
    firmware sensor "$W/tls/good.pem" || { failed=$((failed + 1)); continue; }
    start_collector server
    boot sensor
    check "samples arrive over TLS" wait_for has_more_than 100
    for again in rsa server; do # killed, and started again
        before=$(wc -l <"$W/store")
        stop_collector
        sleep 0.5
        start_collector $again
        check "samples go on, certificate $again" wait_for has_more_than $((before + 60))
    done
    check "none is missing, none comes twice" complete
    awk -v board="$board" '$2 == "pool_bytes" && $3 > most { most = $3 }
        END { printf "%s: %d samples, mbedTLS took at most %d bytes\n", board, NR, most }' "$W/store"
    # A collector whose certificate is by someone else, has expired, or has another name.
    for wrong in stranger expired client; do
        stop_collector
        start_collector $wrong
        : >"$W/console"
        before=$(wc -l <"$W/store")
        boot sensor
        check "the certificate is refused: $wrong" wait_for grep -q certificate "$W/console"
        check "and nothing was sent" [ "$(wc -l <"$W/store")" = "$before" ]
        head -n 1 "$W/console"
    done
    stop_collector
    # A ClientHello that nobody answers, as where the machine behind a balancer is gone: the board calls again.
    boot sensor
    check "a handshake without an answer ends" timeout 60 "$PYTHON" -c '
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
first, _ = listener.accept()
hello = first.recv(4096)
began = time.time()
listener.accept()
sys.exit(not hello.startswith(b"\x16\x03") or time.time() - began > 30)' $port
    # A server that says nothing behind the handshake: the board says goodbye, and calls again with the session that it has.
    boot sensor
    check "a session is resumed" timeout 60 "$PYTHON" -c '
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2] + ".pem", sys.argv[2] + ".key")
context.set_alpn_protocols(["h2"])
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for resumed in False, True, True:
    with context.wrap_socket(listener.accept()[0], server_side=True, suppress_ragged_eofs=False) as peer:
        assert peer.session_reused == resumed, (peer.session_reused, resumed)
        said = b""
        while more := peer.recv(4096):  # up to close_notify
            said += more
        assert said.startswith(b"PRI * HTTP/2.0"), said
        assert b"\x07\0\0\0\0\0" in said and b"SETTINGS" in said, said  # GOAWAY' $port "$W/tls/server"
    # Something that is no TLS, with the end right behind it: the board hears both, and calls again.
    boot sensor
    check "bytes and the end at once" timeout 30 "$PYTHON" -c '
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for _ in range(4):
    peer, _ = listener.accept()
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    peer.close()' $port
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
