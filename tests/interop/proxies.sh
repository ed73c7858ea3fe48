#!/bin/bash
# mote client and server through nginx (grpc_pass) and HAProxy (HTTP/2 on both sides), all kinds of calls, and a
# graceful reload of the proxy in the middle of streams; and a sensor whose calls nginx ends when nothing is said on them.
set -u
BUILD=${BUILD:-build}
W=$PWD/$BUILD/proxies
tests/setup.sh proxies || exit 1
. tests/lib.sh
mkdir -p "$W/nginx"
rm -f "$W/readings.db"* "$W/fleet.log"
pids=
trap 'kill $pids $(cat "$W/nginx.pid" "$W/fleet.pid") 2>/dev/null' EXIT
server=$((21000 + RANDOM % 1000)) nginx=$((22000 + RANDOM % 1000)) haproxy=$((23000 + RANDOM % 1000))
collector=$((24000 + RANDOM % 1000)) fleet=$((25000 + RANDOM % 1000))
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

# A reading each 9 s, and calls that end after 6 s of silence: others begin on the same connection. Beside the other checks,
# with an nginx of its own, as the other one is reloaded.
sed -e "s/nginx.pid/fleet.pid/; s/:$nginx/:$fleet/; s/:$server/:$collector/; s|access_log off|access_log $W/fleet.log|" \
    -e "s/client_max_body_size 0;/& client_body_timeout 6s; grpc_read_timeout 6s;/" "$W/nginx.conf" >"$W/fleet.conf"
nginx -c "$W/fleet.conf" -p "$W" 2>"$W/fleet.err" || cat "$W/fleet.err"
"$BUILD/collector" --address=127.0.0.1:$collector --store="$W/readings.db" --interval=9000 --plain >"$W/collector" 2>&1 &
pids="$pids $!"
started $collector && started $fleet || echo "the collector or its proxy did not start"
"$BUILD/sensor" --collector=127.0.0.1:$fleet --duration=25 >"$W/sensor" 2>&1 &
sensor=$!

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
silent() { # the sensor's ledger: nothing is missing, and there was one connection
    wait $sensor && grep -q "unacknowledged 0 + dropped 0 " "$W/sensor" && grep -q "connections 1," "$W/sensor" &&
        [ "$(grep -c "Upload" "$W/fleet.log")" -gt 2 ] || { cat "$W/sensor" "$W/fleet.log"; false; }
}
check "nginx: calls that it ends begin again on their connection" silent
summary
