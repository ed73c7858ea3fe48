#!/bin/bash
# Public conformance suites against build/h2_server: h2spec (a Go program), in strict mode.
set -u
BUILD=${BUILD:-build}
command -v go >/dev/null || {
    echo "conformance: error: h2spec is a Go program; please install a Go toolchain" >&2
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
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 100 ]
