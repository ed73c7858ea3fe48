#!/bin/bash
# What `make install` puts down is enough to build and link a program.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
. tests/lib.sh
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

install_and_link() {
    make -s BUILD="$BUILD" DESTDIR="$W" PREFIX=/usr install >/dev/null || return 1
    printf '#include <grpc/grpc.h>\n#include <pb/pb.h>\nint main(void) { return mote_strerror(0)[0] != 110; }\n' >"$W/a.c"
    grep -q 'Libs: -L${prefix}/lib -lmote' "$W/usr/lib/pkgconfig/mote.pc" || return 1
    $CC -std=c11 -I"$W/usr/include/mote" "$W/a.c" -L"$W/usr/lib" -lmote -o "$W/a" && "$W/a"
}

check install_and_link install_and_link
summary
