#!/bin/bash
# mote client and server through nginx (grpc_pass) and HAProxy (HTTP/2 on both sides), all kinds of calls, and a
# graceful reload of the proxy in the middle of streams.
set -u
BUILD=${BUILD:-build}
W=$PWD/$BUILD/proxies
tests/setup.sh proxies || exit 1
. tests/lib.sh
mkdir -p "$W/nginx"
pids=
trap 'kill $pids 2>/dev/null; [ -s "$W/nginx.pid" ] && kill "$(cat "$W/nginx.pid")" 2>/dev/null' EXIT
server=$((21000 + RANDOM % 1000)) nginx=$((22000 + RANDOM % 1000)) haproxy=$((23000 + RANDOM % 1000))
cases="empty_unary large_unary client_streaming server_streaming ping_pong empty_stream custom_metadata
status_code_and_message special_status_message unimplemented_method cancel_after_begin cancel_after_first_response
timeout_on_sleeping_server client_compressed_unary server_compressed_unary server_compressed_streaming rpc_soak
channel_soak"

cat >"$W/nginx.conf" <<EOF
pid $W/nginx.pid;
error_log $W/nginx.log;
worker_processes 2;
events {}
http {
    access_log off;
    client_body_temp_path $W/nginx/body;
    proxy_temp_path $W/nginx/proxy;
    fastcgi_temp_path $W/nginx/fastcgi;
    uwsgi_temp_path $W/nginx/uwsgi;
    scgi_temp_path $W/nginx/scgi;
    client_max_body_size 0;
    large_client_header_buffers 4 32k;
    server {
        listen 127.0.0.1:$nginx http2;
        location / { grpc_pass grpc://127.0.0.1:$server; }
    }
}
EOF
cat >"$W/haproxy.cfg" <<EOF
global
    stats socket $W/haproxy.sock mode 600 level admin expose-fd listeners
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend mote
    bind 127.0.0.1:$haproxy proto h2
    default_backend servers
backend servers
    server one 127.0.0.1:$server proto h2
EOF

started() { for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.05; done; return 1; }
"$BUILD/interop_server" --port=$server >"$W/server.log" &
pids="$pids $!"
nginx -c "$W/nginx.conf" -p "$W" 2>"$W/nginx.err" || cat "$W/nginx.err"
haproxy -W -f "$W/haproxy.cfg" -p "$W/haproxy.pid" >"$W/haproxy.log" 2>&1 &
haproxy_pid=$!
pids="$pids $haproxy_pid"
started $server && started $nginx && started $haproxy || { echo "a proxy did not start"; tail "$W"/*.log; exit 1; }

one() { timeout 60 "$BUILD/interop_client" --server_host=127.0.0.1 --server_port="$1" --test_case="$2" \
    --soak_per_iteration_max_acceptable_latency_ms=20000 --soak_overall_timeout_seconds=50 >"$W/out" 2>&1 || { cat "$W/out"; false; }; }
for kind in $cases; do
    check "nginx: $kind" one $nginx "$kind"
    check "HAProxy: $kind" one $haproxy "$kind"
done

# Calls go on while the proxy is reloaded.
during() { # during PORT COMMAND...
    local port=$1
    shift
    timeout 60 "$BUILD/interop_client" --server_host=127.0.0.1 --server_port="$port" --test_case=channel_soak \
        --soak_iterations=60 --soak_min_time_ms_between_rpcs=50 --soak_overall_timeout_seconds=50 \
        --soak_per_iteration_max_acceptable_latency_ms=20000 >"$W/out" 2>&1 &
    local client=$!
    sleep 1
    "$@" || return 1
    wait $client || { cat "$W/out"; false; }
}
check "nginx: new channels while it is reloaded" during $nginx nginx -c "$W/nginx.conf" -p "$W" -s reload
check "HAProxy: new channels while it is reloaded" during $haproxy kill -USR2 $haproxy_pid
stream() { # a stream that is open while the proxy is reloaded ends whole
    local port=$1
    shift
    timeout 60 "$BUILD/interop_client" --server_host=127.0.0.1 --server_port="$port" --test_case=orca_oob >"$W/out" 2>&1 &
    local client=$!
    sleep 0.7
    "$@" || return 1
    wait $client || { cat "$W/out"; false; }
}
check "nginx: an open stream while it is reloaded" stream $nginx nginx -c "$W/nginx.conf" -p "$W" -s reload
check "HAProxy: an open stream while it is reloaded" stream $haproxy kill -USR2 $haproxy_pid
summary
