#!/bin/bash
# The plain HTTP/2 programs, h2_client and h2_server, with those of others: bodies of every kind of size, both ways, each
# byte compared. Peers are fetched by their own package managers into build/interop/http.
#   tests/interop/http.sh [PEER...]     nghttp2 node go java rust python caddy nghttpx haproxy
#   SIZES="0 1 1073741824"              other sizes than those of a normal run; `make everything` goes to 1 GiB
set -u
BUILD=${BUILD:-build}
W=$PWD/$BUILD/interop/http
SIZES=${SIZES:-0 1 16384 16385 65535 65536 1000000 20000000}
tests/setup.sh http || exit 1
. tests/lib.sh
mkdir -p "$W/tls" "$W/root"
pids=
trap 'kill $pids 2>/dev/null' EXIT

start() { # start VARIABLE COMMAND...: the port that it was told to listen on, as the words PORT, goes to VARIABLE
    local variable=$1 number=$((20000 + RANDOM % 12000))
    shift
    "${@//PORT/$number}" >"$W/$variable.log" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$number") 2>/dev/null && break
        sleep 0.1
    done
    printf -v "$variable" '%s' "$number"
}

# ---- our side

for size in $SIZES; do head -c "$size" /dev/urandom >"$W/content.$size"; done
uploads() { # uploads URL SIZE: what is sent comes back
    timeout 300 "$BUILD/h2_client" -v --timeout=60 -d "$W/content.$2" "$1" 2>"$W/said" |
        cmp - "$W/content.$2" ||
        { cat "$W/said"; false; }
}
downloads() { # downloads URL SIZE
    timeout 300 "$BUILD/h2_client" --timeout=60 "$1/$2" | cmp - <(head -c "$2" /dev/zero | tr '\0' m)
}
client_of_ours() { # client_of_ours PEER PORT [PATH]: uploads to it, and downloads unless there is a path
    local size
    for size in $SIZES; do
        check "h2_client sends $size bytes to $1" uploads "http://127.0.0.1:$2${3:-/}" "$size"
        [ -n "${3:-}" ] || check "h2_client gets $size bytes from $1" downloads "http://127.0.0.1:$2" "$size"
    done
}
server_of_ours() { # server_of_ours PEER MOST COMMAND...: which takes --url and --size, of MOST bytes
    local size peer=$1 most=$2
    shift 2
    for size in $SIZES; do
        [ "$size" -le "$most" ] || continue
        check "$peer sends $size bytes to h2_server" timeout 300 "$@" --url="http://127.0.0.1:$ours/echo" --size="$size"
    done
}

# ---- the peers

# Clients of Java and of Python read nothing before they have sent all: an echo that comes meanwhile must fit the windows.
ALL=$((1 << 40)) SENT_FIRST=1000000

with_nghttp2() {
    local size
    echo "from nghttpd" >"$W/root/index.html"
    for size in $SIZES; do head -c "$size" /dev/zero | tr '\0' m >"$W/root/$size"; done
    start peer nghttpd --no-tls --echo-upload -d "$W/root" -a 127.0.0.1 PORT
    client_of_ours nghttpd "$peer"
    nghttp_post() { nghttp -d "$W/content.$1" "http://127.0.0.1:$ours/echo" | cmp - "$W/content.$1"; }
    curl_post() { curl -sS --http2-prior-knowledge -X POST -T "$W/content.$1" "http://127.0.0.1:$ours/echo" | cmp - "$W/content.$1"; }
    for size in $SIZES; do
        [ "$size" = 0 ] || check "nghttp sends $size bytes to h2_server" nghttp_post "$size"
        check "curl sends $size bytes to h2_server" curl_post "$size"
    done
}

with_node() {
    start peer node tests/interop/http/echo.js server --port=PORT
    client_of_ours node "$peer"
    server_of_ours node "$ALL" node tests/interop/http/echo.js client
}

with_go() {
    go build -o "$W/echo_go" tests/interop/http/echo.go || return 1
    start peer "$W/echo_go" server --port=PORT
    client_of_ours go "$peer"
    server_of_ours go "$ALL" "$W/echo_go" client
}

with_java() {
    [ -s "$W/classpath" ] || mvn -q -B -f tests/interop/http/pom.xml dependency:build-classpath \
        -Dmdep.outputFile="$W/classpath" || return 1
    local java size
    java="java -cp $W:$(cat "$W/classpath")"
    javac -cp "$(cat "$W/classpath")" -d "$W" tests/interop/http/Echo.java || return 1
    start peer $java Echo server --port=PORT
    client_of_ours jetty "$peer"
    # The JDK's client has no prior knowledge: over TLS, with ALPN.
    (. tests/certificates.sh && cd "$W/tls" && ca ca && cert server ca 20 DNS:localhost) >"$W/out" 2>&1 || return 1
    start secure "$BUILD/h2_server" --port=PORT --tls --cert="$W/tls/server.pem" --key="$W/tls/server.key"
    for size in $SIZES; do
        [ "$size" -le "$SENT_FIRST" ] || continue
        check "java sends $size bytes to h2_server" timeout 300 $java Echo client \
            --url="https://localhost:$secure/echo" --size="$size" --ca="$W/tls/ca.pem"
    done
}

with_rust() {
    mkdir -p "$W/rust" && cp -r -u tests/interop/http/rust/. "$W/rust"
    (cd "$W/rust" && cargo build -q) || return 1
    start peer "$W/rust/target/debug/echo" server --port=PORT
    client_of_ours hyper "$peer"
    server_of_ours hyper "$ALL" "$W/rust/target/debug/echo" client
}

with_python() {
    [ -d "$W/py/hypercorn" ] || python3 -m pip install -q --disable-pip-version-check --require-hashes --target "$W/py" \
        -r tests/requirements/http.txt || return 1
    export PYTHONPATH=$W/py:tests/interop/http PYTHONDONTWRITEBYTECODE=1
    start peer python3 -m hypercorn --bind 127.0.0.1:PORT echo:app
    client_of_ours hypercorn "$peer"
    server_of_ours httpx "$SENT_FIRST" python3 tests/interop/http/echo.py client
}

# Proxies stand between our client and our server.
with_caddy() {
    cat >"$W/Caddyfile" <<END
{
    admin off
    auto_https off
    servers {
        protocols h1 h2 h2c
    }
}
http://127.0.0.1:{\$MOTE_AT} {
    reverse_proxy h2c://127.0.0.1:$ours
}
END
    start peer env MOTE_AT=PORT HOME="$W" caddy run --adapter caddyfile --config "$W/Caddyfile"
    client_of_ours caddy "$peer" /echo
}
with_nghttpx() {
    start peer nghttpx --conf=/dev/null "--frontend=127.0.0.1,PORT;no-tls" "--backend=127.0.0.1,$ours;;proto=h2"
    client_of_ours nghttpx "$peer" /echo
}
# HAProxy 2.6 stands still where both directions of a stream are full (docs/limits.md), unless its windows are half of its buffers.
with_haproxy() {
    cat >"$W/haproxy.cfg" <<END
global
    tune.h2.initial-window-size 8000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend plain
    bind 127.0.0.1:"\$MOTE_AT" proto h2
    default_backend ours
backend ours
    server one 127.0.0.1:$ours proto h2
END
    start peer env MOTE_AT=PORT haproxy -f "$W/haproxy.cfg"
    check "the page of h2_server by HAProxy" sh -c "'$BUILD/h2_client' http://127.0.0.1:$peer/ | grep -q 'It works'"
    client_of_ours haproxy "$peer" /echo
}

start ours "$BUILD/h2_server" --port=PORT
# shellcheck disable=SC2048
for peer_name in ${*:-nghttp2 node go java rust python caddy nghttpx haproxy}; do
    begin=$SECONDS
    with_"$peer_name" >"$W/$peer_name.out" 2>&1 || { failed=$((failed + 1)); echo "FAIL $peer_name: it could not be prepared"; }
    cat "$W/$peer_name.out"
    printf '%-10s %3d s, %d passed, %d failed so far\n' "$peer_name" $((SECONDS - begin)) "$passed" "$failed"
done
rm -f "$W"/content.*
summary
