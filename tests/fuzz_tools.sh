#!/bin/bash
# mote-frames and mote-differ as programs: text and back, the proxy and a capture make the seed that was said, a replay is answered,
# a failure is made small; what differs is printed, and ends with 1.
set -u
export BUILD=${BUILD:-build}
. tests/lib.sh
W=$(mktemp -d)
servers=
# shellcheck disable=SC2086
trap '[ -z "$servers" ] || kill $servers 2>/dev/null; rm -rf "$W"' EXIT
FRAMES=$PWD/$BUILD/mote-frames
DIFFER=$BUILD/mote-differ

cat >"$W/said.txt" <<'T'
preface
SETTINGS
PING
  data "01234567"
HEADERS stream=1 flags=END_STREAM|END_HEADERS
  index 2
  index 6
  index 4
  plain 1 "a.test"
  plain "x-a" "1"
T
"$FRAMES" --bytes "$W/said.txt" >"$W/said" || exit 1
started() { # started FILE: the address that a program prints
    for _ in $(seq 200); do
        grep -q 'listening on' "$1" && break
        sleep 0.02
    done
    sed -n 's/^listening on //p' "$1" | head -n 1
}
"$BUILD/h2_server" --port=0 >"$W/server" 2>&1 &
servers="$servers $!"
address=$(started "$W/server")

both_ways() { "$FRAMES" "$W/said" | sed 's/ #.*//' | diff - "$W/said.txt"; }
replays() {
    "$FRAMES" --replay "$W/said" "$address" >"$W/out" && grep -q '# :status: 200' "$W/out" && grep -q 'PING flags=ACK' "$W/out" &&
        grep -q 'the server waits' "$W/out"
}
records() {
    mkdir -p "$W/recorded"
    "$FRAMES" --count=2 --record 0 "$address" "$W/recorded" >"$W/proxy" &
    local proxy=$! to
    to=$(started "$W/proxy")
    "$FRAMES" --replay "$W/said" "$to" >"$W/out" && "$FRAMES" --replay "$W/said" "$to" >"$W/out" && wait "$proxy" &&
        cmp "$W/said" "$W/recorded/client-1" && cmp "$W/said" "$W/recorded/client-2" &&
        "$FRAMES" "$W/recorded/server-2" | diff - <(grep -v '^# the server' "$W/out")
}
captures() {
    mkdir -p "$W/captured"
    python3 tests/peers/capture.py "$W/said" "$W/capture.pcap" && "$FRAMES" --pcap "$W/capture.pcap" "$W/captured" &&
        cmp "$W/said" "$W/captured/client-1" && [ "$(cat "$W/captured/server-1")" = answer ] && [ ! -e "$W/captured/client-3" ] &&
        cmp "$W/said" "$W/captured/client-2"
}
cat >"$W/fails.sh" <<'S'
! grep -q x-a "$1"
S
minimises() { # what matters is a field
    "$FRAMES" --minimise "$W/said" sh "$W/fails.sh" | sed 's/ #.*//' | diff - <(printf 'preface\nSETTINGS\nHEADERS stream=1 flags=END_STREAM|END_HEADERS\n  plain "x-a" "1"\n')
}
refuses() { # refuses TEXT ARGUMENT...: ends with 2 and the text
    local text=$1
    shift
    "$@" >"$W/out" 2>&1
    [ $? = 2 ] && grep -qF "$text" "$W/out"
}
differs() { # without the list; with it nothing is left of this one
    printf '== closed\npreface\nSETTINGS\nGOAWAY last=0 code=NO_ERROR\n' >"$W/seeds.txt"
    "$DIFFER" --rules= --runs=0 nghttp2 "$W/seeds.txt" >"$W/out"
    [ $? = 1 ] && grep -q 'libnghttp2 *closed' "$W/out" && "$DIFFER" --runs=0 --all nghttp2 "$W/seeds.txt" >"$W/out" &&
        grep -q 'on the list: 6.8' "$W/out"
}
# Over a socket it is the same server, so nothing differs.
differs_not_over_a_socket() { "$DIFFER" --no-bodies --quiet=1000 --runs=0 "$address" "$W/seeds.txt" >"$W/out"; }

check "text and back" both_ways
check "a replay" replays
check "a proxy records" records
check "a capture" captures
check "a failure is made small" minimises
check "a wrong line" refuses "no type of frame has this name" "$FRAMES" --bytes <(echo NONE)
check "no file" refuses "cannot read" "$FRAMES" "$W/none"
check "no server" refuses "no connection to" "$DIFFER" --runs=0 127.0.0.1:1 "$W/said"
check "a wrong list" refuses "six columns are wanted" "$DIFFER" --rules=<(echo 'a | b') nghttp2 "$W/said"
check "libnghttp2" differs
check "a socket" differs_not_over_a_socket
summary
