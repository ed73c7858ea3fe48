#!/bin/bash
# All tests: builds the test programs with sanitizers, runs them and the real peers, and adds up.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
T=$BUILD/test
SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all"
CFLAGS="-std=c11 -g -O1 -Wall -Wextra -Werror $SANITIZE"
PYTHON=/usr/bin/python3
export PYTHONPATH=$T/py PYTHONDONTWRITEBYTECODE=1
mkdir -p "$T/py" "$T/obj"
passed=0
failed=0
servers=

cleanup() {
    # shellcheck disable=SC2086
    [ -z "$servers" ] || kill $servers 2>/dev/null
}
trap cleanup EXIT

result() { # result NAME OUTPUT-FILE EXIT-STATUS: adds the last line "N passed, N failed"
    local line p f
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$2" | tail -n 1)
    p=$(echo "$line" | sed -E 's/^([0-9]+) passed.*/\1/')
    f=$(echo "$line" | sed -E 's/.*passed, ([0-9]+) failed.*/\1/')
    if [ -z "$line" ] || { [ "$3" != 0 ] && [ "$f" = 0 ]; }; then
        p=${p:-0}
        f=$((${f:-0} + 1))
        echo "  $1 ended with status $3"
    fi
    grep -vE '^[0-9]+ passed, [0-9]+ failed' "$2" | tail -n 40 | sed 's/^/  /'
    passed=$((passed + p))
    failed=$((failed + f))
    printf '%-28s %4d passed, %d failed\n' "$1" "$p" "$f"
}

run() { # run NAME COMMAND...
    local name=$1 status
    shift
    timeout "${LIMIT:-100}" "$@" >"$T/out" 2>&1
    status=$?
    result "$name" "$T/out" $status
}

start_server() { # start_server VARIABLE COMMAND...: the address it prints goes to VARIABLE
    local variable=$1 file
    shift
    file=$(mktemp "$T/server.XXXXXX")
    "$@" >"$file" 2>&1 &
    servers="$servers $!"
    last_server=$!
    for _ in $(seq 100); do
        grep -q 'listening on' "$file" && break
        sleep 0.05
    done
    printf -v "$variable" '%s' "$(sed -n 's/^listening on //p' "$file" | head -n 1)"
}

# ---- build

for f in $(make -s --no-print-directory print-CORE) $(make -s --no-print-directory print-POSIX); do
    echo "$T/obj/$(echo "$f" | tr / _).o: $f \$(wildcard */*.h */*/*.h); @$CC $CFLAGS -c $f -o \$@"
done >"$T/rules"
objects=$(sed 's/:.*//' "$T/rules" | tr '\n' ' ')
echo "$T/libmote.a: $objects; @rm -f \$@ && ${AR:-ar} rcs \$@ $objects" | cat - "$T/rules" >"$T/rules.mk"
make -s -j2 -f "$T/rules.mk" "$T/libmote.a" || exit 1
program() { # program NAME SOURCES...
    local name=$1
    shift
    # shellcheck disable=SC2086
    $CC $CFLAGS "$@" "$T/libmote.a" -o "$T/$name" || exit 1
}
units="hpack hpack_limits h2 h2_rules h2_limits h2_owed h2_send trace pb grpc channel life outbox posix"
for t in $units; do program test_$t tests/unit/test_$t.c; done
lean() { # lean NAME OPTIONS... SOURCES...: with parts of mote left out (h2/mote_features.h)
    local name=$1
    shift
    # shellcheck disable=SC2086
    $CC $CFLAGS -DMOTE_HPACK_SMALL -DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION "$@" hpack/*.c h2/*.c grpc/*.c grpc/channel/*.c pb/pb_[detw]*.c \
        $(make -s --no-print-directory print-POSIX) -o "$T/$name" || exit 1
}
lean test_features -DMOTE_CLIENT_ONLY tests/unit/test_features.c
lean lean_client -DMOTE_CLIENT_ONLY tests/peers/peer_client.c
lean lean_server -DMOTE_SERVER_ONLY tests/peers/peer_server.c tests/peers/peer_service.c
program test_serial tests/unit/test_serial.c port/serial/serial.c
program peer_server tests/peers/peer_server.c tests/peers/peer_service.c
program peer_client tests/peers/peer_client.c
program replay tests/golden/replay.c tests/peers/peer_service.c
# shellcheck disable=SC2046
program wire $(make -s --no-print-directory print-parts_wire)
program h2_server examples/tools/h2_server.c port/posix/tls.c tls/absent.c
program fuzz_tls fuzz/fuzz_tls.c fuzz/standalone.c tls/tls.c tls/context.c tls/verify.c tls/signer.c -lmbedtls -lmbedx509 -lmbedcrypto
program attack_local tests/attack/local.c tests/attack/attacks.c
# Bounds on processor time are for programs as people build them.
# shellcheck disable=SC2086
$CC -std=c11 -O2 tests/attack/local.c tests/attack/attacks.c hpack/*.c h2/*.c grpc/strerror.c -o "$T/attack_plain" || exit 1
$CC -std=c11 -O2 -Wno-unused-result tests/attack/loopback.c tests/attack/attacks.c -o "$T/attack_loopback" || exit 1
# shellcheck disable=SC2086
$CC $CFLAGS -DMOTE_HPACK_SMALL tests/unit/test_hpack.c hpack/*.c grpc/strerror.c -o "$T/test_hpack_small" || exit 1
for t in hpack huffman h2 pair flate; do program fuzz_$t fuzz/fuzz_$t.c fuzz/standalone.c; done
program fuzz_pb fuzz/fuzz_pb.c fuzz/schema.mote.c fuzz/schema3.mote.c fuzz/standalone.c
program fuzz_server fuzz/fuzz_grpc.c fuzz/standalone.c tests/peers/peer_service.c
program fuzz_client -DFUZZ_CLIENT=1 fuzz/fuzz_grpc.c fuzz/standalone.c tests/peers/peer_service.c
program test_mutator tests/unit/test_mutator.c fuzz/mutator.c fuzz/mutator_headers.c
$CC $CFLAGS fuzz/fuzz_nghttp2.c fuzz/standalone.c "$T/libmote.a" -lnghttp2 -o "$T/fuzz_nghttp2" || exit 1
protoc -I tests/peers --python_out="$T/py" peer.proto || exit 1
for d in tour services fleet device; do protoc -I examples/$d --python_out="$T/py" examples/$d/*.proto || exit 1; done
protoc -I grpc/services --python_out="$T/py" health.proto reflection.proto || exit 1

# ---- without peers

# shellcheck disable=SC2086
$CC -shared -fPIC -O2 -std=c11 grpc/codec/gzip.c grpc/codec/inflate.c grpc/codec/deflate.c -o "$T/flate.so" || exit 1
run "gzip and deflate, with zlib" $PYTHON tests/peers/flate.py "$T/flate.so"
for t in $units hpack_small mutator serial features; do run "unit $t" "$T/test_$t"; done
run "attacks" "$T/attack_plain"
run "attacks, sanitizers" "$T/attack_local" --no-cpu
run "attacks on h2_server" "$T/attack_loopback" server "$BUILD/h2_server"
run "attacks on h2_client" "$T/attack_loopback" client "$BUILD/h2_client"
run "house" env BUILD="$BUILD" tests/house.sh
run "rfc" tests/rfc.sh
run "promises" env BUILD="$BUILD" CC="$CC" tests/promises.sh
for f in tests/golden/*.in; do run "golden $(basename "$f" .in)" "$T/replay" "$f"; done
run "wire" "$T/wire" tests/golden/wire/*.txt

for t in hpack huffman pair pb flate tls; do run "fuzz corpus $t" "$T/fuzz_$t" fuzz/corpus/$t; done
run "fuzz corpus nghttp2" "$T/fuzz_nghttp2" fuzz/corpus/hpack
for t in h2 server client; do run "fuzz corpus $t" "$T/fuzz_$t" fuzz/corpus/conversations; done

# ---- real peers

start_server address "$T/peer_server"
run "grpcio client" $PYTHON tests/peers/grpcio_client.py "$address"
start_server small "$T/peer_server" --small
run "grpcio client, small" $PYTHON tests/peers/grpcio_client.py "$small" --small
run "bad input" $PYTHON tests/peers/bad_input.py "$address"
run "bad input, small" $PYTHON tests/peers/bad_input.py "$small"
run "servers that misbehave" $PYTHON tests/peers/misbehave.py "$BUILD"
start_server unix "$T/peer_server" --address="unix:$T/socket"
run "grpcio client, Unix socket" $PYTHON tests/peers/grpcio_client.py "$unix"
start_server v6 "$T/peer_server" --address="[::1]:0"
run "grpcio client, IPv6" $PYTHON tests/peers/grpcio_client.py "$v6"
start_server grpcio $PYTHON tests/peers/grpcio_server.py
run "grpcio server" "$T/peer_client" "$grpcio"
run "grpcio server, lean client" "$T/lean_client" "$grpcio"
start_server lean "$T/lean_server"
run "grpcio client, lean server" $PYTHON tests/peers/grpcio_client.py "$lean"
run "mote with mote" "$T/peer_client" "$address"
start_server device "$BUILD/device" --address=127.0.0.1:0 --metrics=127.0.0.1:19464
run "health and reflection" $PYTHON tests/peers/services_peer.py "$device" 127.0.0.1:19464
run "device that dials out" env BUILD="$BUILD" tests/peers/reverse.sh
start_server h2 "$T/h2_server" --port=0
LIMIT=400 run "TLS" env BUILD="$BUILD" PYTHON=$PYTHON CC="$CC" tests/tls.sh
run "HTTP/2 tools" env BUILD="$BUILD" tests/peers/tools.sh "$h2"
run "generator" env BUILD="$BUILD" CC="$CC" PYTHON=$PYTHON tests/pb/generator.sh
run "examples" env BUILD="$BUILD" PYTHON=$PYTHON tests/peers/examples.sh
LIMIT=120 run "demo" env BUILD="$BUILD" tests/demo.sh
run "install" env BUILD="$BUILD" CC="$CC" tests/install.sh

# A server that a sanitizer stopped is not there any more.
for s in $servers; do
    if kill -0 "$s" 2>/dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "a server ended early:"
        tail -n 20 "$T"/server.*
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
