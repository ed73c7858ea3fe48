#!/bin/bash
# Where servers of others differ from mote: mote-differ with libnghttp2, Go's net/http, Node, nginx and grpcio, with RUNS (500)
# mutants of each seed file beside the seeds. What is found is printed to build/differ/NAME; the table of docs/testing.md says it
# by kind. A peer that is not here is left out. A peer that cannot be asked, or of which nothing at all is found, has failed.
set -u
export BUILD=${BUILD:-build}
. tests/lib.sh
OUT=$BUILD/differ
PEERS=tests/interop/differ
mkdir -p "$OUT"
W=$(mktemp -d)
servers=
# shellcheck disable=SC2086
trap '[ -z "$servers" ] || kill $servers 2>/dev/null; rm -rf "$W"' EXIT

start() { # start NAME COMMAND...: its address
    local name=$1
    shift
    "$@" >"$W/$name" 2>&1 &
    servers="$servers $!"
    for _ in $(seq 400); do
        grep -q 'listening on' "$W/$name" && break
        sleep 0.02
    done
    address=$(sed -n 's/^listening on //p' "$W/$name")
}
compare() { # compare NAME ARGUMENT...: 0 or 1, and all seeds were played
    local name=$1 status
    shift
    timeout 600 "$BUILD/mote-differ" --runs="${RUNS:-500}" --quiet=60 "$@" >"$OUT/$name"
    status=$?
    tail -n 1 "$OUT/$name"
    [ $status -le 1 ] && tail -n 1 "$OUT/$name" | grep -qE '^[1-9][0-9]* seeds, .* kinds of differences'
}
nginx_config() { # nginx_config PORT
    cat >"$W/nginx.conf" <<N
daemon off; worker_processes 1; pid $W/nginx.pid; error_log $W/nginx.err;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $W/b; proxy_temp_path $W/p; fastcgi_temp_path $W/f; uwsgi_temp_path $W/u; scgi_temp_path $W/s;
    server { listen 127.0.0.1:$1 http2; http2_max_concurrent_streams 32; location / { return 200 "x"; } } }
N
}

check "libnghttp2" compare libnghttp2 nghttp2
if command -v go >/dev/null && go build -o "$W/echo_go" "$PEERS/echo.go"; then
    start go "$W/echo_go"
    check "Go's net/http" compare go "$address"
fi
if command -v node >/dev/null; then
    start node node "$PEERS/echo.js"
    check "Node" compare node "$address"
fi
if command -v nginx >/dev/null; then
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    nginx_config "$port"
    nginx -c "$W/nginx.conf" >"$W/nginx" 2>&1 &
    servers="$servers $!"
    sleep 0.5
    check "nginx" compare nginx --no-bodies "127.0.0.1:$port"
fi
start grpcio "${PYTHON:-/usr/bin/python3}" "$PEERS/echo_grpc.py"
check "grpcio" compare grpcio --grpc "$address"
summary
