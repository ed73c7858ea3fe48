#!/bin/bash
# The collector's dashboard, with sensors that stream: its code by node, by curl what is refused, and the page in Chromium, of which
# build/web/dashboard/*.png are kept (`make web-test`).
set -u
export BUILD=${BUILD:-build}
. tests/lib.sh
W=$PWD/$BUILD/web/dashboard
rm -rf "$W"
mkdir -p "$W"
processes=
# shellcheck disable=SC2086
trap '[ -z "$processes" ] || kill $processes 2>/dev/null' EXIT

start_collector() { # start_collector OPTION...: its process is $collector, it takes samples at $devices and serves $web
    "$BUILD/collector" --address=127.0.0.1:0 --web=0 "$@" >"$W/collector" 2>&1 &
    collector=$!
    processes="$processes $collector"
    for _ in $(seq 200); do grep -q '^dashboard on' "$W/collector" && break; sleep 0.05; done
    devices=$(sed -n 's/^listening on //p' "$W/collector")
    web=$(sed -n 's|^dashboard on http://\(.*\)/$|\1|p' "$W/collector")
    U=http://$web/mote.dashboard.Dashboard
}
stop_collector() { # it ends at once, whoever watches
    kill "$collector"
    timeout 5 tail --pid="$collector" -f /dev/null && wait "$collector"
}
says() { # says PATTERN CURL-ARGUMENTS...
    local pattern=$1
    shift
    timeout 20 curl -s -i -m 5 "$@" | tr -d '\r' >"$W/curl"
    grep -qE "$pattern" "$W/curl" || { head -c 2000 "$W/curl"; false; }
}

TOKEN=0123456789abcdefghij
(umask 077 && printf '%s\r\n' $TOKEN >"$W/token")
refused() { # refused TEXT FILE: the collector does not begin, and says why not
    timeout 5 "$BUILD/collector" --address=127.0.0.1:0 --web=0 --web-token="$2" >"$W/out" 2>"$W/refused"
    [ $? = 1 ] && [ "$(cat "$W/refused")" = "collector: error: --web-token=$2: $1" ]
}
check "a token that is not there" refused "No such file or directory" "$W/none"
echo $TOKEN >"$W/open"
chmod 640 "$W/open"
check "a token that others may read" refused "others may read it: chmod 600" "$W/open"
(umask 077 && echo 0123456789abcde >"$W/short" && : >"$W/empty")
check "a token that can be guessed" refused "it has no token of 16 characters or more" "$W/short"
check "an empty token" refused "it has no token of 16 characters or more" "$W/empty"
start_collector --store="$W/samples.db" --web-token="$W/token"

# ---- who may ask

json=(-H 'content-type: application/json')
body=(-d '{"device": "sensor-1", "intervalMs": 500}')
token=(-H "authorization: Bearer $TOKEN")
for version in --http1.1 --http2-prior-knowledge; do
    check "curl $version: the page" says '^<title>Fleet</title>|^  <title>Fleet</title>' $version "http://$web/"
    check "curl $version: by its other names" says '^HTTP/[12.]+ 200' $version -H "host: localhost:${web#*:}" "http://$web/"
    check "curl $version: its policy" says \
        "^content-security-policy: default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$" $version "http://$web/"
    for path in / /app.js "/mote.dashboard.Dashboard/Recent?connect=v1&encoding=json&message=%7B%7D" /mote.dashboard.Dashboard/Watch; do
        check "curl $version: a foreign host at ${path%%\?*}" says '^HTTP/[12.]+ 403' $version -H 'host: evil.example' "http://$web$path"
        check "curl $version: our port under a foreign name at ${path%%\?*}" says '^HTTP/[12.]+ 403' $version -H "host: evil.example:${web#*:}" \
            -H 'accept: text/event-stream' "http://$web$path"
        check "curl $version: a foreign page at ${path%%\?*}" says '^HTTP/[12.]+ 403' $version -H 'origin: http://evil.example' "http://$web$path"
    done
    check "curl $version: a foreign preflight" says '^HTTP/[12.]+ 403' $version -X OPTIONS -H 'origin: http://evil.example' \
        -H 'access-control-request-method: POST' "$U/Command"
    check "curl $version: a preflight of its own" says "^access-control-allow-origin: http://$web$" $version -X OPTIONS -H "origin: http://$web" \
        -H 'access-control-request-method: POST' "$U/Command"
    check "curl $version: a command as text" says '^HTTP/[12.]+ 415' $version -H 'content-type: text/plain' "${token[@]}" "${body[@]}" "$U/Command"
    check "curl $version: a command of a form" says '^HTTP/[12.]+ 415' $version "${token[@]}" "${body[@]}" "$U/Command"
    check "curl $version: a command by GET" says '^HTTP/[12.]+ 405' $version -g "${token[@]}" "$U/Command?connect=v1&encoding=json&message={}"
    check "curl $version: a command of a foreign page" says '^HTTP/[12.]+ 403' $version -H 'origin: http://evil.example' "${json[@]}" "${token[@]}" \
        "${body[@]}" "$U/Command"
    check "curl $version: a command without a token" says '^\{"code":"unauthenticated","message":"this is not the token of the dashboard"\}$' \
        $version "${json[@]}" "${body[@]}" "$U/Command"
    check "curl $version: a command for nobody" says '^\{"code":"not_found","message":"the dashboard has no such device"\}$' \
        $version "${json[@]}" "${token[@]}" "${body[@]}" "$U/Command"
    check "curl $version: an interval that is none" says '^\{"code":"invalid_argument","message":"interval_ms is not 10 to 86400000"\}$' \
        $version "${json[@]}" "${token[@]}" -d '{"device": "sensor-1", "intervalMs": 9}' "$U/Command"
    check "curl $version: no such file" says '^HTTP/[12.]+ 404' $version --path-as-is "http://$web/../../../etc/passwd"
done
chmod 644 "$W/token"
check "a token that others may read is none" says '^HTTP/1.1 401' "${json[@]}" "${token[@]}" "${body[@]}" "$U/Command"
chmod 600 "$W/token"
echo another-token-0123456789 >"$W/token"
check "a token that was replaced is none" says '^HTTP/1.1 401' "${json[@]}" "${token[@]}" "${body[@]}" "$U/Command"
echo $TOKEN >"$W/token"

# ---- what it shows

for i in 1 2 3; do
    "$BUILD/sensor" --collector="$devices" --name="sensor-$i" --interval=100 --duration=32 >"$W/sensor-$i" &
    processes="$processes $!"
done
slowly() { # what is told while the device goes on
    for _ in $(seq 100); do timeout 5 curl -s -m 5 "${json[@]}" -d '{"device": "sensor-1"}' "$U/Recent" | grep -q net_tx && break; sleep 0.1; done
    sleep 3
    timeout 70 /usr/bin/python3 tests/web/dashboard_slow.py "$web" sensor-1
}
check "the last seconds reach who reads them slowly" slowly
by_node() {
    timeout 200 node tests/web/dashboard.mjs "$web" "$W/token" >"$W/node" 2>&1 || { tail -n 30 "$W/node"; false; }
}
check "the page's code, by node" by_node
agrees() { # what the page was told of a sensor is what that says it has sent, and what is in the store
    local sent stored
    sent=$(sed -nE 's/.*: sent ([0-9]+).*/\1/p' "$W/$1")
    stored=$(sqlite3 "$W/samples.db" "SELECT count(*) FROM readings WHERE device = '$1'")
    echo "sent $sent, stored $stored, shown $(grep "^$1 " "$W/node")"
    [ "$sent" = "$stored" ] && grep -qx "$1 $sent" "$W/node"
}
for i in 1 2 3; do check "what it shows of sensor-$i is true" agrees "sensor-$i"; done
curl -s -N -m 20 -H 'accept: text/event-stream' "$U/Watch" >"$W/events" &
sleep 1.5
check "it ends at once though somebody watches" stop_collector
check "an event is an update" grep -qE '^data: \{"totals":\{"samples":"[0-9]+".*"name":"sensor-1"' "$W/events"

start_collector --store="$W/samples.db"
check "devices that the store knows are in the list, as gone" says '"name":"sensor-2","silentMs":[0-9]+[,}]' -m 1 -N \
    -H 'accept: text/event-stream' "$U/Watch"
check "without a token there are no commands" says '"message":"commands need --web-token=FILE of the collector"' "${json[@]}" "${token[@]}" "${body[@]}" "$U/Command"
full() { # full TEXT: whoever says this and no more keeps nobody out
    for _ in $(seq 40); do
        (printf '%b' "$1" && sleep 20) | nc "${web%:*}" "${web#*:}" >"$W/kept" &
        processes="$processes $!"
    done
    sleep 1
    says '^HTTP/1.1 200' "http://$web/"
}
check "40 silent connections keep nobody out" full ''
half="POST /mote.dashboard.Dashboard/Recent HTTP/1.1\r\nHost: $web\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
check "40 halves of a request keep nobody out" full "$half"
check "the collector ends" stop_collector

# ---- the page

in_chromium() {
    timeout 300 node tests/web/dashboard_page.mjs "$BUILD/collector" "$BUILD/sensor" "$W" >"$W/page" 2>&1
    grep -qE '^[0-9]+ passed, 0 failed$' "$W/page" || { tail -n 30 "$W/page"; false; }
}
check "the page in Chromium" in_chromium
for picture in light dark phone hostile; do check "the picture $picture.png" test -s "$W/$picture.png"; done
summary
