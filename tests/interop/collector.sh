# shellcheck shell=bash
# The OpenTelemetry Collector for tests, built once by Go's module proxy. `pid` is of the one that runs.
COLLECTOR=$PWD/$BUILD/otel/collector
build_collector() {
    [ "$COLLECTOR" -nt tests/interop/otel/main.go ] && return
    mkdir -p "$BUILD/otel/go" && cp tests/interop/otel/main.go tests/interop/otel/go.mod "$BUILD/otel/go" || return 1
    (cd "$BUILD/otel/go" && GOFLAGS=-mod=mod go build -o "$COLLECTOR" .)
}
port_is_there() { for _ in $(seq 600); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.05; done; return 1; }
# Plain at a port, over TLS at the one behind it with server.pem and server.key of the folder.
start_collector() { # start_collector FOLDER PORT LOG
    cat >"$1/config.yaml" <<EOF
receivers:
  otlp/plain: {protocols: {grpc: {endpoint: "127.0.0.1:$2"}}}
  otlp/tls: {protocols: {grpc: {endpoint: "127.0.0.1:$(($2 + 1))", tls: {cert_file: "$1/server.pem", key_file: "$1/server.key"}}}}
exporters:
  debug: {verbosity: detailed, sampling_initial: 100000}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp/plain, otlp/tls], exporters: [debug]}
    metrics: {receivers: [otlp/plain, otlp/tls], exporters: [debug]}
    logs: {receivers: [otlp/plain, otlp/tls], exporters: [debug]}
EOF
    "$COLLECTOR" --config "$1/config.yaml" >"$3" 2>&1 &
    pid=$!
    port_is_there "$2" && port_is_there $(($2 + 1))
}
stop_collector() { # stop_collector SIGNAL
    kill "-$1" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    pid=
    return 0
}
