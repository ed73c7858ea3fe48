#!/bin/bash
# HTTP/2 without gRPC: HPACK and the engine beside libnghttp2, build/h2_server beside nghttpd.
set -eu
. tests/bench/lib.sh
version=$(pkg-config --modversion libnghttp2)
REQUESTS=${REQUESTS:-1000000}

# The library as it is installed, without link-time optimization: so is its peer.
for program in hpack frames; do
    $CC -std=c11 -O2 tests/bench/$program.c "$BUILD/libmote.a" -lnghttp2 -o "$B/$program"
    for _ in $(seq "$ROUNDS"); do taskset -c 0 "$B/$program"; done >"$B/$program.out"
done

of() { # of FILE KEY COLUMN: median of a column in the lines that begin with the key
    awk -F '\t' -v key="$2" -v column="$3" '($1 "\t" $2) == key { print $column }' "$B/$1.out" | median
}
cut -f 1,2 "$B/hpack.out" | awk '!seen[$0]++' | while IFS= read -r key; do
    target=-
    case $key in
    *repeated*) target="50 ns" ;;
    *gRPC*unique*) target="130 ns" ;;
    esac
    line "HPACK ${key#*	}, ${key%	*}" "ns/block" "$(of hpack "$key" 3)" "$(of hpack "$key" 4)" \
        "libnghttp2 $version" "$target" less
    case $key in *encode) line "HPACK bytes, ${key%	*}" "bytes/block" "$(of hpack "$key" 5)" \
        "$(of hpack "$key" 6)" "libnghttp2 $version" "$(case $key in *repeated*) echo "8 bytes" ;; *) echo - ;; esac)" less ;;
    esac
done
cut -f 1,2 "$B/frames.out" | awk '!seen[$0]++' | while IFS= read -r key; do
    line "${key%	*}" "${key#*	}" "$(of frames "$key" 3)" "$(of frames "$key" 4)" \
        "libnghttp2 $version" - less
done

# ---- whole servers: the same page under the same load

mkdir -p "$B/htdocs"
start build/h2_server --port=0
mote_pid=$pid mote_url=http://$address/
curl -sS --http2-prior-knowledge "$mote_url" >"$B/htdocs/index.html"
port=$((20000 + $$ % 20000))
taskset -c 0 nghttpd --no-tls -d "$B/htdocs" $port >/dev/null 2>&1 &
nghttpd_pid=$! nghttpd_url=http://127.0.0.1:$port/
pids="$pids $nghttpd_pid"
for _ in $(seq 100); do
    curl -sS --http2-prior-knowledge "$nghttpd_url" >"$B/answer" 2>/dev/null && break
    sleep 0.05
done
cmp "$B/htdocs/index.html" "$B/answer"

load() { # load URL REQUESTS
    local out
    out=$(timeout 120 taskset -c 1 h2load -n "$2" -c 8 -m 32 "$1")
    echo "$out" | grep -q "$2 succeeded, 0 failed" || { echo "$out" >&2; exit 1; }
}
for who in mote nghttpd; do : >"$B/user.$who"; done
for _ in $(seq "$ROUNDS"); do
    for who in mote nghttpd; do
        pid_of=${who}_pid url_of=${who}_url
        before=$(user_ns "${!pid_of}")
        load "${!url_of}" "$REQUESTS"
        after=$(user_ns "${!pid_of}")
        awk "BEGIN { print ($after - $before) / $REQUESTS }" >>"$B/user.$who"
    done
done
line "h2_server, user CPU" "ns/request" "$(median <"$B/user.mote")" "$(median <"$B/user.nghttpd")" \
    "nghttpd $version" 3 less

calls() { # calls PID URL: system calls for a request
    local n=20000 tracer
    strace -c -f -p "$1" -o "$B/strace" 2>/dev/null &
    tracer=$!
    sleep 1
    load "$2" $n
    kill -INT $tracer
    wait $tracer || true
    awk -v n=$n '/total$/ { printf "%.3f", $(NF - (NF > 5 ? 2 : 1)) / n }' "$B/strace"
}
line "h2_server, system calls" "calls/request" "$(calls $mote_pid "$mote_url")" \
    "$(calls $nghttpd_pid "$nghttpd_url")" "nghttpd $version" 1 less
