#!/bin/bash
# TLS with the system's mbedTLS and with that of the next Debian release: the tests in memory under sanitizers, and
# the peers. The certificates are made on the spot. Of version 4, which no registry has, a double: tests/mbedtls_4.h; with
# MBEDTLS_4=FOLDER, where one is installed (include, lib), that one takes its place, and meets the peers as well.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
W=$BUILD/test/tls
mkdir -p "$W"
passed=0
failed=0

(cd "$W" && . "$OLDPWD/tests/certificates.sh" && all_certificates) >"$W/openssl.log" 2>&1 || { tail "$W/openssl.log"; exit 1; }
sources="port/posix/tls.c $(make -s --no-print-directory print-TLS_FILES)"
tests=$(cd tests/unit && ls test_tls*.c | sed "s/test_\(.*\)\.c/\1/")
flags="-std=c11 -g -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Wno-error=conversion"
add() { # add NAME: what a run has said
    local line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$W/$1.out" | tail -n 1)
    grep -vE '^[0-9]+ passed, [0-9]+ failed' "$W/$1.out"
    [ -n "$line" ] || { echo "$1 ended early"; line="0 passed, 1 failed"; }
    passed=$((passed + $(echo "$line" | sed -E 's/ passed.*//')))
    failed=$((failed + $(echo "$line" | sed -E 's/.*, ([0-9]+) failed.*/\1/')))
}
unit() { # unit NAME CFLAGS LIBRARIES [quick]: prints one sum for all programs
    local t p=0 f=0 line
    rm -rf "$W/obj-$1"
    mkdir -p "$W/obj-$1"
    for t in $sources; do
        # shellcheck disable=SC2086
        $CC $flags $2 -c -o "$W/obj-$1/${t//\//_}.o" $t || return
    done
    for t in $tests; do
        # shellcheck disable=SC2086
        $CC $flags $2 -o "$W/test-$t-$1" tests/unit/test_$t.c "$W/obj-$1"/*.o "$BUILD/libmote.a" $3 &&
            "$W/test-$t-$1" "$W" ${4:-} >"$W/$t-$1.log"
        line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$W/$t-$1.log" | tail -n 1)
        grep -vE '^[0-9]+ passed, [0-9]+ failed' "$W/$t-$1.log"
        p=$((p + $(echo "${line:-0 passed}" | sed -E 's/ passed.*//')))
        f=$((f + $(echo "${line:-x, 1 failed}" | sed -E 's/.*, ([0-9]+) failed.*/\1/')))
    done
    echo "$p passed, $f failed"
}

sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all"
unit system "$sanitizers" "-lmbedtls -lmbedx509 -lmbedcrypto" >"$W/system.out" 2>&1 &
next=$BUILD/mbedtls-3
if version=$(tests/mbedtls.sh "$next"); then
    libraries="$next/libmbedtls.a $next/libmbedx509.a $next/libmbedcrypto.a"
    unit next "$sanitizers -I$next/usr/include" "$libraries" >"$W/next.out" 2>&1 &
    [ -n "${MBEDTLS_4:-}" ] || unit four "-include tests/mbedtls_4.h -I$next/usr/include" "$libraries" quick >"$W/four.out" 2>&1 &
fi
[ -z "${MBEDTLS_4:-}" ] ||
    unit four "$sanitizers -I$MBEDTLS_4/include" "$MBEDTLS_4/lib/libmbedtls.a $MBEDTLS_4/lib/libmbedx509.a $MBEDTLS_4/lib/libmbedcrypto.a" >"$W/four.out" 2>&1 &
wait
add system
if [ -n "$version" ]; then
    add next
    add four
    tests/tls_programs.sh >"$W/programs" || exit 1
    BUILD=$BUILD/tls-3 tests/peers/tls.sh >"$W/peers-3.out" 2>&1
    add peers-3
    echo "mbedTLS of this system, and $version"
else
    failed=$((failed + 1))
fi
if [ -n "${MBEDTLS_4:-}" ]; then
    tests/tls_programs.sh "$MBEDTLS_4" >"$W/programs-4" || exit 1
    BUILD=$BUILD/tls-4 tests/peers/tls.sh >"$W/peers-4.out" 2>&1
    add peers-4
    echo "and mbedTLS $(cat "$W/programs-4")"
fi
tests/peers/tls.sh >"$W/peers.out" 2>&1
add peers
# shellcheck disable=SC2086
tests/tls_configs.sh ${version:+$next/usr/include} ${MBEDTLS_4:+$MBEDTLS_4/include} >"$W/configs.out" 2>&1
add configs
tests/tls_matrix.sh >"$W/matrix.out" 2>&1
add matrix
echo "$passed passed, $failed failed"
[ $failed = 0 ]
