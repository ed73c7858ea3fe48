#!/bin/bash
# The interoperability tests, mote as client and as server with each peer. Peers are fetched by their own package
# managers into build/interop. Writes build/interop.tsv: peer, version, which side mote is, case, result.
#   tests/interop/run.sh [PEER...]     mote cpp python go js java tonic connect grpcurl; SAMPLE=NUMBER: half of it
set -u
BUILD=${BUILD:-build}
W=$PWD/$BUILD/interop
PYTHON=${PYTHON:-/usr/bin/python3}
tests/setup.sh interop || exit 1
mkdir -p "$W/py" "$W/cpp"
table=$BUILD/interop.tsv
: >"$table"
passed=0
failed=0
skipped=0
pids=
trap 'kill $pids 2>/dev/null' EXIT

GO_VERSION=v1.85.0
JS_VERSION=1.14.7
LOADER_VERSION=0.8.1
CONNECT_VERSION=2.2.0
GRPCURL_VERSION=v1.9.3
PROTOBUF_ES_VERSION=2.17.0
ORCA='{"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}'

# What the cases of mote's client are, and which of them a peer's server does not serve: nothing of cacheable_unary,
# of compression on request, of looking at how requests were compressed (the probe), or of load reports.
all="empty_unary cacheable_unary large_unary client_compressed_unary client_compressed_unary_noprobe
server_compressed_unary client_streaming client_compressed_streaming client_compressed_streaming_noprobe
server_streaming server_compressed_streaming ping_pong empty_stream custom_metadata status_code_and_message
special_status_message unimplemented_method unimplemented_service cancel_after_begin cancel_after_first_response
timeout_on_sleeping_server orca_per_rpc orca_oob rpc_soak channel_soak long_lived_channel concurrent_large_unary"
probe="client_compressed_unary client_compressed_streaming"
unserved_mote=
unserved_cpp="$probe orca_per_rpc orca_oob"
unserved_python="$probe server_compressed_streaming orca_per_rpc orca_oob"
unserved_go="$probe client_compressed_unary_noprobe client_compressed_streaming_noprobe cacheable_unary server_compressed_unary server_compressed_streaming"
unserved_js="$probe server_compressed_unary server_compressed_streaming orca_per_rpc orca_oob"
unserved_java="$probe cacheable_unary server_compressed_streaming"
unserved_tonic="$probe custom_metadata server_compressed_unary server_compressed_streaming orca_per_rpc orca_oob" # its unary calls have no trailers
unserved_connect="$probe server_compressed_unary server_compressed_streaming orca_per_rpc orca_oob"

start_server() { # start_server VARIABLE COMMAND...: the port that it listens on goes to VARIABLE
    local variable=$1 log number
    shift
    log=$(mktemp "$W/server.XXXXXX")
    number=$((20000 + RANDOM % 10000))
    "$@" --port="$number" >"$log" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$number") 2>/dev/null && break
        sleep 0.1
    done
    printf -v "$variable" '%s' "$number"
}

# With SAMPLE=NUMBER half of the matrix: of each peer and side about every second case, and of each case, on each side, every
# second peer; the number that follows takes the other half. Without it, all.
at=0
in_sample() { # in_sample SIDE CASE
    local sum
    [ -n "${SAMPLE:-}" ] || return 0
    sum=$(echo "$2" | cksum | cut -d ' ' -f 1)
    [[ $1 != server* ]] || sum=$((sum + 1))
    [ $(((at + sum + SAMPLE) % 2)) = 0 ]
}

# grpc-go's client may take the answer to its own half-close although it has cancelled before it: with its own server in 1 run of
# 150, with a faster one in 5. The same case is then run once more.
raced() { grep -q "CloseAndRecv() got error code 0, want 1" "$W/out"; }

run_case() { # run_case PEER VERSION SIDE CASE COMMAND...
    local peer=$1 version=$2 side=$3 name=$4 result=passed
    shift 4
    if ! in_sample "$side" "$name"; then
        printf '%s\t%s\t%s\t%s\tnot in this sample\n' "$peer" "$version" "$side" "$name" >>"$table"
        return
    fi
    if timeout 90 "$@" >"$W/out" 2>&1 || { raced && timeout 90 "$@" >"$W/out" 2>&1; }; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        result=failed
        echo "FAIL $peer, mote as $side: $name"
        grep -v '^\s*at ' "$W/out" | tail -n 6 | sed 's/^/  /'
    fi
    printf '%s\t%s\t%s\t%s\t%s\n' "$peer" "$version" "$side" "$name" "$result" >>"$table"
}

mote_as_client() { # mote_as_client PEER VERSION PORT
    local name unserved=unserved_$1
    for name in $all; do
        if [[ " ${!unserved} " == *" $name "* ]]; then
            printf '%s\t%s\tclient\t%s\tnot served by the peer\n' "$1" "$2" "$name" >>"$table"
            continue
        fi
        run_case "$1" "$2" client "$name" "$BUILD/interop_client" --server_host=127.0.0.1 --server_port="$3" \
            --test_case="$name" --soak_per_iteration_max_acceptable_latency_ms=20000 --soak_overall_timeout_seconds=80
    done
}

mote_as_server() { # mote_as_server PEER VERSION "CASES" COMMAND...
    local peer=$1 version=$2 cases=$3 name
    shift 3
    for name in $cases; do
        run_case "$peer" "$version" server "$name" "$@" --server_port="$mote" --test_case="$name"
    done
}

skip() { # skip PEER REASON
    echo "$1 is skipped: $2"
    skipped=$((skipped + 1))
}

# The same over TLS, with fewer cases. Peers take --cert and --key, and --ca.
tls_cases="large_unary client_streaming server_streaming ping_pong custom_metadata cancel_after_first_response"
tls=(--use_tls=true --server_host=localhost)

tls_client() { # tls_client PEER VERSION PORT [OPTIONS...]: mote is the client
    local peer=$1 version=$2 number=$3 name unserved=unserved_$1
    shift 3
    for name in $tls_cases; do
        [[ " ${!unserved} " == *" $name "* ]] || run_case "$peer" "$version" "client, TLS" "$name" "$BUILD/interop_client" \
            "${tls[@]}" --ca_file="$W/tls/ca.pem" --server_port="$number" --test_case="$name" "$@"
    done
}

tls_server() { # tls_server PEER VERSION COMMAND...: mote is the server
    local peer=$1 version=$2 name
    shift 2
    for name in $tls_cases; do
        run_case "$peer" "$version" "server, TLS" "$name" "$@" --server_host=localhost --server_port="$mote_tls" --test_case="$name"
    done
}

both_over_tls() { # both_over_tls PEER VERSION COMMAND...: followed by `server` and `client`
    local peer=$1 version=$2
    shift 2
    start_server port "$@" server --cert="$W/tls/server.pem" --key="$W/tls/server.key"
    tls_client "$peer" "$version" "$port"
    tls_server "$peer" "$version" "$@" client --ca="$W/tls/ca.pem"
}

# ---- the peers

with_mote() {
    start_server port "$BUILD/interop_server"
    mote_as_client mote "" "$port"
    start_server port "$BUILD/interop_server" --max_concurrent_streams=2
    tls_client mote "" "$mote_tls"
    run_case mote "" both max_concurrent_streams_connection_scaling "$BUILD/interop_client" --server_host=127.0.0.1 \
        --server_port="$port" --test_case=max_concurrent_streams_connection_scaling
}

with_cpp() {
    local version
    version=$(pkg-config --modversion grpc++)
    # shellcheck disable=SC2046
    [ "$W/peer_cc" -nt tests/interop/peer.cc ] || {
        protoc -I tests/interop --cpp_out="$W/cpp" --grpc_out="$W/cpp" \
            --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" interop.proto &&
            g++ -std=c++17 -O1 -I"$W/cpp" tests/interop/peer.cc "$W"/cpp/*.cc \
                $(pkg-config --libs grpc++ protobuf) -o "$W/peer_cc" 2>"$W/out" || { tail "$W/out"; return 1; }
    }
    start_server port "$W/peer_cc" server
    mote_as_client cpp "$version" "$port"
    mote_as_server cpp "$version" "$("$W/peer_cc" client --test_case=list)" "$W/peer_cc" client
    both_over_tls cpp "$version" "$W/peer_cc"
}

with_python() {
    local version peer="$PYTHON tests/interop/peer.py"
    version=$($PYTHON -c 'import grpc; print(grpc.__version__)')
    protoc -I tests/interop --python_out="$W/py" interop.proto || return 1
    export PYTHONPATH=$W/py PYTHONDONTWRITEBYTECODE=1
    # shellcheck disable=SC2086
    start_server port $peer server
    mote_as_client python "$version" "$port"
    # shellcheck disable=SC2086
    mote_as_server python "$version" "$($peer client --test_case=list)" $peer client
    # shellcheck disable=SC2086
    both_over_tls python "$version" $peer
}

# Two servers that are stopped and started in turn, with clients of grpcio and Go; see tests/peers/ending.py.
restarts() {
    local test d
    mkdir -p "$W/restart" && cp tests/interop/restart/main.go "$W/restart" || return 1
    printf 'module restart\n\ngo 1.24\n\nrequire google.golang.org/grpc %s\n' "$GO_VERSION" >"$W/restart/go.mod"
    (cd "$W/restart" && go mod tidy && go build -o restart .) >"$W/out" 2>&1 || { tail "$W/out"; return 1; }
    for d in tour fleet device; do protoc -I examples/$d --python_out="$W/py" examples/$d/*.proto || return 1; done
    for test in with_retries without_them of_collectors of_h2_servers; do
        run_case go "$GO_VERSION" server "a_rolling_restart_$test" env BUILD="$BUILD" PYTHONPATH="$W/py" PYTHONDONTWRITEBYTECODE=1 \
            RESTART_GO="$W/restart/restart" "$PYTHON" tests/peers/ending.py "a_rolling_restart_$test"
    done
}

with_go() {
    command -v go >/dev/null || { skip go "there is no Go toolchain"; return 0; }
    [ -x "$W/go/client" ] || GOBIN=$W/go go install "google.golang.org/grpc/interop/client@$GO_VERSION" \
        "google.golang.org/grpc/interop/server@$GO_VERSION" >"$W/out" 2>&1 || { tail "$W/out"; return 1; }
    start_server port "$W/go/server"
    mote_as_client go "$GO_VERSION" "$port"
    mote_as_server go "$GO_VERSION" "empty_unary large_unary client_streaming server_streaming ping_pong empty_stream
        custom_metadata status_code_and_message special_status_message unimplemented_method unimplemented_service
        cancel_after_begin cancel_after_first_response timeout_on_sleeping_server rpc_soak channel_soak" \
        "$W/go/client" --server_host=127.0.0.1 --soak_per_iteration_max_acceptable_latency_ms=20000
    restarts || return 1
    mote_as_server go "$GO_VERSION" "orca_per_rpc orca_oob" "$W/go/client" --server_host=127.0.0.1 \
        --service_config_json="$ORCA"
    start_server port "$W/go/server" --use_tls --tls_cert_file="$W/tls/server.pem" --tls_key_file="$W/tls/server.key"
    tls_client go "$GO_VERSION" "$port"
    tls_server go "$GO_VERSION" "$W/go/client" --use_tls --use_test_ca --ca_file="$W/tls/ca.pem" --server_host_override=localhost
}

with_js() {
    command -v npm >/dev/null || { skip js "there is no npm"; return 0; }
    [ -d "$W/node_modules/@grpc/proto-loader" ] || (cd "$W" && npm install --ignore-scripts --silent --no-fund --no-audit --no-save \
        "@grpc/grpc-js@$JS_VERSION" "@grpc/proto-loader@$LOADER_VERSION" >"$W/out" 2>&1) || { tail "$W/out"; return 1; }
    export NODE_PATH=$W/node_modules
    start_server port node tests/interop/peer.js server
    mote_as_client js "$JS_VERSION" "$port"
    mote_as_server js "$JS_VERSION" "$(node tests/interop/peer.js client --test_case=list)" node tests/interop/peer.js client
    both_over_tls js "$JS_VERSION" node tests/interop/peer.js
}

with_java() {
    command -v mvn >/dev/null || { skip java "there is no Maven"; return 0; }
    [ -s "$W/classpath" ] || mvn -q -B -f tests/interop/pom.xml dependency:build-classpath \
        -Dmdep.outputFile="$W/classpath" >"$W/out" 2>&1 || { tail "$W/out"; return 1; }
    local version java
    version=$(sed -nE 's/.*<version>([0-9.]+\.[0-9]+)<.*/\1/p' tests/interop/pom.xml)
    java="java -cp $(cat "$W/classpath") io.grpc.testing.integration"
    start_server port $java.TestServiceServer --use_tls=false
    mote_as_client java "$version" "$port"
    mote_as_server java "$version" "empty_unary large_unary client_compressed_unary server_compressed_unary client_streaming
        client_compressed_streaming server_streaming server_compressed_streaming ping_pong empty_stream custom_metadata
        status_code_and_message special_status_message unimplemented_method unimplemented_service cancel_after_begin
        cancel_after_first_response timeout_on_sleeping_server rpc_soak channel_soak" \
        $java.TestServiceClient --server_host=localhost --use_tls=false \
        --soak_per_iteration_max_acceptable_latency_ms=20000 --soak_overall_timeout_seconds=80
    mote_as_server java "$version" "orca_per_rpc orca_oob" $java.TestServiceClient --server_host=localhost --use_tls=false \
        --service_config_json="$ORCA"
    # Its server brings its own certificate, by a CA that lies beside it.
    (cd "$W/tls" && jar=$(tr : '\n' <"$W/classpath" | grep '/grpc-testing-') && jar xf "$jar" certs/ca.pem &&
        rm -f trust && keytool -importcert -noprompt -file ca.pem -keystore trust -storepass changeit) >"$W/out" 2>&1
    start_server port $java.TestServiceServer --use_tls=true
    tls_client java "$version" "$port" --ca_file="$W/tls/certs/ca.pem" --server_host_override=foo.test.google.fr
    tls_server java "$version" java -Djavax.net.ssl.trustStore="$W/tls/trust" -Djavax.net.ssl.trustStorePassword=changeit \
        ${java#java }.TestServiceClient --use_tls=true
}

with_tonic() {
    command -v cargo >/dev/null || { skip tonic "there is no Cargo"; return 0; }
    local version
    version=$(sed -nE 's/^tonic = .*"=([0-9.]+)".*/\1/p' tests/interop/tonic/Cargo.toml)
    mkdir -p "$W/tonic" && cp -r -u tests/interop/tonic/. "$W/tonic"
    (cd "$W/tonic" && MOTE_INTEROP="$PWD/../../../tests/interop" cargo build -q >"$W/out" 2>&1) || { tail "$W/out"; return 1; }
    start_server port "$W/tonic/target/debug/peer" server
    mote_as_client tonic "$version" "$port"
    mote_as_server tonic "$version" "$("$W/tonic/target/debug/peer" client --test_case=list)" "$W/tonic/target/debug/peer" client
    both_over_tls tonic "$version" "$W/tonic/target/debug/peer"
}

with_connect() {
    command -v npm >/dev/null || { skip connect "there is no npm"; return 0; }
    [ -d "$W/node_modules/@connectrpc/connect-node" ] || (cd "$W" && npm install --ignore-scripts --silent --no-fund --no-audit --no-save \
        "@connectrpc/connect@$CONNECT_VERSION" "@connectrpc/connect-node@$CONNECT_VERSION" \
        "@bufbuild/protobuf@$PROTOBUF_ES_VERSION" >"$W/out" 2>&1) || { tail "$W/out"; return 1; }
    protoc -I tests/interop --include_imports --descriptor_set_out="$W/interop.descriptors" interop.proto || return 1
    export NODE_PATH=$W/node_modules MOTE_DESCRIPTORS=$W/interop.descriptors
    start_server port node tests/interop/connect.js server
    mote_as_client connect "$CONNECT_VERSION" "$port"
    mote_as_server connect "$CONNECT_VERSION" "$(node tests/interop/connect.js client --test_case=list)" \
        node tests/interop/connect.js client
    both_over_tls connect "$CONNECT_VERSION" node tests/interop/connect.js
}

grpcurl_says() { # grpcurl_says TEXT ARGUMENTS...: what it prints holds the text
    local text=$1
    shift
    "$W/go/grpcurl" -plaintext "$@" >"$W/grpcurl" 2>&1 && grep -qF "$text" "$W/grpcurl" || { cat "$W/grpcurl"; false; }
}
export -f grpcurl_says
export W

with_grpcurl() { # a device with reflection, which needs no .proto file
    command -v go >/dev/null || { skip grpcurl "there is no Go toolchain"; return 0; }
    [ -x "$W/go/grpcurl" ] || GOBIN=$W/go go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$GRPCURL_VERSION" \
        >"$W/out" 2>&1 || { tail "$W/out"; return 1; }
    local number=$((20000 + RANDOM % 10000))
    "$BUILD/device" --address="127.0.0.1:$number" >/dev/null &
    pids="$pids $!"
    sleep 0.5
    says() { # says CASE TEXT ARGUMENTS...
        local name=$1
        shift
        run_case grpcurl "$GRPCURL_VERSION" server "$name" bash -c 'grpcurl_says "$@"' - "$@"
    }
    says list mote.device.Device "127.0.0.1:$number" list
    says list_v1alpha grpc.reflection.v1alpha.ServerReflection "127.0.0.1:$number" list
    says describe "rpc Watch ( .mote.device.Channel ) returns ( stream .mote.device.Reading );" "127.0.0.1:$number" describe
    says describe_message "sint32 value = 2;" "127.0.0.1:$number" describe mote.device.Reading
    says unary '"channel": 1' -d '{"number": 1}' "127.0.0.1:$number" mote.device.Device/Read
    says health SERVING "127.0.0.1:$number" grpc.health.v1.Health/Check
    says health_list mote.device.Device "127.0.0.1:$number" grpc.health.v1.Health/List
}

start_server mote "$BUILD/interop_server"
mkdir -p "$W/tls"
(. tests/certificates.sh && cd "$W/tls" && ca ca && cert server ca 20 DNS:localhost) >"$W/out" 2>&1 || { tail "$W/out"; exit 1; }
start_server mote_tls "$BUILD/interop_server" --use_tls=true --cert="$W/tls/server.pem" --key="$W/tls/server.key"
# shellcheck disable=SC2048
for peer in ${*:-mote cpp python go js java tonic connect grpcurl}; do
    at=$((at + 1))
    with_"$peer" || {
        failed=$((failed + 1))
        echo "FAIL $peer: it could not be prepared"
    }
done
awk -F '\t' '{ k = $1 " " $2; if (!(k in seen)) { seen[k] = 1; order[++n] = k } c[k, $3, $5]++ }
    END { for (i = 1; i <= n; i++) { k = order[i]; printf "%-18s mote as client: %2d passed, %d failed, %d not served; as server: %2d passed, %d failed; over TLS: %2d passed, %d failed\n",
        k, c[k, "client", "passed"], c[k, "client", "failed"], c[k, "client", "not served by the peer"], c[k, "server", "passed"], c[k, "server", "failed"],
        c[k, "client, TLS", "passed"] + c[k, "server, TLS", "passed"], c[k, "client, TLS", "failed"] + c[k, "server, TLS", "failed"] } }' "$table"
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ $failed = 0 ]
