#!/bin/bash
# What `make install` puts down is enough: each installed header compiles alone, programs are linked with what pkg-config
# says, with and without TLS, and the plugin and the tools run.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
. tests/lib.sh
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
make -s BUILD="$BUILD" DESTDIR="$W" PREFIX=/usr install >/dev/null || exit 1
flags="-std=c11 -Wall -Wextra -Wpedantic -Werror"
pc() { PKG_CONFIG_PATH=$W/usr/lib/pkgconfig pkg-config --define-variable=prefix="$W/usr" "$@"; }
# shellcheck disable=SC2046,SC2086
build() { # build NAME PACKAGE: from $W/NAME.c
    $CC $flags $(pc --cflags "$2") "$W/$1.c" $(pc --libs "$2") -o "$W/$1"
}

headers_stand_alone() {
    local h count=0
    while read -r h; do
        printf '#include <%s>\nint main(void) { return 0; }\n' "$h" >"$W/h.c"
        # shellcheck disable=SC2086
        $CC $flags -I"$W/usr/include" -c "$W/h.c" -o "$W/h.o" || return 1
        count=$((count + 1))
    done < <(cd "$W/usr/include" && find mote -name '*.h')
    [ $count = "$(make -s --no-print-directory print-HEADERS | wc -w)" ]
}
a_client_is_linked() {
    cat >"$W/client.c" <<'C'
#include <mote/grpc/channel/channel.h>
#include <mote/grpc/codec/codec.h>
#include <mote/grpc/services/services.h>
#include <mote/pb/pb.h>
#include <mote/port/posix/posix.h>
#include <string.h>
int main(void)
{
    static mote_channel channel;
    if (strcmp(mote_version(), MOTE_VERSION) != 0 || MOTE_VERSION_NUMBER < 100)
        return 1;
    mote_backoff wait = {0};
    return mote_backoff_next(&wait, 7) == 0 || sizeof channel == 0 || &mote_grpc_gzip == &mote_grpc_deflate;
}
C
    build client mote && "$W/client"
}
tls_is_linked() {
    cat >"$W/tls.c" <<'C'
#include <mote/port/posix/tls.h>
int main(void)
{
    return mote_posix_tls_file("no such file").len != 0;
}
C
    build tls mote-tls && "$W/tls"
}
programs_run() {
    local p
    for p in mote-hpack mote-serial protoc-gen-mote; do
        man --warnings -l "$W/usr/share/man/man1/$p.1" >"$W/page" 2>"$W/bad" && [ ! -s "$W/bad" ] && grep -q "^ *$p - .*[a-z]$" "$W/page" || return 1
    done
    for p in mote-hpack mote-serial; do "$W/usr/bin/$p" --help | grep -q -- --help || return 1; done
    # An option that a program cannot heed is refused.
    for p in "mote-hpack decode" mote-serial; do ! "$W"/usr/bin/$p --tls --help 2>&1 | grep -v "unknown option '--tls'" || return 1; done
    printf 'syntax = "proto3";\nmessage Reading { int32 value = 1; }\n' >"$W/reading.proto"
    protoc --plugin="$W/usr/bin/protoc-gen-mote" -I "$W" --mote_out="$W" reading.proto &&
        [ -s "$W/reading.mote.h" ]
}

for t in headers_stand_alone a_client_is_linked tls_is_linked programs_run; do check "$t" $t; done
summary
