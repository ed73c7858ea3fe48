#!/bin/bash
# Browsers' protocols with peers that are not ours (`make web-test`): connect-node and grpc-web of npm as clients of gRPC-Web by HTTP/2 and
# HTTP/1.1, with and without TLS; curl at the doors; h11 beside the parser of HTTP/1.1. npm fetches its packages; two minutes.
set -u
export BUILD=${BUILD:-build}
. tests/lib.sh
CONNECT_VERSION=2.2.0 PROTOBUF_ES_VERSION=2.17.0 GRPC_WEB_VERSION=2.0.2 XHR_VERSION=0.2.1
W=$PWD/$BUILD/web
mkdir -p "$W"
ORIGIN=http://localhost:9000
servers=
# shellcheck disable=SC2086
trap '[ -z "$servers" ] || kill $servers' EXIT

start_server() { # start_server VARIABLE ARGUMENTS...: the port on which it listens
    local variable=$1 n=0
    shift
    "$BUILD/interop_server" --port=0 --web=$ORIGIN "$@" >"$W/$variable.log" 2>&1 &
    servers="$servers $!"
    until grep -q '^listening' "$W/$variable.log"; do
        n=$((n + 1))
        [ $n -lt 200 ] || { cat "$W/$variable.log"; exit 1; }
        sleep 0.05
    done
    printf -v "$variable" '%s' "$(sed -n 's/^listening.*://p' "$W/$variable.log" | head -n 1)"
}

# ---- the parser

check "what mote takes of HTTP/1.1 h11 takes as the same" /usr/bin/python3 tests/web/differential.py "$BUILD/test/web_judge" 20000 "${SEED:-1}"

# ---- curl

printf '\0\0\0\0\0' >"$W/empty"
start_server plain
U=http://127.0.0.1:$plain/grpc.testing.TestService/EmptyCall
curl_says() { # curl_says PATTERN ARGUMENTS...: what it prints, without CR, has the pattern
    local pattern=$1
    shift
    timeout 20 curl -s -i -m 10 "$@" | tr -d '\r' | tr '\0\200' '.!' >"$W/curl"
    grep -qE "$pattern" "$W/curl" || { cat "$W/curl"; false; }
}
# What is refused has no content: curl 7.88 takes RST_STREAM with NO_ERROR behind an early response for a failure.
for version in --http1.1 --http2 --http2-prior-knowledge; do
    web=(-H 'content-type: application/grpc-web+proto' --data-binary @"$W/empty")
    check "curl $version: a call" curl_says '^\.{5}!\.\.\..grpc-status:0$' $version "${web[@]}" "$U"
    check "curl $version: a call of a page" curl_says "^access-control-allow-origin: $ORIGIN$" $version -H "origin: $ORIGIN" "${web[@]}" "$U"
    check "curl $version: a foreign page" curl_says '^HTTP/[12.]+ 403' $version -X POST -H 'origin: http://evil.example' \
        -H 'content-type: application/grpc-web' "$U"
    check "curl $version: a preflight" curl_says '^access-control-allow-methods: POST$' $version -X OPTIONS -H "origin: $ORIGIN" \
        -H 'access-control-request-method: POST' "$U"
    check "curl $version: a foreign preflight" curl_says '^HTTP/[12.]+ 403' $version -X OPTIONS -H 'origin: http://evil.example' \
        -H 'access-control-request-method: POST' "$U"
    check "curl $version: text" curl_says '^HTTP/[12.]+ 415' $version -X POST -H 'content-type: text/plain' "$U"
done
check "curl: broken base64" curl_says '^gAAAA' --http1.1 -H 'content-type: application/grpc-web-text' -d '!!!!' "$U"
check "curl: two lengths" curl_says '^HTTP/1.1 400' --http1.1 -H 'content-length: 5' -H 'Content-Length: 6' "${web[@]}" "$U"
check "curl: both kinds of length" curl_says '^HTTP/1.1 400' --http1.1 -H 'transfer-encoding: chunked' -H 'Content-Length: 6' "${web[@]}" "$U"
long_line() {
    { printf 'GET /'; head -c 1000000 /dev/zero | tr '\0' a; } | timeout 10 nc -q 2 127.0.0.1 "$plain" | head -n 1 | grep -q '^HTTP/1.1 414 '
}
if command -v nc >/dev/null; then check "a line of 1 MB" long_line; fi

# ---- clients of npm

packages=("@connectrpc/connect@$CONNECT_VERSION" "@connectrpc/connect-node@$CONNECT_VERSION" "@bufbuild/protobuf@$PROTOBUF_ES_VERSION"
    "grpc-web@$GRPC_WEB_VERSION" "xhr2@$XHR_VERSION")
installed() {
    [ "$(cat "$W/installed" 2>/dev/null)" = "${packages[*]}" ] ||
        { (cd "$W" && npm install --silent --no-fund --no-audit --no-save "${packages[@]}") && echo "${packages[*]}" >"$W/installed"; }
}
check "npm installs the clients" installed
check "descriptors" protoc -I tests/interop --include_imports --descriptor_set_out="$W/interop.descriptors" interop.proto
export NODE_PATH=$W/node_modules MOTE_DESCRIPTORS=$W/interop.descriptors

cases=$(node tests/interop/connect.js client --test_case=list)
all_cases() { # all_cases NAME WITHOUT ARGUMENTS...
    local name=$1 without=$2 case
    shift 2
    for case in $cases; do
        [[ " $without " == *" $case "* ]] || check "connect-node, $name: $case" timeout 30 node tests/interop/connect.js client --test_case="$case" "$@"
    done
}
all_cases "HTTP/2" "" --server_port="$plain" --web=2
# Node does not read a response before its request is complete.
all_cases "HTTP/1.1" "ping_pong cancel_after_first_response" --server_port="$plain" --web=1.1
check "grpc-web of npm" timeout 60 node tests/web/grpcweb.js "$plain"

"$BUILD/prices_server" --address=127.0.0.1:0 --web=$ORIGIN >"$W/prices.log" &
servers="$servers $!"
for _ in $(seq 200); do grep -q '^listening' "$W/prices.log" && break; sleep 0.05; done
check "the page of prices_server" timeout 30 node tests/web/prices_page.mjs "$(sed -n 's/^listening on //p' "$W/prices.log")"

mkdir -p "$W/tls"
(. tests/certificates.sh && cd "$W/tls" && ca ca && cert server ca 20 DNS:localhost) >"$W/out" 2>&1 || { tail "$W/out"; exit 1; }
start_server secure --use_tls=true --cert="$W/tls/server.pem" --key="$W/tls/server.key"
tls="--server_host=localhost --server_port=$secure --ca=$W/tls/ca.pem --web=2"
for case in empty_unary large_unary server_streaming custom_metadata special_status_message; do
    # shellcheck disable=SC2086
    check "connect-node, TLS: $case" timeout 30 node tests/interop/connect.js client --test_case=$case $tls
done

summary
