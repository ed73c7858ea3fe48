#!/bin/bash
# The programs that talk over TLS, linked with mbedTLS of the next Debian release: leaves build/tls-3/h2_server, h2_client,
# interop_server and interop_client, and says the version.
set -eu
BUILD=${BUILD:-build}
CC=${CC:-cc}
next=$BUILD/mbedtls-3
libraries="$next/libmbedtls.a $next/libmbedx509.a $next/libmbedcrypto.a"
version=$(tests/mbedtls.sh "$next")

mkdir -p "$BUILD/tls-3/obj"
for f in $(make -s --no-print-directory print-TLS_FILES | sed "s/\.c\b//g") port/posix/tls; do
    $CC -std=c11 -g -O2 -Wall -Wextra -Werror -I"$next/usr/include" -c $f.c -o "$BUILD/tls-3/obj/${f//\//_}.o"
done
o=$BUILD/obj/tests/interop
link() { # link PROGRAM OBJECTS...
    # shellcheck disable=SC2086
    $CC "${@:2}" "$BUILD"/tls-3/obj/*.o "$BUILD/libmote.a" $libraries -o "$BUILD/tls-3/$1"
}
messages=("$o/interop.mote.o" "$o/orca.mote.o" "$o/orca_service.mote.o" "$o/google/protobuf/duration.mote.o")
link interop_server "$o/interop_server.o" "${messages[@]}"
link interop_client "$o/interop_client.o" "$o/client.o" "$o/cases.o" "${messages[@]}"
link h2_server "$BUILD/obj/examples/tools/h2_server.o"
link h2_client "$BUILD/obj/examples/tools/h2_client.o"
echo "$version"
