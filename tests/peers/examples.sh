#!/bin/bash
# The examples against grpcio in both directions, and against each other.
set -u
BUILD=${BUILD:-build}
PYTHON=${PYTHON:-/usr/bin/python3}
. tests/lib.sh
W=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$W"' EXIT

start() { # start FILE COMMAND...: sets address
    local file=$1
    shift
    "$@" >"$file" &
    pids="$pids $!"
    for _ in $(seq 100); do
        grep -q 'listening on' "$file" && break
        sleep 0.05
    done
    address=$(sed -n 's/^listening on //p' "$file")
}

use_clients() { # use_clients UNARY SERVER_STREAM CLIENT_STREAM BIDI: addresses; sender in $who
    check "unary_client with $who" sh -c "$BUILD/unary_client --address=$1 weather | grep -q '^weather: '"
    check "server_stream_client with $who" sh -c \
        "[ \$($BUILD/server_stream_client --address=$2 2000 | grep -c 'note ') = 2000 ]"
    check "client_stream_client with $who" sh -c \
        "[ \"\$(seq 3000 | $BUILD/client_stream_client --address=$3)\" = 'published 3000' ]"
    check "bidi_client with $who" sh -c \
        "[ \$(seq 500 | $BUILD/bidi_client --address=$4 | grep -c \"from $who\") = 500 ]"
}

addresses=
for kind in unary server_stream client_stream bidi; do
    start "$W/$kind" "$BUILD/${kind}_server" --address=127.0.0.1:0
    addresses="$addresses $address"
    check "${kind}_server with grpcio" $PYTHON tests/peers/tour_peer.py $kind "$address"
done
who=bidi_server use_clients $addresses
addresses=
for kind in unary server_stream client_stream bidi; do
    where=127.0.0.1:0
    [ "$kind" != bidi ] || where=unix:$W/socket
    start "$W/$kind.workers" "$BUILD/${kind}_server" --address="$where" --workers=$((${#kind} % 3))
    addresses="$addresses $address"
    check "${kind}_server on workers with grpcio" $PYTHON tests/peers/tour_peer.py $kind "$address"
done
who=bidi_server use_clients $addresses
for text in '' -1 +1 1x 1025 99999; do
    check "--workers=$text" sh -c "$BUILD/unary_server --workers='$text' 2>&1 | grep -q 'workers is not 0 to 1024\|no value'"
done
start "$W/grpcio" $PYTHON tests/peers/tour_peer.py server
who=grpcio use_clients "$address" "$address" "$address" "$address"

# ---- orders

use_orders() { # use_orders ADDRESS IMPORTED FAILED: with $who
    check "orders_client import with $who" sh -c "[ \"\$(seq 1 100 | sed 's/.*/id& me pen 2 199/' |
        $BUILD/orders_client --address=$1 import | head -n 1)\" = 'imported $2, failed $3' ]"
    check "orders_client history with $who" sh -c \
        "[ \$($BUILD/orders_client --address=$1 history me | grep -c ' me 0 [0-9]*x') = 100 ]"
    check "orders_client update with $who" sh -c \
        "[ \"\$(printf 'id1 1\nid2 1\n' | $BUILD/orders_client --address=$1 update | tr '\n' ,)\" = 'id1 1 ,id2 1 ,' ]"
}
start "$W/orders" "$BUILD/orders_server" --address=127.0.0.1:0
check "orders_server with grpcio" $PYTHON tests/peers/orders_peer.py client "$address"
who=orders_server use_orders "$address" 100 0
start "$W/orders_grpcio" $PYTHON tests/peers/orders_peer.py server
who=grpcio use_orders "$address" 99 1

# ---- files

head -c 2000000 /dev/urandom >"$W/file"
use_files() { # use_files ADDRESS: with $who
    check "files_client upload with $who" sh -c "$BUILD/files_client --address=$1 upload x <$W/file"
    check "files_client download with $who" sh -c \
        "$BUILD/files_client --address=$1 download x >$W/back && cmp $W/file $W/back"
}
mkdir "$W/files_folder"
start "$W/files" "$BUILD/files_server" --address=127.0.0.1:0 --folder="$W/files_folder"
check "files_server with grpcio" $PYTHON tests/peers/files_peer.py client "$address"
who=files_server use_files "$address"
check "files_server and what lies in its folder" $PYTHON tests/peers/files_peer.py folder "$BUILD/files_server"
start "$W/files_grpcio" $PYTHON tests/peers/files_peer.py server
who=grpcio use_files "$address"

# ---- prices

use_prices() { # use_prices ADDRESS: with $who
    check "prices_client with $who" sh -c \
        "[ \$(timeout 20 $BUILD/prices_client --address=$1 --count=8 ACME | grep -c '^ACME [0-9.]*$') = 8 ]"
}
start "$W/prices" "$BUILD/prices_server" --address=127.0.0.1:0
check "prices_server with grpcio" $PYTHON tests/peers/prices_peer.py client "$address"
who=prices_server use_prices "$address"
start "$W/prices_grpcio" $PYTHON tests/peers/prices_peer.py server
who=grpcio use_prices "$address"

# ---- monitor

use_monitor() { # use_monitor ADDRESS: with $who
    check "monitor_client push with $who" sh -c \
        "[ \"\$(seq 50 | sed 's/$/ 1.5 k=v other=x/' | $BUILD/monitor_client --address=$1 push)\" = 'accepted 50' ]"
    check "monitor_client log with $who" sh -c "[ \"\$(seq 50 | $BUILD/monitor_client --address=$1 log)\" = 'accepted 50' ]"
    check "monitor_client tail with $who" sh -c \
        "[ \$(timeout 20 $BUILD/monitor_client --address=$1 --count=50 tail | wc -l) = 50 ]"
}
start "$W/monitor" "$BUILD/monitor_server" --address=127.0.0.1:0
check "monitor_server with grpcio" $PYTHON tests/peers/monitor_peer.py client "$address"
who=monitor_server use_monitor "$address"
start "$W/monitor_grpcio" $PYTHON tests/peers/monitor_peer.py server
who=grpcio use_monitor "$address"

# ---- chat

use_chat() { # use_chat ADDRESS: with $who
    check "chat_client with $who" sh -c \
        "[ \"\$(printf 'a\nb\n' | timeout 20 $BUILD/chat_client --address=$1 --count=3 den me | tail -n 1)\" = 'me says b' ]"
}
start "$W/chat" "$BUILD/chat_server" --address=127.0.0.1:0
check "chat_server with grpcio" timeout 60 $PYTHON tests/peers/chat_peer.py client "$address"
who=chat_server use_chat "$address"
start "$W/chat_grpcio" $PYTHON tests/peers/chat_peer.py server
who=grpcio use_chat "$address"

check "what is taken byte by byte is whole, on each server" timeout 120 $PYTHON tests/peers/whole.py
check "a client without a server says so" sh -c \
    "! $BUILD/unary_client --address=127.0.0.1:1 2>$W/err && grep -q 'Connection refused' $W/err"
for p in $pids; do
    program=$(tr '\0' ' ' <"/proc/$p/cmdline")
    kill -TERM "$p"
    wait "$p" 2>/dev/null
    status=$?
    [ "${program#*python}" != "$program" ] || check "a server stops cleanly on SIGTERM" [ $status = 0 ]
done
pids=
summary
