# shellcheck shell=bash
# Builds scenario_mote and those of the peers whose toolchains are there (after lib.sh): sets peers, and name_ of each.
GO_VERSION=v1.85.0
mkdir -p "$B/cc" "$B/go"
root=$PWD

# shellcheck disable=SC2046,SC2086
$CC -std=c11 -O2 -flto -I. -Itests/interop -o "$B/scenario_mote" tests/bench/scenario.c tests/interop/interop.mote.c \
    $(make -s --no-print-directory print-CORE) $(make -s --no-print-directory print-POSIX) port/posix/tls.c tls/absent.c 2>"$B/out" || { cat "$B/out"; exit 1; }
[ "$B/scenario_cpp" -nt tests/bench/scenario.cc ] || {
    protoc -I tests/bench -I tests/interop --cpp_out="$B/cc" --grpc_out="$B/cc" \
        --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" benchmark.proto interop.proto
    # shellcheck disable=SC2046
    g++ -std=c++17 -O2 -I"$B/cc" tests/bench/scenario.cc "$B"/cc/benchmark*.cc "$B/cc/interop.pb.cc" \
        $(pkg-config --libs grpc++ protobuf) -o "$B/scenario_cpp"
}
peers="cpp"
if command -v go >/dev/null; then
    peers="$peers go"
    [ "$B/scenario_go" -nt tests/bench/go/main.go ] || (
        cp tests/bench/go/main.go "$B/go/"
        cd "$B/go" || exit
        printf 'module scenario\n\ngo 1.24\n\nrequire google.golang.org/grpc %s\n' $GO_VERSION >go.mod
        { go mod tidy && go build -o ../scenario_go .; } >../out 2>&1 || { cat ../out; exit 1; }
    )
fi
if command -v cargo >/dev/null; then
    peers="$peers tonic"
    mkdir -p "$B/tonic"
    cp -r -u tests/bench/tonic/. "$B/tonic"
    (cd "$B/tonic" && MOTE_PROTOS="$root/tests/bench:$root/tests/interop" cargo build -q --release >../out 2>&1) || { cat "$B/out"; exit 1; }
    ln -sf tonic/target/release/scenario "$B/scenario_tonic"
fi
name_cpp="gRPC C++ $(pkg-config --modversion grpc++)"
name_go="grpc-go ${GO_VERSION#v}"
name_tonic="tonic $(sed -nE 's/^tonic = .*"=([0-9.]+)".*/\1/p' tests/bench/tonic/Cargo.toml)"
