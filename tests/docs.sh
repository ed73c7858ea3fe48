#!/bin/bash
# What pages of docs/ tell a reader to do, done: the tutorial, as it is written, in a clean folder, on the host and on an emulated board;
# debugging; code, links, the picture; `make ram`. `tests/docs.sh quick` takes what is built already for `mote/`, and leaves out the
# board, Wireshark, grpcurl and buf; without it, a copy of the source is built.
set -u
export BUILD=${BUILD:-build}
unset MAKEFLAGS MFLAGS MAKELEVEL # a reader is not a rule of make
. tests/lib.sh
. tests/follow.sh
ROOT=$PWD
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
take_files docs/tutorial.md "$W"
if [ "${1:-}" = quick ]; then ln -s "$ROOT" "$W/mote"
else mkdir "$W/mote" && git ls-files -z | tar --null -T - -cf - | tar -x -C "$W/mote"; fi

prints_the_steps() { # prints_the_steps COMMANDS
    do_commands docs/tutorial.md "$1" "$W" >"$W/out" 2>&1
    grep 'percent$' "$W/out" | diff - <(printf '%s percent\n' 30 40 50) || { tail -n 20 "$W/out"; return 1; }
}
check "the tutorial on the host" prints_the_steps tutorial
if [ "${1:-}" != quick ] && command -v qemu-system-arm >/dev/null && command -v arm-none-eabi-gcc >/dev/null; then
    check "the tutorial on a board" prints_the_steps tutorial-board
fi
# The bill is what a program finds that has these sizes; its parts are the whole; the page shows what is printed, the
# numbers of its day.
bill_of_ram() {
    cat >"$W/ram.c" <<'C'
#include <mote/grpc/channel/channel.h>
#include <stdio.h>
MOTE_GRPC_STORAGE(a, max_calls = 3, slots = 5, rx_size = 77, tx_size = 300, table_size = 256, field_size = 99, user_size = 12);
int main(void)
{
    static uint8_t input[33];
    printf("%zu\n%zu\n", sizeof(mote_grpc) + sizeof a_memory, sizeof(mote_channel) + sizeof a_memory + sizeof input);
}
C
    ${CC:-cc} -I"$W/local/include" "$W/ram.c" -o "$W/ram" || return 1
    make -s ram RAM_CC="${CC:-cc}" CONFIG="max_calls=3 slots=5 rx_size=77 tx_size=300 table_size=256 field_size=99 user_size=12 in=33" >"$W/bill" || return 1
    awk 'NR > 1 { if ($2 == "=") { print $1; if ($1 != sum) exit 1 } else sum += $1 }' "$W/bill" | diff - <("$W/ram")
}
page_shows_the_bill() {
    diff <(bash -c "$(code_of docs/memory.md "sh ram")" | sed 's/^ *[0-9]*/N/') <(code_of docs/memory.md "text ram" | sed 's/^ *[0-9]*/N/')
}
wrong_sizes_are_named() {
    make -s ram CONFIG="rx=3" 2>&1 | grep -q "ram: error: there is no size 'rx': there are max_calls, slots," &&
        make -s ram CONFIG="rx_size=many" 2>&1 | grep -q "ram: error: rx_size=many is no number below 1000000000"
}
# docs/debugging.md, in a folder that has what the page's has.
debugs() { # debugs NAME FILTER...: prints what the page says
    local name=$1
    shift
    do_commands docs/debugging.md "$name" "$W/debug" >"$W/out" 2>"$W/err" || { cat "$W/out" "$W/err"; return 1; }
    diff <(grep -v '^listening' "$W/out" | "$@") <(code_of docs/debugging.md "text $name" | "$@")
}
without_times() { sed -E 's/^\[ *[0-9.]+\]/[]/; s/length=[0-9]+/length/'; }
debugs_with() { # debugs_with NAME PATTERN...: each is in what it prints
    local name=$1 pattern
    shift
    do_commands docs/debugging.md "$name" "$W/debug" >"$W/out" 2>&1
    for pattern; do grep -q "$pattern" "$W/out" || { echo "no $pattern"; cat "$W/out"; return 1; }; done
}
mkdir "$W/debug" && for f in examples port grpc h2 hpack pb Makefile tests tls; do ln -s "$ROOT/$f" "$W/debug/$f"; done
ln -s "$ROOT/$BUILD" "$W/debug/build"
check "debugging: --trace" debugs debug-trace without_times
check "debugging: mote-hpack" debugs debug-hpack cat
buf_generates() {
    mkdir -p "$W/buf" && take_files docs/packages.md "$W/buf" && cp examples/hello/hello.proto "$W/buf" &&
        (cd "$W/buf" && PATH=$W/local/bin:$PATH buf generate) && [ -s "$W/buf/gen/hello.mote.h" ] && grep -q hello_Question_names "$W/buf/gen/hello.mote.c"
}
if [ "${1:-}" != quick ]; then
    ! command -v buf >/dev/null || check "buf generate" buf_generates
    ! command -v tshark >/dev/null || check "debugging: Wireshark with the .proto" debugs_with debug-wireshark 'Message: mote.tour.Query' 'topic = news'
    ! command -v grpcurl >/dev/null ||
        check "debugging: grpcurl over mote-serial" debugs_with debug-grpcurl '^mote.device.Device$' 'returns ( .mote.device.Reading )' '"channel": 1'
fi

# Code of other pages: compiled for this machine and for a board, and run.
for page in threads porting; do take_files "docs/$page.md" "$W"; done
FLAGS="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wconversion -Werror -I$W/local/include -I$W"
# shellcheck disable=SC2086
bytes_pass_the_ring() {
    cat >"$W/ring.c" <<'C'
#include "threads_ring.c"
#include <pthread.h>
static void *interrupt(void *unused)
{
    for (unsigned i = 0; i < 300000;)
        i += ring_put((uint8_t)(i % 251));
    return unused;
}
int main(void)
{
    pthread_t thread;
    uint8_t got[100];
    unsigned next = 0;
    pthread_create(&thread, 0, interrupt, 0);
    while (next < 300000)
        for (int i = 0, n = ring_take(got, sizeof got); i < n; i++)
            if (got[i] != next++ % 251)
                return 1;
    return pthread_join(thread, 0) != 0 || ring_take(got, sizeof got) != 0;
}
C
    ${CC:-cc} $FLAGS -O2 -Wno-missing-prototypes "$W/ring.c" -o "$W/ring" -pthread && timeout 60 "$W/ring" || return 1
    ! command -v arm-none-eabi-gcc || arm-none-eabi-gcc $FLAGS -ffreestanding -mcpu=cortex-m0 -mthumb -S "$W/threads_ring.c" -o "$W/ring.s" || return 1
    ! grep 'bl.*__sync\|bl.*__atomic' "$W/ring.s" 2>/dev/null # what this page says of Cortex-M0
}
# shellcheck disable=SC2086
sockets_of_the_page_talk() {
    local server at status
    cp examples/hello/hello.proto examples/hello/hello_server.c "$W" && cat >"$W/call.c" <<'C'
#include "porting_socket.c"
#include "hello.mote.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
MOTE_GRPC_STORAGE(hello, max_calls = 1, slots = 8, rx_size = 128, tx_size = 256, table_size = 0, field_size = 128, user_size = 0);
static mote_channel channel;
int main(int argc, char **argv)
{
    static uint8_t input[64];
    mote_grpc_config config = {MOTE_GRPC_SIZES(hello), .authority = MOTE_GRPC_AUTHORITY("localhost")};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[argc - 1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    hello_Question question = {.room = MOTE_PB_STRING("kitchen")};
    hello_Reading reading = {0};
    mote_channel_init(&channel, &config, hello_memory, sizeof hello_memory, input, sizeof input, porting_socket((struct sockaddr *)&to, sizeof to));
    mote_status status = hello_Thermometer_Read(&channel, (mote_grpc_request){.timeout_ms = 20000}, &question, &reading, NULL);
    printf("%d %.1f %.*s\n", status.code, reading.celsius, (int)status.message_len, status.message ? status.message : "");
    mote_channel_close(&channel, 1000);
}
C
    (cd "$W" && protoc --plugin=local/bin/protoc-gen-mote --mote_out=. hello.proto) || return 1
    for p in hello_server call; do ${CC:-cc} $FLAGS "$W/$p.c" "$W/hello.mote.c" -L"$W/local/lib" -lmote -pthread -o "$W/$p" || return 1; done
    "$W/hello_server" 127.0.0.1:0 >"$W/at" &
    server=$!
    until grep -q listening "$W/at"; do kill -0 $server || return 1; sleep 0.05; done
    at=$(sed -n 's/.*://p' "$W/at")
    "$W/call" "$at" | grep -x "0 21.5 " && status=0 || status=1
    kill $server
    wait $server
    [ $status = 0 ] && "$W/call" "$at" | grep "^14 0.0 .*refused"
}
# Four threads on one connection, with the server of the quick start and with grpcio's.
# shellcheck disable=SC2086
threads_share_a_connection() {
    cp examples/hello/hello.proto examples/hello/hello_server.c "$W" && (cd "$W" && protoc --plugin=local/bin/protoc-gen-mote --mote_out=. hello.proto) || return 1
    for p in hello_server threads_job threads_agent; do ${CC:-cc} $FLAGS "$W/$p.c" "$W/hello.mote.c" -L"$W/local/lib" -lmote -pthread -o "$W/$p" || return 1; done
    "${PYTHON:-/usr/bin/python3}" tests/peers/hello_peer.py "$W/hello_server" "$W/threads_agent" &&
        "${PYTHON:-/usr/bin/python3}" tests/peers/hello_peer.py "$W/threads_job" "$W/threads_agent"
}
# Each of the page's two programs writes what the other reads.
# shellcheck disable=SC2086
both_sides_agree() {
    local d=$W/nanopb f
    mkdir -p "$d" && take_files docs/migrating-from-nanopb.md "$d" && cat >"$d/main.c" <<'C'
#include <stdint.h>
#include <stdio.h>
size_t encode_sample(uint8_t *out, size_t cap);
float decode_sample(const uint8_t *in, size_t len);
int main(int argc, char **argv)
{
    uint8_t bytes[100];
    (void)argv;
    size_t len = argc > 1 ? fread(bytes, 1, sizeof bytes, stdin) : encode_sample(bytes, sizeof bytes);
    if (argc > 1)
        return printf("%g\n", (double)decode_sample(bytes, len)) < 0;
    return fwrite(bytes, 1, len, stdout) != len;
}
C
    printf 'home.Sample.name max_size:24\nhome.Sample.values max_count:8\n' >"$d/sample.options"
    (cd "$d" && protoc --nanopb_out=. sample.proto && protoc --plugin=../local/bin/protoc-gen-mote --mote_out=. sample.proto) || return 1
    ${CC:-cc} $FLAGS "$d/main.c" "$d/after.c" "$d/sample.mote.c" -L"$W/local/lib" -lmote -o "$d/after" &&
        ${CC:-cc} -w "$d/main.c" "$d/before.c" "$d/sample.pb.c" -lprotobuf-nanopb -o "$d/before" || return 1
    "$d/before" >"$d/a" && "$d/after" >"$d/b" && cmp "$d/a" "$d/b" && [ -s "$d/a" ] || return 1
    for f in before after; do "$d/$f" read <"$d/a" | grep -x 2.5 || return 1; done
}
command -v protoc-gen-nanopb >/dev/null && check "migrating from nanopb: both write and read the same" both_sides_agree
check "threads: bytes pass the ring" bytes_pass_the_ring
check "threads: four of them share a connection, and one answers, with grpcio" threads_share_a_connection
# shellcheck disable=SC2086
freertos_compiles() {
    packages/amalgamate.py "$W/one" && ${CC:-cc} -std=gnu11 -Wall -Wextra -Wconversion -Werror -DMOTE_WITH_FREERTOS -DMOTE_WITH_LWIP -Itests/unit/freertos_double \
        -isystem /usr/include/lwip -I"$W/one" -c "$W/porting_freertos.c" -o "$W/porting_freertos.o"
}
[ ! -d /usr/include/lwip/lwip ] || check "porting: FreeRTOS and lwIP, compiled" freertos_compiles
check "porting: its sockets call a server" sockets_of_the_page_talk

# A link leads to a file that is there, and each page can be reached from the README.
links_lead_somewhere() {
    "${PYTHON:-python3}" - <<'P'
import os, re, sys
def links(page):
    text = re.sub(r"```.*?```", "", open(page).read(), flags=re.S)
    return {os.path.normpath(os.path.join(os.path.dirname(page), t)) for t in re.findall(r"\]\(([^)#:]+)", text)}
pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *("docs/" + f for f in os.listdir("docs") if f.endswith(".md"))]
bad = [f"{p}: there is no {t}" for p in pages for t in links(p) if not os.path.exists(t)]
seen, new = set(), {"README.md"}
while new:
    seen |= new
    new = {t for p in new if p in pages for t in links(p)} - seen
bad += [f"{p} cannot be reached from the README" for p in pages if p not in seen]
lines = len(open("README.md").readlines())
bad += [f"README.md has {lines} lines, 200 are the most"] if lines > 200 else []
print(*bad, sep="\n")
sys.exit(bool(bad))
P
}
# The picture is XML, stands alone, and has colours for the light and the dark.
picture_stands_alone() {
    "${PYTHON:-python3}" -c 'import xml.dom.minidom as m; m.parse("docs/demo.svg")' &&
        grep -q 'prefers-color-scheme: dark' docs/demo.svg && ! grep -E 'href=|url\((http|//)|<image|<script|@import' docs/demo.svg
}
check "links lead somewhere" links_lead_somewhere
check "figures are those of tests/size.txt" tests/figures.py
check "the picture stands alone" picture_stands_alone
check "make ram says what a program takes" bill_of_ram
check "make ram names sizes that are wrong" wrong_sizes_are_named
! command -v arm-none-eabi-gcc >/dev/null || check "docs/memory.md shows what make ram prints" page_shows_the_bill
summary
