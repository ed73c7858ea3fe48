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
all_certificates >"$W/openssl.log" 2>&1 || { tail "$W/openssl.log"; exit 1; }
cd - >/dev/null || exit 1

last_port=$((25000 + RANDOM % 4000))
free_port() { # free_port VARIABLE: where nobody listens, another one each time
    last_port=$((last_port + 1))
    while (exec 3<>"/dev/tcp/127.0.0.1/$last_port") 2>/dev/null; do last_port=$((last_port + 1)); done
    printf -v "$1" %s $last_port
}
serve() { # serve VARIABLE CERT [OPTIONS...]
    local variable=$1 cert=$2 number
    free_port number
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
check "a certificate by somebody else" refused "not signed by a trusted CA" call "$stranger" empty_unary
serve expired expired
check "an expired certificate" refused "expired" call "$expired" empty_unary
no_ca() { ! timeout 5 "$BUILD/interop_client" --server_host=localhost --server_port="$port" --use_tls=true --test_case=empty_unary \
    2>"$W/err" && grep -q "a client needs CA certificates" "$W/err"; }
check "a client without CA certificates" no_ca

serve self self
check "a certificate that signs itself" refused "not signed by a trusted CA" call "$self" empty_unary
openssl_server() { # openssl_server VARIABLE OPTIONS...
    local number
    free_port number
    openssl s_server -accept $number -cert "$W/server.pem" -key "$W/server.key" -quiet "${@:2}" >"$W/openssl_server" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$number") 2>/dev/null && break; sleep 0.05; done
    printf -v "$1" %s $number
}
openssl_server mute
check "a server that chooses no protocol" refused "chosen nothing in place of the protocol h2" call "$mute" empty_unary
openssl_server web -alpn http/1.1
check "a server that speaks http/1.1" refused "TLS: " call "$web" empty_unary
openssl_server weak_server -alpn h2 -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256
check "a server with weak suites" refused "alert" call "$weak_server" empty_unary
openssl_server old_server -alpn h2 -tls1_1
check "a server with TLS 1.1" refused "TLS: " call "$old_server" empty_unary

# ---- clients must show a certificate

serve mutual server --ca="$W/good.pem"
check "mutual TLS" call "$mutual" large_unary --cert="$W/client.pem" --key="$W/client.key"
check "mutual TLS without a certificate" refused UNAVAILABLE call "$mutual" empty_unary
check "mutual TLS with a strange one" refused UNAVAILABLE call "$mutual" empty_unary --cert="$W/stranger.pem" --key="$W/stranger.key"

# ---- refused by the server

s_client() { echo | timeout 5 openssl s_client -connect "localhost:$port" "$@" >"$W/s_client" 2>&1; }
no_h2() { s_client -alpn http/1.1; grep -q "no application protocol" "$W/s_client"; }
check "a client that does not offer h2" no_h2
no_alpn() { # with TLS 1.3 the alert comes after the handshake
    (sleep 0.5) | timeout 5 openssl s_client -connect "localhost:$port" >"$W/s_client" 2>&1
    grep -q "no application protocol" "$W/s_client"
}
check "a client that offers no protocol" no_alpn
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

# ---- sessions, many at once, HTTP/2 tools

resumed() { # resumed NAME OPTIONS...: the second handshake is short
    (sleep 0.3) | timeout 5 openssl s_client -connect "localhost:$port" -alpn h2 -CAfile "$W/good.pem" -sess_out "$W/session" \
        "${@:2}" >"$W/first" 2>&1
    (sleep 0.3) | timeout 5 openssl s_client -connect "localhost:$port" -alpn h2 -CAfile "$W/good.pem" -sess_in "$W/session" \
        "${@:2}" >"$W/second" 2>&1
    grep -aq "^New, TLS" "$W/first" && grep -aq "^Reused, TLS" "$W/second" || { grep -a "TLSv1" "$W/first" "$W/second"; false; }
}
check "a session by ticket, TLS 1.2" resumed ticket -tls1_2
check "a session by id, TLS 1.2" resumed id -tls1_2 -no_ticket
if s_client -alpn h2 -tls1_3 && grep -aq "ALPN protocol: h2" "$W/s_client"; then
    check "a session by ticket, TLS 1.3" resumed ticket -tls1_3
fi
check "200 handshakes at once, and one that stalls" timeout 90 "$PYTHON" tests/peers/tls_many.py "$port" "$W/good.pem"

on_workers() { # each has a context of its own
    "$BUILD/unary_server" --address=127.0.0.1:0 --workers=3 --tls --cert="$W/server.pem" --key="$W/server.key" >"$W/workers" 2>&1 &
    local server=$!
    for _ in $(seq 100); do grep -q listening "$W/workers" && break; sleep 0.05; done
    timeout 90 "$PYTHON" tests/peers/tls_many.py "$(sed -n 's/^listening on .*://p' "$W/workers")" "$W/good.pem" &&
        kill $server && wait $server
}
[ ! -x "$BUILD/unary_server" ] || check "200 handshakes at once with three workers" on_workers

"$BUILD/h2_server" --port=0 --tls --cert="$W/server.pem" --key="$W/server.key" >"$W/h2_server" 2>&1 &
pids="$pids $!"
for _ in $(seq 100); do grep -q listening "$W/h2_server" && break; sleep 0.05; done
h2=$(sed -n 's/^listening on .*:/localhost:/p' "$W/h2_server")
check "nghttp" sh -c "nghttp -v https://$h2/ 2>&1 | grep -q ':status: 200'"
check "curl with h2_server" sh -c "curl -sS --cacert $W/good.pem -w '%{http_version} %{http_code}' -o $W/page https://$h2/ | grep -q '2 200' && test -s $W/page"
check "curl sends 1 MiB" sh -c "head -c 1048576 /dev/urandom >$W/blob && curl -sS --cacert $W/good.pem --data-binary @$W/blob -o $W/echo https://$h2/echo && cmp $W/blob $W/echo"
check "h2load" sh -c "h2load -n 2000 -c 10 -m 10 https://$h2/ | grep -q '2000 succeeded, 0 failed'"
[ ! -x "$BUILD/h2_client" ] || check "h2_client" sh -c "$BUILD/h2_client --ca=$W/good.pem https://$h2/ | cmp - $W/page"

# ---- every kind of certificate and version, with OpenSSL as the server: the handshake is done, HTTP/2 is not answered

shakes_hands() { # shakes_hands CERTIFICATE HOST OPTIONS...
    local number status
    free_port number
    openssl s_server -accept $number -cert "$W/$1.pem" -key "$W/$1.key" -alpn h2 -quiet "${@:3}" >"$W/openssl_server" 2>&1 </dev/null &
    local pid=$!
    for _ in $(seq 50); do bash -c ": </dev/tcp/127.0.0.1/$number" 2>/dev/null && break; sleep 0.05; done
    timeout 10 "$BUILD/h2_client" --timeout 0.5 --ca="$W/good.pem" "https://$2:$number/" >"$W/shaken" 2>&1
    grep -qE "timed out|TLS: the peer has closed the connection" "$W/shaken"
    status=$?
    kill $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ $status = 0 ] || { cat "$W/shaken" "$W/openssl_server"; false; }
}
if [ -x "$BUILD/h2_client" ]; then
    for version in -tls1_2 -tls1_3; do
        [ $version = -tls1_2 ] || s_client -alpn h2 -tls1_3 || continue
        check "OpenSSL with an elliptic key, $version" shakes_hands server localhost $version
        check "OpenSSL with an RSA key, $version" shakes_hands rsa localhost $version
    done
    check "OpenSSL that likes PSS" shakes_hands rsa localhost -tls1_2 -sigalgs RSA-PSS+SHA256:RSA+SHA256 -client_sigalgs RSA+SHA256
    check "a certificate for an address" shakes_hands address 127.0.0.1
    check "a certificate for an address of IPv6" shakes_hands address "[::1]"
    wild() { ! shakes_hands wild 127.0.0.1 >/dev/null && grep -q "is for another host name than 127.0.0.1" "$W/shaken"; }
    check "a name that looks like an address is none" wild
    faulty() { ! shakes_hands "$1" localhost "${@:3}" >/dev/null && grep -q "$2" "$W/shaken" || { cat "$W/shaken"; false; }; }
    check "a certificate for clients" faulty of_clients "the peer's certificate is not for this use"
    check "a certificate for clients, TLS 1.2" faulty of_clients "the peer's certificate is not for this use" -tls1_2
    check "a certificate of an authority" faulty of_a_ca "the peer's certificate is not for this use"
fi

# ---- the examples

example() { # example NAME SERVER-OPTION CLIENT-OPTIONS...
    local name=$1 at
    shift
    "$BUILD/${name}_server" --address=127.0.0.1:0 --tls --cert="$W/server.pem" --key="$W/server.key" --ca="$W/good.pem" --trace >"$W/example" 2>"$W/trace.server" &
    local pid=$!
    for _ in $(seq 100); do grep -q listening "$W/example" && break; sleep 0.05; done
    at=$(sed -n 's/^listening on .*:/localhost:/p' "$W/example")
    timeout 20 "$BUILD/${name}_client" --address="$at" --tls --ca="$W/good.pem" --cert="$W/client.pem" --key="$W/client.key" "$@" \
        --trace </dev/null >"$W/out" 2>"$W/trace.client"
    local status=$?
    kill $pid
    [ $status = 0 ] || { cat "$W/out" "$W/trace.client"; false; }
}
if [ -x "$BUILD/unary_server" ]; then
    for name in unary server_stream client_stream bidi; do
        check "example over mutual TLS: $name" example $name
    done
    check "--trace shows the frames inside" sh -c "grep -q 'recv HEADERS' $W/trace.client && grep -q 'send HEADERS' $W/trace.server || { head $W/trace.*; false; }"
    check "a demo over mutual TLS" sh -c "BUILD=$BUILD TLS=1 DURATION=3 examples/fleet/demo.sh >$W/demo 2>&1 || { tail -n 5 $W/demo; false; }"
fi

# ---- grpcio both ways

protoc -I tests/interop --python_out="$W/py" interop.proto || exit 1
# Of some hundred runs on a busy machine, grpcio's process has hung in one after the server's answer was complete. Where
# it did is kept in grpcio.hung, and it is run once more; a second time fails.
grpcio_client() { # grpcio_client CASE
    local status
    for _ in 1 2; do
        PYTHONPATH="$W/py" timeout -s ABRT 30 "$PYTHON" -X faulthandler tests/interop/peer.py client --ca="$W/good.pem" \
            --server_host=localhost --server_port="$port" --test_case="$1" >"$W/grpcio" 2>&1
        status=$?
        [ $status = 124 ] || break
        cp "$W/grpcio" "$W/grpcio.hung"
    done
    [ $status = 0 ] || { cat "$W/grpcio"; false; }
}
for kind in empty_unary large_unary client_streaming server_streaming ping_pong custom_metadata special_status_message \
    cancel_after_first_response timeout_on_sleeping_server concurrent_large_unary; do
    check "grpcio client: $kind" grpcio_client $kind
done
free_port number
PYTHONPATH="$W/py" "$PYTHON" tests/interop/peer.py server --port=$number --cert="$W/server.pem" --key="$W/server.key" >"$W/python" 2>&1 &
pids="$pids $!"
for _ in $(seq 100); do grep -q listening "$W/python" && break; sleep 0.1; done
for kind in empty_unary large_unary client_streaming server_streaming ping_pong custom_metadata cancel_after_first_response \
    channel_soak; do
    check "grpcio server: $kind" call $number $kind
done
summary
