#!/bin/bash
# Browsers' protocols with peers that are not ours (`make web-test`): connect-node and grpc-web of npm as clients of gRPC-Web and Connect by
# HTTP/2 and HTTP/1.1, with and without TLS; connectconformance, where there is Go; curl at the doors; h11 beside the parser of HTTP/1.1.
# npm and Go fetch their packages; three minutes.
set -u
export BUILD=${BUILD:-build}
. tests/lib.sh
CONNECT_VERSION=2.2.0 PROTOBUF_ES_VERSION=2.17.0 GRPC_WEB_VERSION=2.0.2 XHR_VERSION=0.2.1
W=$PWD/$BUILD/web
mkdir -p "$W"
ORIGIN=http://localhost:9000
servers='' plain='' secure=''
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
    check "curl $version: a preflight" curl_says '^access-control-allow-methods: GET, POST$' $version -X OPTIONS -H "origin: $ORIGIN" \
        -H 'access-control-request-method: POST' "$U"
    check "curl $version: a foreign preflight" curl_says '^HTTP/[12.]+ 403' $version -X OPTIONS -H 'origin: http://evil.example' \
        -H 'access-control-request-method: POST' "$U"
    check "curl $version: text" curl_says '^HTTP/[12.]+ 415' $version -X POST -H 'content-type: text/plain' "$U"
done
S=http://127.0.0.1:$plain/grpc.testing.TestService
for version in --http1.1 --http2-prior-knowledge; do
    json=(-H 'content-type: application/json')
    check "curl $version: JSON" curl_says '^\{"payload":\{"body":"AAAA"\},"serverId":"mote"\}$' $version "${json[@]}" -d '{"responseSize": 3}' "$S/UnaryCall"
    check "curl $version: JSON, an empty message" curl_says '^\{\}$' $version "${json[@]}" -d '{}' "$S/EmptyCall"
    check "curl $version: JSON, an error" curl_says '^\{"code":"not_found","message":"no \\"a\\""\}$' $version "${json[@]}" \
        -d '{"responseStatus": {"code": 5, "message": "no \"a\""}}' "$S/UnaryCall"
    check "curl $version: the status of an error" curl_says '^HTTP/[12.]+ 404' $version "${json[@]}" -d '{"responseStatus": {"code": 5}}' "$S/UnaryCall"
    check "curl $version: no JSON" curl_says '"message":"json: the text is no JSON"' $version "${json[@]}" -d '{"responseSize": 1' "$S/UnaryCall"
    check "curl $version: GET" curl_says '^\{"payload":\{"body":"AA=="\},"serverId":"mote"\}$' $version -g \
        "$S/CacheableUnaryCall?connect=v1&encoding=json&message={%22responseSize%22:1}"
    check "curl $version: GET of a method with effects" curl_says '^allow: POST$' $version -g "$S/UnaryCall?connect=v1&encoding=json&message={}"
    check "curl $version: a stream" curl_says '\{"payload":\{"body":"AA=="\}\}' $version -H 'content-type: application/connect+json' \
        --data-binary @<(printf '\0\0\0\0\45{"responseParameters": [{"size": 1}]}') "$S/StreamingOutputCall"
    check "curl $version: metadata" curl_says '^x-grpc-test-echo-initial: one$' $version "${json[@]}" -H 'x-grpc-test-echo-initial: one' -d '{}' "$S/UnaryCall"
    check "curl $version: trailing metadata" curl_says '^trailer-x-grpc-test-echo-trailing-bin: AAEC$' $version "${json[@]}" \
        -H 'x-grpc-test-echo-trailing-bin: AAEC' -d '{}' "$S/UnaryCall"
    check "curl $version: gzip" curl_says '^content-encoding: gzip$' $version --compressed -H 'content-type: application/proto' \
        --data-binary @<(printf '\20\144\62\2\10\1') "$S/UnaryCall"
done
check "curl: JSON of depth 10,000" curl_says '"code":"invalid_argument"' "${json[@]}" -d "$(head -c 10000 /dev/zero | tr '\0' '[')" "$S/UnaryCall"
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
        { (cd "$W" && npm install --ignore-scripts --silent --no-fund --no-audit --no-save "${packages[@]}") && echo "${packages[*]}" >"$W/installed"; }
}
check "npm installs the clients" installed
check "descriptors" protoc -I tests/interop --include_imports --descriptor_set_out="$W/interop.descriptors" interop.proto
export NODE_PATH=$W/node_modules MOTE_DESCRIPTORS=$W/interop.descriptors

cases=$(node tests/interop/connect.js client --test_case=list)
all_cases() { # all_cases NAME WITHOUT ARGUMENTS...
    local form=$1 without=$2 case
    shift 2
    for case in $cases; do
        [[ " $without " == *" $case "* ]] || check "connect-node, $form: $case" timeout 30 node tests/interop/connect.js client --test_case="$case" "$@"
    done
}
all_cases "HTTP/2" "" --server_port="$plain" --web=2
# Node does not read a response before its request is complete.
all_cases "HTTP/1.1" "ping_pong cancel_after_first_response" --server_port="$plain" --web=1.1
# Requests that are streams are sent by HTTP/2 alone.
many="client_streaming client_compressed_streaming ping_pong empty_stream custom_metadata cancel_after_begin cancel_after_first_response"
all_cases "Connect, HTTP/2, binary" "" --server_port="$plain" --connect=2
all_cases "Connect, HTTP/2, JSON" "" --server_port="$plain" --connect=2 --json
all_cases "Connect, HTTP/1.1, JSON" "$many" --server_port="$plain" --connect=1.1 --json
for more in "" --json; do
    # shellcheck disable=SC2086
    check "connect-node, Connect, GET $more" timeout 30 node tests/interop/connect.js client --test_case=cacheable_unary \
        --server_port="$plain" --connect=2 --get $more
done
check "grpc-web of npm" timeout 60 node tests/web/grpcweb.js "$plain"

"$BUILD/prices_server" --address=127.0.0.1:0 --web=$ORIGIN >"$W/prices.log" &
servers="$servers $!"
for _ in $(seq 200); do grep -q '^listening' "$W/prices.log" && break; sleep 0.05; done
check "the page of prices_server" timeout 30 node tests/web/prices_page.mjs "$(sed -n 's/^listening on //p' "$W/prices.log")"

events() { # what comes in a second
    timeout 1 curl -s -N -H 'accept: text/event-stream' "http://$(sed -n 's/^listening on //p' "$W/prices.log")/mote.prices.Prices/Watch$1" >"$W/events"
    grep -qE "$2" "$W/events" || { cat "$W/events"; false; }
}
check "curl: events" events '?message=%7B"symbols":%5B"ACME"%5D%7D' '^data: \{"symbol":"ACME","cents":"[0-9]+"(,"change":"[0-9]+")?\}$'
check "curl: the end of events" events '?message=%7B"symbols":%5B"NONE"%5D%7D' \
    '^data: \{"error":\{"code":"not_found","message":"none of these symbols is traded"\}\}$'

mkdir -p "$W/tls"
(. tests/certificates.sh && cd "$W/tls" && ca ca && cert server ca 20 DNS:localhost) >"$W/out" 2>&1 || { tail "$W/out"; exit 1; }
start_server secure --use_tls=true --cert="$W/tls/server.pem" --key="$W/tls/server.key"
tls="--server_host=localhost --server_port=$secure --ca=$W/tls/ca.pem --web=2"
for case in empty_unary large_unary server_streaming custom_metadata special_status_message; do
    # shellcheck disable=SC2086
    check "connect-node, TLS: $case" timeout 30 node tests/interop/connect.js client --test_case=$case $tls
done
for case in empty_unary large_unary server_streaming; do
    check "connect-node, Connect, TLS: $case" timeout 30 node tests/interop/connect.js client --test_case=$case --server_host=localhost \
        --server_port="$secure" --ca="$W/tls/ca.pem" --connect=2 --json
done

# ---- the collector's dashboard

if [ -x "$BUILD/collector" ]; then
    tests/web/dashboard.sh | tee "$W/dashboard.out"
    passed=$((passed + $(sed -nE 's/^([0-9]+) passed.*/\1/p' "$W/dashboard.out")))
    failed=$((failed + $(sed -nE 's/.*, ([0-9]+) failed$/\1/p' "$W/dashboard.out")))
fi

# ---- the suite of the connectrpc project

conforms() { # conforms YAML: all cases pass
    timeout 300 "$BUILD/go/connectconformance" --conf "tests/interop/$1" --mode server -- "$BUILD/grpc_conformance_server" >"$W/$1.txt" 2>&1
    tail -n 1 "$W/$1.txt" | grep -qE '^[0-9]+ passed, 0 failed$' || { grep -A 3 FAILED "$W/$1.txt"; tail -n 1 "$W/$1.txt"; false; }
}
if command -v go >/dev/null; then
    [ -x "$BUILD/go/connectconformance" ] ||
        GOBIN=$PWD/$BUILD/go go install connectrpc.com/conformance/cmd/connectconformance@v1.0.7 || exit 1
    check "connectconformance, HTTP/2" conforms web.yaml
    check "connectconformance, HTTP/1.1" conforms web1.yaml
fi

summary
