#!/bin/bash
# The programs that talk over TLS, linked with another mbedTLS than the system's: leaves h2_server, h2_client, interop_server and
# interop_client, and says the version.
#   tests/tls_programs.sh            that of the next Debian release, in build/tls-3
#   tests/tls_programs.sh FOLDER     one that is installed in a folder (include, lib), in build/tls-4
set -eu
BUILD=${BUILD:-build}
CC=${CC:-cc}
if [ -n "${1:-}" ]; then
    include=$1/include out=$BUILD/tls-4 version=$(tests/mbedtls.sh "$1")
    libraries="$1/lib/libmbedtls.a $1/lib/libmbedx509.a $1/lib/libmbedcrypto.a"
else
    next=$BUILD/mbedtls-3
    include=$next/usr/include out=$BUILD/tls-3 version=$(tests/mbedtls.sh "$next")
    libraries="$next/libmbedtls.a $next/libmbedx509.a $next/libmbedcrypto.a"
fi
mkdir -p "$out/obj"
for f in $(make -s --no-print-directory print-TLS_FILES | sed "s/\.c\b//g") port/posix/tls; do
    $CC -std=c11 -g -O2 -Wall -Wextra -Werror -I"$include" -c $f.c -o "$out/obj/${f//\//_}.o"
done
o=$BUILD/obj/tests/interop
link() { # link PROGRAM OBJECTS...
    # shellcheck disable=SC2086
    $CC "${@:2}" "$out"/obj/*.o "$BUILD/libmote.a" $libraries -o "$out/$1"
}
messages=("$o/interop.mote.o" "$o/orca.mote.o" "$o/orca_service.mote.o" "$o/google/protobuf/duration.mote.o")
link interop_server "$o/interop_server.o" "${messages[@]}"
link interop_client "$o/interop_client.o" "$o/client.o" "$o/cases.o" "${messages[@]}"
link h2_server "$BUILD/obj/examples/tools/h2_server.o"
link h2_client "$BUILD/obj/examples/tools/h2_client.o"
echo "$version"
