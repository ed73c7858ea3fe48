#!/bin/bash
# What the design promises, as far as it can be seen from outside of the code.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
. tests/lib.sh
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
core=$(make -s --no-print-directory print-CORE)

# Promise 1: from libc the core uses memcpy, memmove, memset and memcmp.
only_four_functions() {
    local undefined
    ld -r --whole-archive -o "$W/core.o" "$BUILD/freestanding/libmote.a" || return 1
    undefined=$(nm -u "$W/core.o" | awk '{ print $NF }' | grep -vxE 'memcpy|memmove|memset|memcmp')
    [ -z "$undefined" ] || { echo "undefined: $undefined"; return 1; }
}

# Promise 1: no mutable global: no symbol in .data or .bss.
no_mutable_data() {
    local found
    found=$(nm "$W/core.o" | grep -E ' [bBdDC] ')
    [ -z "$found" ] || { echo "$found"; return 1; }
}

# Promise 1: no recursion, no variable-length array, no alloca.
no_recursion() {
    local f
    for f in $core; do
        awk '/^[A-Za-z_][A-Za-z_0-9.]*:/ { f = $1; sub(":", "", f) }
             /\t(call|jmp)\t/ { if ($2 == f) { print "recursion in " f; exit 1 } }' "$BUILD/calls/obj/${f%.c}.s" || return 1
    done
}

# Promise 1: every external symbol is mote_.
names_begin_with_mote() {
    local found
    found=$(nm -g --defined-only "$BUILD/libmote.a" | awk 'NF == 3 { print $3 }' | grep -v '^mote_')
    [ -z "$found" ] || { echo "$found"; return 1; }
}

# Promise 2: the core includes no header of an operating system.
no_system_headers() {
    local found
    found=$(grep -nE '#include <' $core hpack/*.h h2/*.h grpc/*.h pb/*.h |
        grep -vE '<(stddef|stdint|stdbool|string)\.h>')
    [ -z "$found" ] || { echo "$found"; return 1; }
}

# Promise 1: no macro changes the layout of a public struct.
no_conditional_members() {
    local found
    found=$(awk '/^typedef struct|^struct/ { inside = 1 } /^}/ { inside = 0 }
                 inside && /^#(if|ifdef|ifndef|else|endif)/ { print FILENAME ":" FNR ": " $0 }' \
        hpack/*.h h2/h2.h grpc/grpc.h pb/pb.h)
    [ -z "$found" ] || { echo "$found"; return 1; }
}

# Scripts of others do not run because they were installed, and a binary that was fetched runs with its checksum alone. (Go's modules have
# those of its database.)
nothing_is_run_unchecked() {
    local found f
    found=$(grep -rnE 'npm (install|ci|i) |npx ' --include='*.sh' --include='*.py' --include='*.mk' tests packages fuzz examples Makefile |
        grep -vE -e '--ignore-scripts|promises.sh')
    [ -z "$found" ] || { echo "without --ignore-scripts: $found"; return 1; }
    found=$(grep -rnE 'pip[0-9"]* install ' --include='*.sh' --include='*.py' --include='*.mk' tests packages fuzz examples Makefile |
        grep -vE -e '--require-hashes|--no-deps "[$]from"|promises.sh') # $from: our own archive
    [ -z "$found" ] || { echo "without --require-hashes: $found"; return 1; }
    found=$(grep -rnE '(curl|wget) .*https?://[a-z]' --include='*.sh' tests packages fuzz examples |
        grep -vE '://(localhost|evil\.example)|promises.sh')
    [ -z "$found" ] || { echo "fetched by hand: $found"; return 1; }
    # shellcheck disable=SC2013
    for f in $(grep -rlE 'npm pack|pip download|dependency:copy' --include='*.sh' tests packages fuzz examples); do
        [ "$f" = tests/promises.sh ] ||
            awk '/npm pack|pip download|dependency:copy/ { fetched = FNR; name = FILENAME }
                 /sha256sum --check/ { fetched = 0 }
                 fetched && FNR > fetched + 2 { print name ":" fetched ": no sha256sum --check"; exit 1 }' "$f" || return 1
    done
}

# Workers: on the path of a message nothing is locked, nothing is written by two threads, and there is no static data that changes.
no_lock_on_the_path() {
    local f objects found
    objects=$(for f in $core port/posix/loop.c port/posix/engine.c port/posix/server.c port/posix/slot.c port/posix/loans.c port/posix/timers.c; do echo "$BUILD/obj/${f%.c}.o"; done)
    found=$(nm -A $objects | grep -E ' [bBC] | U (pthread|sem_|mtx_|__atomic|__sync)'; objdump -t $objects | grep -E ' O \.data[[:space:]]')
    [ -z "$found" ] || { echo "$found"; return 1; }
    case $(uname -m) in x86_64) ;; *) return 0 ;; esac
    found=$(objdump -d --no-show-raw-insn $objects | grep -E '[[:space:]]lock |xchg .*[(]')
    [ -z "$found" ] || { echo "$found"; return 1; }
}

# Public headers compile alone, as C11 and as C++.
headers_stand_alone() {
    local h
    for h in hpack/hpack.h h2/h2.h grpc/grpc.h grpc/channel/channel.h pb/pb.h port/posix/posix.h; do
        echo "#include \"$PWD/$h\"" >"$W/a.c"
        cp "$W/a.c" "$W/a.cc"
        $CC -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -c "$W/a.c" -o "$W/a.o" || return 1
        g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -c "$W/a.cc" -o "$W/a.o" || return 1
    done
}

# No two files have a name of their own in common: the library compiles as one unit, in each of its sizes, and so does the plugin.
compiles_as_one_unit() {
    local define
    { echo '#define _GNU_SOURCE' && printf '#include "%s"\n' $core $(make -s --no-print-directory print-LINES print-POSIX print-TLS_SOURCES); } >"$W/one.c"
    printf '#include "%s"\n' $(make -s --no-print-directory print-PLUGIN print-PB) >"$W/plugin.c"
    for define in '' -DMOTE_CHECK -DMOTE_CLIENT_ONLY -DMOTE_SERVER_ONLY '-DMOTE_NO_TEXTS -DMOTE_HPACK_SMALL -DMOTE_NO_COMPRESSION'; do
        $CC -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I. $define -fsyntax-only "$W/one.c" || return 1
    done
    $CC -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -I. -fsyntax-only "$W/plugin.c"
}

# Messages may be constants, in flash, in C11 and in C++.
messages_may_be_constants() {
    cat >"$W/a.c" <<END
#include "$PWD/examples/tour/tour.mote.h"
static const mote_pb_string text = MOTE_PB_STRING_INIT("text");
static const mote_tour_Note note = {MOTE_PB_STRING_INIT("a"), MOTE_PB_STRING_INIT("b"), 5, MOTE_PB_STRING_INIT("c")};
const mote_pb_string *one(void);
const mote_tour_Note *two(void);
size_t three(void);
const mote_pb_string *one(void) { return &text; }
const mote_tour_Note *two(void) { return &note; }
size_t three(void) { return MOTE_PB_STRING("abc").len; }
END
    cp "$W/a.c" "$W/a.cc"
    $CC -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -c "$W/a.c" -o "$W/a.o" &&
        g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -c "$W/a.cc" -o "$W/a.o"
}

# Promise 6: each layer has a range of error codes of its own, and a text for each code.
error_codes_are_disjoint() {
    cat >"$W/a.c" <<C
#include "$PWD/grpc/grpc.h"
#include "$PWD/pb/pb.h"
#include "$PWD/port/posix/posix.h"
#include <stdio.h>
#include <string.h>
#define RANGE(name, code, text) \\
    if (code > low || code < low - 99 || strcmp(mote_strerror(code), text) != 0) return 1;
int main(void) {
    int low = -100; MOTE_HPACK_ERRORS(RANGE)
    low = -200; MOTE_H2_ERRORS(RANGE)
    low = -300; MOTE_GRPC_ERRORS(RANGE)
    low = -400; MOTE_PB_ERRORS(RANGE)
    return strcmp(mote_strerror(0), "no error") || strcmp(mote_strerror(7), "unknown error");
}
C
    $CC -std=c11 "$W/a.c" "$BUILD/libmote.a" -o "$W/a" && "$W/a"
}

# The README's quick start is examples/hello, which tests/packages.sh builds and runs.
quick_start_is_the_example() {
    local f
    for f in hello.proto hello_server.c hello_client.c; do
        awk -v f="$f" '$0 == "```c " f || $0 == "```proto " f { on = 1; next } /^```/ { on = 0 } on' README.md | cmp - "examples/hello/$f" || return 1
    done
}

# The README is short, its figures are those of the pages, and links lead to files that are there.
readme_is_a_way_in() {
    local row file link
    [ "$(wc -l <README.md)" -le 200 ] || { echo "README.md has more than 200 lines"; return 1; }
    grep -F '| **' README.md | while read -r row; do grep -qxF "$row" docs/size.md || { echo "not in docs/size.md: $row"; return 1; }; done || return 1
    for file in README.md CHANGELOG.md SECURITY.md CONTRIBUTING.md docs/*.md; do
        for link in $(grep -oE '\]\([^)#]+' "$file" | cut -c 3- | grep -v '^http'); do
            [ -e "$(dirname "$file")/$link" ] || { echo "$file: $link is not there"; return 1; }
        done
    done
    for file in docs/*.md; do # each page can be reached
        grep -qE "\]\((docs/)?$(basename "$file")" README.md docs/*.md || { echo "nothing leads to $file"; return 1; }
    done
}

every_program_has_help() {
    local p programs
    programs=$(make -s --no-print-directory BUILD="$BUILD" print-PROGRAM_FILES)
    [ "$(echo "$programs" | wc -w)" -gt 30 ] || { echo "few programs: $programs"; return 1; }
    for p in $programs; do
        "$p" --help | grep -q -- --help || { echo "$p"; return 1; }
        if "$p" --help 2>/dev/null >/dev/full; then echo "$p does not notice that nobody reads its help"; return 1; fi
        if timeout 10 "$p" --nonsense >"$W/out" 2>"$W/err" </dev/null; then echo "$p takes --nonsense"; return 1; fi
        grep -q error "$W/err" && [ ! -s "$W/out" ] || { echo "$p says nothing"; return 1; }
    done
}

# STYLE: functions of the core and the ports stay short, files too.
files_are_short() {
    local found
    found=$(wc -l hpack/*.[ch] h2/*.[ch] grpc/*.[ch] pb/*.[ch] port/*/*.[ch] port/*/*/*.[ch] examples/*/*.[ch] \
        tests/*/*.[ch] fuzz/*.[ch] | awk '$2 != "total" && $2 !~ /\.mote\.[ch]$/ && $1 > 500')
    [ -z "$found" ] || { echo "$found"; return 1; }
}

# A port without a source of random numbers does not link: the one for emulated boards says by its name what it is, and is no other's
# default. Initial sequence numbers of TCP come from that source.
entropy_is_of_the_board() {
    local found
    $CC -I. -Itests/unit/lwip_double -c port/lwip/net.c -o "$W/net.o" && nm -u "$W/net.o" | grep -q ' mote_lwip_entropy$' || return 1
    found=$(grep -rlE '^(void|int) (mote_lwip_entropy|mbedtls_hardware_poll)\(.*\)$' hpack h2 grpc tls port)
    [ "$found" = port/lwip/emulated.c ] || { echo "$found"; return 1; }
    grep -rn 'srand(\|[^_a-z]rand()' hpack h2 grpc tls port --include='*.[ch]' && return 1
    [ "$(printf '#include "port/lwip/lwipopts.h"\nLWIP_HOOK_TCP_ISN(a, b, c, d)\n' | $CC -I. -Itests/unit/lwip_double -E - | tail -n 1)" = \
        "mote_lwip_random()" ]
}

for t in only_four_functions no_mutable_data no_recursion names_begin_with_mote no_system_headers \
    no_lock_on_the_path no_conditional_members headers_stand_alone compiles_as_one_unit messages_may_be_constants error_codes_are_disjoint \
    quick_start_is_the_example readme_is_a_way_in every_program_has_help files_are_short entropy_is_of_the_board \
    nothing_is_run_unchecked; do
    check "$t" $t
done
summary
