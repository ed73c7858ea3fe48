#!/bin/bash
# All tests: runs the test programs that `make test-programs` has built and the real peers, and adds up.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
T=$BUILD/test
A=$BUILD/asan
PYTHON=/usr/bin/python3
export PYTHONPATH=$T/py PYTHONDONTWRITEBYTECODE=1
mkdir -p "$T/py"
: >"$T/seconds.tsv"
passed=0
failed=0
servers=
retries=0 # how many may run once more
begin=$SECONDS

cleanup() {
    # shellcheck disable=SC2086
    [ -z "$servers${later_pids[*]}" ] || kill $servers "${later_pids[@]}" 2>/dev/null
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
    printf '%d\t%s\n' $((SECONDS - begin)) "$1" >>"$T/seconds.tsv"
    begin=$SECONDS
}

run() { # run NAME COMMAND...
    local name=$1 status
    shift
    timeout "${LIMIT:-300}" "$@" >"$T/out" 2>&1
    status=$?
    if [ "$status" != 0 ] && [ "$retries" -gt 0 ]; then
        retries=$((retries - 1))
        sed 's/^/  first run: /' "$T/out" | tail -n 20
        echo "  $name: has failed once with status $status, and runs once more"
        timeout "${LIMIT:-300}" "$@" >"$T/out" 2>&1
        status=$?
    fi
    result "$name" "$T/out" $status
}

# What computes and waits for nothing runs beside what waits. It is told at the end, and what has failed runs once more, alone.
later_names=()
later_commands=()
later_pids=()
later() { # later NAME COMMAND...
    later_names+=("$1")
    shift
    later_commands+=("$(printf '%q ' "$@")")
    timeout "${LIMIT:-600}" "$@" >"$T/later.${#later_names[@]}" 2>&1 &
    later_pids+=("$!")
}
collect() {
    local i status
    for i in "${!later_names[@]}"; do
        wait "${later_pids[i]}"
        status=$?
        if [ "$status" = 0 ] || [ "$retries" = 0 ]; then
            result "${later_names[i]}" "$T/later.$((i + 1))" $status
        else
            retries=$((retries - 1))
            sed 's/^/  first run: /' "$T/later.$((i + 1))" | tail -n 20
            echo "  ${later_names[i]}: has failed once with status $status, and runs once more"
            LIMIT=600 run "${later_names[i]}" bash -c "${later_commands[i]}"
        fi
    done
    later_pids=()
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

# ---- what peers speak

protoc -I tests/peers --python_out="$T/py" peer.proto || exit 1
for d in tour services fleet device; do protoc -I examples/$d --python_out="$T/py" examples/$d/*.proto || exit 1; done
protoc -I grpc/services --python_out="$T/py" health.proto reflection.proto rpc.proto || exit 1

# ---- without peers

run "gzip and deflate, with zlib" $PYTHON tests/peers/flate.py "$T/flate.so"
export LIST=1
# shellcheck disable=SC2046
many() { run "$1" tests/unit.sh $(make -s --no-print-directory BUILD="$BUILD" "print-$2"); }
LIMIT=300 many "in-process tests, sanitizers" ASAN_PROGRAMS
LIMIT=300 many "in-process tests, small builds" SMALL_PROGRAMS
LIMIT=300 many "many streams, counted" PROGRAMS_counted
run "instructions, counted" "$T/counts" tests/bench/counts.txt
run "threads, watched" "$BUILD/tsan/test_agent"
run "workers, watched" "$BUILD/tsan/test_workers"
run "mailboxes, watched" "$BUILD/tsan/test_mailbox"
run "2,000 connections on workers" env FLEET=2000 ONLY=connections_are_spread_over_workers "$BUILD/asan/test_workers"
run "attacks" "$T/attack_plain"
run "attacks on h2_server" "$T/attack_loopback" server "$BUILD/h2_server"
run "attacks on h2_client" "$T/attack_loopback" client "$BUILD/h2_client"
run "house" env BUILD="$BUILD" tests/house.sh
run "rfc" tests/rfc.sh
run "tools of those who fuzz" env BUILD="$BUILD" tests/fuzz_tools.sh
run "promises" env BUILD="$BUILD" CC="$CC" tests/promises.sh

# ---- real peers

# Other programs and their clocks lose a race on a busy machine now and then: two of them may run once more, and it is said.
# What has failed twice, or is the third one, has failed.
retries=2
LIMIT=900 later "generator" env BUILD="$BUILD" CC="$CC" PYTHON=$PYTHON tests/pb/generator.sh
start_server address "$A/peer_server"
run "grpcio client" $PYTHON tests/peers/grpcio_client.py "$address"
start_server small "$A/peer_server" --small
run "grpcio client, small" $PYTHON tests/peers/grpcio_client.py "$small" --small
run "bad input" $PYTHON tests/peers/bad_input.py "$address"
run "bad input, small" $PYTHON tests/peers/bad_input.py "$small"
run "servers that misbehave" $PYTHON tests/peers/misbehave.py "$BUILD"
start_server unix "$A/peer_server" --address="unix:$T/socket"
run "grpcio client, Unix socket" $PYTHON tests/peers/grpcio_client.py "$unix"
start_server v6 "$A/peer_server" --address="[::1]:0"
run "grpcio client, IPv6" $PYTHON tests/peers/grpcio_client.py "$v6"
start_server grpcio $PYTHON tests/peers/grpcio_server.py
run "grpcio server" "$A/peer_client" "$grpcio"
for m in sim7x00 quectel; do run "grpcio server, through a modem: $m" "$A/peer_client" --modem=$m "$grpcio"; done
run "grpcio server, lean client" "$BUILD/small-client/peer_client" "$grpcio"
run "grpcio server, client as measured" "$BUILD/measured/peer_client" "$grpcio"
start_server lean "$BUILD/small-server/peer_server"
run "grpcio client, lean server" $PYTHON tests/peers/grpcio_client.py "$lean"
run "mote with mote" "$A/peer_client" "$address"
start_server device "$BUILD/device" --address=127.0.0.1:0 --metrics=127.0.0.1:19464
run "health and reflection" $PYTHON tests/peers/services_peer.py "$device" 127.0.0.1:19464
run "device that dials out" env BUILD="$BUILD" tests/peers/reverse.sh
start_server h2 "$A/h2_server_plain" --port=0
LIMIT=900 run "TLS" env BUILD="$BUILD" PYTHON=$PYTHON CC="$CC" tests/tls.sh
run "HTTP/2 tools" env BUILD="$BUILD" tests/peers/tools.sh "$h2"
# On lwIP, the library that Debian has, with threads; a relay in the same process leads to grpcio.
lwip_task() {
    mkdir -p "$T/lwip" && protoc --plugin="$BUILD/protoc-gen-mote" -I examples/hello --mote_opt=runtime="$PWD" --mote_out="$T/lwip" hello.proto &&
        $CC -std=gnu11 -g -fsanitize=address,undefined -Wall -Wextra -Werror -I"$T/lwip" -isystem /usr/include/lwip port/lwip/task.c tests/peers/lwip_task.c \
            "$T/lwip/hello.mote.c" "$A/libmote.a" -llwip -pthread -o "$T/lwip/client" &&
        $PYTHON tests/peers/hello_peer.py "" "$T/lwip/client" && echo "1 passed, 0 failed"
}
export -f lwip_task
run "lwIP with tasks, grpcio server" env BUILD="$BUILD" T="$T" A="$A" CC="$CC" PYTHON=$PYTHON bash -c lwip_task
run "examples" env BUILD="$BUILD" PYTHON=$PYTHON tests/peers/examples.sh
run "text that does harm" env BUILD="$BUILD" $PYTHON tests/peers/hostile_text.py
run "ends and full servers" env BUILD="$BUILD" $PYTHON tests/peers/ending.py
run "ways out of calls" env BUILD="$BUILD" $PYTHON tests/peers/ways_out.py
run "ways out of calls of clients" env BUILD="$BUILD" SAMPLE=64 $PYTHON tests/peers/ways_out_clients.py
run "mote-serial" env BUILD="$BUILD" $PYTHON tests/peers/serial_peer.py
LIMIT=120 run "demo" env BUILD="$BUILD" tests/demo.sh
LIMIT=300 run "fleet on bad days" env BUILD="$BUILD" CC="$CC" $PYTHON tests/fleet/faults.py
LIMIT=120 run "fleet, calls that fail" env BUILD="$BUILD" CC="$CC" $PYTHON tests/fleet/errnos.py 12 "${SEED:-1}"
LIMIT=120 run "fleet in the laboratory" env BUILD="$BUILD" CC="$CC" $PYTHON tests/fleet/lab.py short
run "install" env BUILD="$BUILD" CC="$CC" tests/install.sh
run "packages, quick" env BUILD="$BUILD" CC="$CC" tests/packages.sh quick
run "docs, quick" env BUILD="$BUILD" tests/docs.sh quick
collect

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
