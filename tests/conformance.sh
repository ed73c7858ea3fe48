#!/bin/bash
# Public conformance suites, which are Go programs: h2spec in strict mode against build/h2_server, and the
# gRPC suite of the connectrpc project with build/grpc_conformance_server and _client.
set -u
BUILD=${BUILD:-build}
command -v go >/dev/null || {
    echo "conformance: error: the suites are Go programs; please install a Go toolchain" >&2
    exit 1
}
[ -x "$BUILD/go/h2spec" ] || GOBIN=$PWD/$BUILD/go go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible || exit 1
"$BUILD/h2_server" --port=0 >"$BUILD/h2spec.server" &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do grep -q listening "$BUILD/h2spec.server" && break; sleep 0.05; done
port=$(sed -n 's/.*://p' "$BUILD/h2spec.server")
timeout 300 "$BUILD/go/h2spec" --strict --host 127.0.0.1 --port "$port" --timeout 2 >"$BUILD/h2spec.txt"
line=$(tail -n 1 "$BUILD/h2spec.txt")
echo "$line"
passed=$(echo "$line" | sed -E 's/.* ([0-9]+) passed.*/\1/')
failed=$(echo "$line" | sed -E 's/.* ([0-9]+) failed.*/\1/')
[ "$failed" = 0 ] || grep -A 4 '×' "$BUILD/h2spec.txt"
[ "$failed" = 0 ] && [ "$passed" -gt 100 ] || exit 1

# The client's side of the same suite: h2_client is started for each case.
[ -x "$BUILD/go/h2specd" ] || GOBIN=$PWD/$BUILD/go go install github.com/summerwind/h2spec/cmd/h2specd@v2.2.1+incompatible || exit 1
timeout 120 "$BUILD/go/h2specd" --timeout 1 --from-port $((14000 + $$ % 4000)) --exec "$BUILD/h2_client" 2>&1 |
    grep -av 'closed network connection' >"$BUILD/h2specd.txt"
line=$(grep -aE '^[0-9]+ tests, ' "$BUILD/h2specd.txt")
echo "client: $line"
p=$(echo "$line" | sed -nE 's/.* ([0-9]+) passed.*/\1/p')
f=$(echo "$line" | sed -nE 's/.* ([0-9]+) failed.*/\1/p')
[ "${f:-1}" = 0 ] || grep -a -A 4 '×' "$BUILD/h2specd.txt"
passed=$((passed + ${p:-0}))
failed=$((failed + ${f:-1}))

[ -x "$BUILD/go/connectconformance" ] ||
    GOBIN=$PWD/$BUILD/go go install connectrpc.com/conformance/cmd/connectconformance@v1.0.7 || exit 1
for mode in server client; do
    timeout 500 "$BUILD/go/connectconformance" --conf tests/interop/conformance.yaml --mode $mode -- \
        "$BUILD/grpc_conformance_$mode" >"$BUILD/connectconformance.$mode" 2>&1
    line=$(tail -n 1 "$BUILD/connectconformance.$mode")
    echo "gRPC conformance, $mode: $line"
    p=$(echo "$line" | sed -nE 's/^([0-9]+) passed.*/\1/p')
    f=$(echo "$line" | sed -nE 's/.* ([0-9]+) failed.*/\1/p')
    [ "${f:-1}" = 0 ] || grep -A 3 FAILED "$BUILD/connectconformance.$mode"
    passed=$((passed + ${p:-0}))
    failed=$((failed + ${f:-1}))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
