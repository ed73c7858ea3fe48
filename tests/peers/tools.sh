#!/bin/bash
# nghttp, h2load and curl against h2_server: tools.sh ADDRESS
set -u
BUILD=${BUILD:-build}
. tests/lib.sh
url=http://$1
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
head -c 3000000 /dev/urandom >"$W/large"
echo "some text" >"$W/small"
: >"$W/empty"

curl_h2() { curl -sS --http2-prior-knowledge --max-time 20 "$@"; }
curl_gets_the_page() { curl_h2 "$url/" | grep -q 'It works'; }
curl_heads() { curl_h2 -I "$url/" | tr -d '\r' | grep -q '^HTTP/2 200'; }
curl_gets_404() { [ "$(curl_h2 -o "$W/none" -w '%{http_code}' "$url/none")" = 404 ]; }
curl_is_echoed() { curl_h2 --data-binary "@$1" "$url/echo" | cmp - "$1"; }
curl_many_headers() {
    local i args=()
    for i in $(seq 60); do args+=(-H "x-header-$i: some value of header $i"); done
    curl_h2 "${args[@]}" "$url/" | grep -q 'It works'
}
too_many_headers_get_431() {
    local i args=()
    for i in $(seq 500); do args+=(-H "x-header-$i: some longer value of header $i"); done
    [ "$(curl_h2 "${args[@]}" -o "$W/none" -w '%{http_code}' "$url/")" = 431 ]
}
nghttp_gets() { nghttp -v "$url/" | grep -q 'status: 200'; }
nghttp_is_echoed() { nghttp -d "$1" "$url/echo" | cmp - "$1"; }
nghttp_sends_trailers() { nghttp -d "$W/small" --trailer 'x-trailer: yes' "$url/echo" | cmp - "$W/small"; }
nghttp_pads() { nghttp -b 64 -d "$W/large" "$url/echo" | cmp - "$W/large"; }
nghttp_continues() { nghttp --continuation "$url/" | grep -q 'It works'; }
nghttp_small_window() { nghttp -w 5 -W 5 -d "$W/large" "$url/echo" | cmp - "$W/large"; }
nghttp_small_table() { nghttp --header-table-size=0 "$url/" | grep -q 'It works'; }
nghttp_many() { [ "$(nghttp -m 50 "$url/" | grep -c 'It works')" = 50 ]; }
h2load_all() { h2load -n 20000 -c 10 -m 50 "$url/" | grep -q '20000 succeeded, 0 failed'; }
h2load_posts() { h2load -n 2000 -c 4 -m 20 -d "$W/small" "$url/echo" | grep -q '2000 succeeded, 0 failed'; }
h2load_large() { h2load -n 40 -c 4 -m 4 -d "$W/large" "$url/echo" | grep -q '40 succeeded, 0 failed'; }
h2load_small_window() { h2load -n 200 -c 2 -m 10 -w 3 -W 6 -d "$W/small" "$url/echo" | grep -q '200 succeeded'; }
own_client_gets() { "$BUILD/h2_client" "$url/" | grep -q 'It works'; }
own_client_posts() { "$BUILD/h2_client" -d "$W/large" "$url/echo" | cmp - "$W/large"; }
own_client_is_verbose() { "$BUILD/h2_client" -v "$url/none" 2>&1 | grep -q ':status: 404'; }
own_client_tells_errors() { ! "$BUILD/h2_client" http://127.0.0.1:1/ 2>"$W/err" && grep -q refused "$W/err"; }

own_client_leaves_the_query_and_drops_the_fragment() {
    local u
    for u in "$url?q=1" "$url/?q=1#part" "$url#part" "$url#/none?x" "$url/?" "$url/?/none#?" "HTTP://$1/" "hTTp://$1"; do
        "$BUILD/h2_client" "$u" | grep -q 'It works' || { echo "$u" && return 1; }
    done
}
# RFC 3986 5.2.4; the page is /.
own_client_removes_dot_segments() {
    local u
    for u in . ./ .. /.. ../ ../.. x/.. x/../ ./x/../. x/y/../.. x/./../ "..?a/../b" "./#/x" "x/..?" "a/b/c/../../../"; do
        "$BUILD/h2_client" "$url/$u" | grep -q 'It works' || { echo "$u" && return 1; }
    done
    for u in ... .x ..x x/. x/y/.. x//.. x/.../.. x/..y %2e%2e/x "x?/.."; do
        "$BUILD/h2_client" "$url/$u" 2>&1 | grep -q 'It works' && echo "$u" && return 1
    done
    return 0
}
# What is no URL does not reach the wire (RFC 3986 2, 3.2): the program says what is wrong with it.
own_client_refuses() {
    local u text
    while IFS='|' read -r u text; do
        if timeout 5 "$BUILD/h2_client" "$(printf '%b' "$u")" 2>"$W/err" >&2 || ! grep -q "$text" "$W/err"; then
            echo "$u: $(cat "$W/err")"
            return 1
        fi
    done <<END
$url/a b|has a character that URLs write as
$url/a?b c|has a character that URLs write as
$url/\\ta|has a character that URLs write as
$url/a\\r\\nb: c|has a character that URLs write as
$url/\\0177|has a character that URLs write as
$url/caf\\0303\\0251|has a character that URLs write as
http://b\\0303\\0274cher.example/|has a character that URLs write as
$url/"|has a character that URLs write as
$url/<|has a character that URLs write as
$url/{|has a character that URLs write as
$url/^|has a character that URLs write as
$url/\`|has a character that URLs write as
$url/\\0174|has a character that URLs write as
$url/\\\\|has a character that URLs write as
$url\\\\@127.0.0.1/|has a character that URLs write as
$url/#a b|has a character that URLs write as
$url/%|has a % without two
$url/%2|has a % without two
$url/%2g|has a % without two
$url/?%zz|has a % without two
$url/[a]|has a bracket behind the host
$url?a[0]=b|has a bracket behind the host
http://me@127.0.0.1/|has a user name
http://me:secret@127.0.0.1/|has a user name
http://:80/|has no host
http://|has no host
http:///path|has no host
ftp://127.0.0.1/|is not an http:// or https:// URL
http:127.0.0.1/|is not an http:// or https:// URL
127.0.0.1/|is not an http:// or https:// URL
http://%31%32%37.0.0.1/|has a % in its host
http://127.0.0.1%25lo/|has a % in its host
http://[fe80::1%lo]:1/|has a % without two
http://[fe80::1%25]:1/|has a % in its host
http://[fe80::1%20lo]:1/|has a % in its host
http://[fe80::1%25lo]:1/|\\[fe80::1%lo\\]:1: 
http://[fe80::1%25none-such]:1/|\\[fe80::1%none-such\\]:1: 
http://[::1/|address \\[::1: 
http://[::1]x/|address \\[::1\\]x:80: 
http://[]/|has no host
http://[]:80/|has no host
http://127.0.0.1:65536/|has no port from 0 to 65535
http://127.0.0.1:+80/|has no port from 0 to 65535
http://127.0.0.1:-4294967216/|has no port from 0 to 65535
http://127.0.0.1:/|127.0.0.1:80: Connection refused
https://127.0.0.1:/|127.0.0.1:443: Connection refused
http://[::1]:?x|\\[::1\\]:80: 
END
}
curl_waits_for_100() { [ "$(curl_h2 -v -H 'Expect: 100-continue' --data-binary "@$W/large" -o "$W/none" "$url/echo" 2>&1 | grep -c '^< HTTP/2 [12]00')" = 2 ]; }
# Connections at rest, each after one request: 25 KiB of memory for each at most.
idle_connections_cost_little() {
    "$BUILD/h2_server" --port=0 >"$W/idle" &
    local pid=$!
    for _ in $(seq 50); do grep -q listening "$W/idle" && break; sleep 0.05; done
    /usr/bin/python3 - "$(sed -n 's/.*://p' "$W/idle")" $pid <<'P'
import socket, sys, time
def resident():
    return int(next(l for l in open(f"/proc/{sys.argv[2]}/status") if l.startswith("RssAnon")).split()[1])
before = resident()
frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84])
peers = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(200)]
for p in peers: p.sendall(frames)
time.sleep(0.5)
each = (resident() - before) / len(peers)
print(f"{each:.1f} KiB for each idle connection")
sys.exit(each > 25)
P
    local status=$?
    kill $pid
    wait $pid 2>/dev/null
    return $status
}
# A request that is under way when SIGTERM comes is finished; the server ends when it is.
sigterm_finishes_requests() {
    "$BUILD/h2_server" --port=0 >"$W/drain" &
    local pid=$!
    for _ in $(seq 50); do grep -q listening "$W/drain" && break; sleep 0.05; done
    (head -c 100000 "$W/large"; sleep 1.5; tail -c 2900000 "$W/large") |
        curl_h2 -T - -X POST "http://127.0.0.1:$(sed -n 's/.*://p' "$W/drain")/echo" >"$W/echoed" &
    local client=$!
    sleep 0.5
    kill $pid
    wait $client && wait $pid && cmp "$W/large" "$W/echoed"
}

# Of a number that a cast would make another one of: NaN compares with nothing.
timeouts_are_numbers_of_seconds() {
    local t p
    for t in nan -nan NAN inf -inf -1 -0 0 0.0009 1000001 1e300 5x x ""; do
        for p in h2_server h2_client; do
            ! timeout 5 "$BUILD/$p" "--timeout=$t" >"$W/out" 2>"$W/err" || return 1
            grep -q "is not a number of seconds" "$W/err" || { echo "$p --timeout=$t: $(cat "$W/err")" && return 1; }
        done
    done
    ! timeout 5 "$BUILD/h2_client" --timeout=0.5 http://127.0.0.1:1/ 2>"$W/err" && grep -q refused "$W/err"
}

for t in timeouts_are_numbers_of_seconds curl_waits_for_100 idle_connections_cost_little sigterm_finishes_requests \
    own_client_refuses; do
    check $t $t
done
check "own client leaves the query and drops the fragment" own_client_leaves_the_query_and_drops_the_fragment "$1"
for t in curl_gets_the_page curl_heads curl_gets_404 curl_many_headers too_many_headers_get_431 \
    nghttp_gets nghttp_sends_trailers nghttp_pads nghttp_continues nghttp_small_window \
    nghttp_small_table nghttp_many h2load_all h2load_posts h2load_large h2load_small_window \
    own_client_gets own_client_removes_dot_segments own_client_posts own_client_is_verbose own_client_tells_errors; do
    check $t $t
done
for f in empty small large; do
    check "curl_is_echoed $f" curl_is_echoed "$W/$f"
    [ $f = empty ] || check "nghttp_is_echoed $f" nghttp_is_echoed "$W/$f"
done

# A client of ours against servers of others: bodies larger than all windows, both ways.
if command -v nghttpd >/dev/null; then
    mkdir "$W/root" && echo "from nghttpd" >"$W/root/index.html"
    port=$((20000 + $$ % 30000))
    nghttpd --no-tls --echo-upload -d "$W/root" -a 127.0.0.1 $port &
    sleep 0.5
    check own_client_with_nghttpd sh -c "$BUILD/h2_client http://127.0.0.1:$port/ | grep -q 'from nghttpd'"
    check own_client_uploads_to_nghttpd sh -c "$BUILD/h2_client -d $W/large http://127.0.0.1:$port/ | cmp - $W/large"
    kill $!
fi
if command -v node >/dev/null; then
    node tests/peers/h2/echo.js >"$W/node" &
    for _ in $(seq 100); do grep -q listening "$W/node" && break; sleep 0.05; done
    at=$(sed -n 's/^listening on //p' "$W/node")
    check own_client_uploads_to_node sh -c "$BUILD/h2_client -d $W/large http://$at/ | cmp - $W/large"
    check own_client_downloads_from_node sh -c "[ \$($BUILD/h2_client http://$at/30000000?x | wc -c) = 30000000 ]"
    kill $!
fi

# mote-hpack: the example of RFC 7541 C.3, and a round trip.
hpack_decodes() {
    [ "$(printf '828684410f7777772e6578616d706c652e636f6d\n828684be58086e6f2d6361636865\n' |
        "$BUILD/mote-hpack" decode | tail -n 2 | head -n 1)" = "cache-control: no-cache" ]
}
hpack_round_trip() {
    printf ':method: GET\nx-a: b c\ncookie: %s\n\nx-a: b c\nempty: \n\n' "$(seq -s, 100)" >"$W/fields"
    for h in auto always never; do
        for i in auto never; do
            "$BUILD/mote-hpack" encode --huffman $h --index $i <"$W/fields" |
                "$BUILD/mote-hpack" decode | cmp - "$W/fields" || return 1
        done
    done
}
hpack_changes_the_table() {
    printf '!table-size 0\nx-a: b\n\nx-a: b\n' | "$BUILD/mote-hpack" encode | tail -n 1 | grep -qv '^be'
}
hpack_tells_errors() {
    ! echo ff | "$BUILD/mote-hpack" decode 2>"$W/err" && grep -q '^error: ' "$W/err"
}
# A field that would begin a line of its own is not one for whoever reads lines.
hpack_fields_are_lines() {
    for value in 620a63 620d63 620063; do
        ! echo 0001610$((${#value} / 2))$value | "$BUILD/mote-hpack" decode >"$W/out" 2>"$W/err" &&
            grep -q 'NUL, CR or LF' "$W/err" && ! grep -q '^c' "$W/out" || return 1
    done
}
for t in hpack_decodes hpack_round_trip hpack_changes_the_table hpack_tells_errors hpack_fields_are_lines; do check $t $t; done
summary
