#!/bin/bash
# TLS with certificates made on the spot: calls of all kinds, other peers, and what must be refused.
set -u
BUILD=${BUILD:-build}
PYTHON=${PYTHON:-/usr/bin/python3}
W=$PWD/$BUILD/test/tls
. tests/lib.sh
mkdir -p "$W/py"
pids=
trap 'kill $pids 2>/dev/null' EXIT
cd "$W" || exit 1

. "$OLDPWD/tests/certificates.sh"
{ ca good && ca other && cert server good 20 DNS:localhost && cert rsa good 20 DNS:localhost rsa:2048 &&
    cert client good 20 DNS:client && cert stranger other 20 DNS:localhost && cert expired good -1 DNS:localhost; } >"$W/openssl.log" 2>&1 || { tail "$W/openssl.log"; exit 1; }
cd - >/dev/null || exit 1

serve() { # serve VARIABLE CERT [OPTIONS...]
    local variable=$1 cert=$2 number=$((25000 + RANDOM % 5000))
    shift 2
    "$BUILD/interop_server" --port=$number --use_tls=true --cert="$W/$cert.pem" --key="$W/$cert.key" "$@" >"$W/server.$number" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 100); do grep -q listening "$W/server.$number" && break; sleep 0.05; done
    printf -v "$variable" %s $number
}
call() { # call PORT CASE [OPTIONS...]
    local number=$1 case_name=$2
    shift 2
    timeout 40 "$BUILD/interop_client" --server_host=localhost --server_port="$number" --use_tls=true --ca_file="$W/good.pem" \
        --test_case="$case_name" "$@" >"$W/out" 2>&1 || { cat "$W/out"; false; }
}
refused() { # refused TEXT COMMAND...: fails, and says so
    local text=$1
    shift
    ! "$@" >"$W/refused" && grep -q "$text" "$W/refused" || { cat "$W/refused"; false; }
}

serve port server
for kind in empty_unary large_unary client_streaming server_streaming ping_pong custom_metadata status_code_and_message \
    cancel_after_begin cancel_after_first_response timeout_on_sleeping_server client_compressed_unary rpc_soak \
    channel_soak concurrent_large_unary; do
    check "TLS: $kind" call "$port" $kind
done
serve rsa rsa
check "a key of RSA" call "$rsa" large_unary

# ---- refused by the client

check "another host name" refused "for another host name" call "$port" empty_unary --server_host_override=example.com
serve stranger stranger
check "a certificate by somebody else" refused "nobody who is trusted" call "$stranger" empty_unary
serve expired expired
check "an expired certificate" refused "expired" call "$expired" empty_unary
no_ca() { ! timeout 5 "$BUILD/interop_client" --server_host=localhost --server_port="$port" --use_tls=true --test_case=empty_unary \
    2>"$W/err" && grep -q "a client needs CA certificates" "$W/err"; }
check "a client without CA certificates" no_ca

# ---- clients must show a certificate

serve mutual server --ca="$W/good.pem"
check "mutual TLS" call "$mutual" large_unary --cert="$W/client.pem" --key="$W/client.key"
check "mutual TLS without a certificate" refused UNAVAILABLE call "$mutual" empty_unary
check "mutual TLS with a strange one" refused UNAVAILABLE call "$mutual" empty_unary --cert="$W/stranger.pem" --key="$W/stranger.key"

# ---- refused by the server

s_client() { echo | timeout 5 openssl s_client -connect "localhost:$port" "$@" >"$W/s_client" 2>&1; }
no_h2() { s_client -alpn http/1.1; grep -q "no application protocol" "$W/s_client"; }
check "a client that does not offer h2" no_h2
old() { s_client -alpn h2 -tls1_1; grep -qE "alert (protocol version|handshake failure)|no protocols available|unsupported protocol" "$W/s_client"; }
check "TLS 1.1" old
weak() { s_client -alpn h2 -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256; grep -q "handshake failure" "$W/s_client"; }
check "a suite that RFC 9113 forbids" weak
good() { s_client -alpn h2 -CAfile "$W/good.pem" && grep -q "ALPN protocol: h2" "$W/s_client" && grep -q "Verify return code: 0" "$W/s_client"; }
check "openssl s_client with h2" good
web() { [ "$(curl -s --cacert "$W/good.pem" -o /dev/null -w '%{http_version} %{http_code}' "https://localhost:$port/")" = "2 405" ]; }
check "curl" web
garbage() { head -c 3000 /dev/urandom | timeout 5 bash -c "cat > /dev/tcp/127.0.0.1/$port"; call "$port" empty_unary; }
check "garbage in place of a hello" garbage
half() { printf '\x16\x03\x01\x02\x00\x01\x00' | timeout 2 bash -c "cat > /dev/tcp/127.0.0.1/$port"; call "$port" empty_unary; }
check "a hello that is cut" half

# ---- grpcio both ways

protoc -I tests/interop --python_out="$W/py" interop.proto || exit 1
for kind in empty_unary large_unary client_streaming server_streaming ping_pong custom_metadata special_status_message \
    cancel_after_first_response timeout_on_sleeping_server concurrent_large_unary; do
    check "grpcio client: $kind" env PYTHONPATH="$W/py" timeout 40 "$PYTHON" tests/interop/peer.py client --ca="$W/good.pem" \
        --server_host=localhost --server_port="$port" --test_case=$kind
done
number=$((25000 + RANDOM % 5000))
PYTHONPATH="$W/py" "$PYTHON" tests/interop/peer.py server --port=$number --cert="$W/server.pem" --key="$W/server.key" >"$W/python" 2>&1 &
pids="$pids $!"
for _ in $(seq 100); do grep -q listening "$W/python" && break; sleep 0.1; done
for kind in empty_unary large_unary client_streaming server_streaming ping_pong custom_metadata cancel_after_first_response \
    channel_soak; do
    check "grpcio server: $kind" call $number $kind
done
summary
