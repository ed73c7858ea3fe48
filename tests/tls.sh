#!/bin/bash
# TLS with the system's mbedTLS and with that of the next Debian release: the tests in memory under sanitizers, and
# the peers. The certificates are made on the spot.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
W=$BUILD/test/tls
mkdir -p "$W"
passed=0
failed=0

(cd "$W" && . "$OLDPWD/tests/certificates.sh" && all_certificates) >"$W/openssl.log" 2>&1 || { tail "$W/openssl.log"; exit 1; }
sources="port/posix/tls.c $(make -s --no-print-directory print-TLS_FILES) $BUILD/libmote.a"
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
unit() { # unit NAME CFLAGS LIBRARIES: prints one sum for all programs
    local t p=0 f=0 line
    for t in $tests; do
        # shellcheck disable=SC2086
        $CC $flags -fsanitize=address,undefined -fno-sanitize-recover=all $2 -o "$W/test-$t-$1" tests/unit/test_$t.c $sources $3 &&
            "$W/test-$t-$1" "$W" >"$W/$t-$1.log"
        line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$W/$t-$1.log" | tail -n 1)
        grep -vE '^[0-9]+ passed, [0-9]+ failed' "$W/$t-$1.log"
        p=$((p + $(echo "${line:-0 passed}" | sed -E 's/ passed.*//')))
        f=$((f + $(echo "${line:-x, 1 failed}" | sed -E 's/.*, ([0-9]+) failed.*/\1/')))
    done
    echo "$p passed, $f failed"
}

unit system "" "-lmbedtls -lmbedx509 -lmbedcrypto" >"$W/system.out" 2>&1 &
next=$BUILD/mbedtls-3
if version=$(tests/mbedtls.sh "$next"); then
    libraries="$next/libmbedtls.a $next/libmbedx509.a $next/libmbedcrypto.a"
    unit next "-I$next/usr/include" "$libraries" >"$W/next.out" 2>&1 &
fi
wait
add system
if [ -n "$version" ]; then
    add next
    tests/tls_programs.sh >"$W/programs" || exit 1
    BUILD=$BUILD/tls-3 tests/peers/tls.sh >"$W/peers-3.out" 2>&1
    add peers-3
    echo "mbedTLS of this system, and $version"
else
    failed=$((failed + 1))
fi
tests/peers/tls.sh >"$W/peers.out" 2>&1
add peers
tests/tls_configs.sh "${version:+$next/usr/include}" >"$W/configs.out" 2>&1
add configs
tests/tls_matrix.sh >"$W/matrix.out" 2>&1
add matrix
echo "$passed passed, $failed failed"
[ $failed = 0 ]
