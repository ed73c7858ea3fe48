#!/bin/bash
# A device that dials out is called over the connection that it opened; it dials again when that is gone.
set -u
BUILD=${BUILD:-build}
W=$BUILD/test/reverse
. tests/lib.sh
mkdir -p "$W"
port=$((20000 + RANDOM % 10000))
"$BUILD/device" --dial=127.0.0.1:$port &
device=$!
trap 'kill $device' EXIT
call() { timeout 20 "$BUILD/device_caller" --listen=127.0.0.1:$port "$@" >"$W/out" 2>"$W/err"; }
first() { call --channel=2 && grep -q 'channel 2: 1013' "$W/out"; }
check "it dials until there is a caller" first
second() { call --channel=2 --set=-5 --watch=3 && [ "$(grep -c 'channel 2: -5' "$W/out")" = 4 ]; }
check "it dials again" second
refused() { ! call --channel=9 && grep -q 'OUT_OF_RANGE: channels are 0 to 3' "$W/err"; }
check "a status that is not OK" refused
summary
