#!/bin/bash
# TLS with both versions of mbedTLS in both roles, and peers, their versions, certificates and CA bundles:
#   tests/tls_matrix.sh            each three values are met: SEED=1 chooses how
#   tests/tls_matrix.sh all        all of them
# MBEDTLS_4=FOLDER is where a version 4 is installed (include, lib), with which mote is then tried as well.
# Peers are OpenSSL, nginx, mbedTLS's own programs in both versions (from Debian's source packages), and Go, whose program is built
# where all are asked for, and otherwise taken where it was.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
W=$BUILD/tls-matrix
mkdir -p "$W"
fail() { echo "$1"; echo "0 passed, 1 failed"; exit 1; }

# mbedtls_peer RELEASE VERSION FLAGS SOURCES... : its ssl_server2 and ssl_client2
mbedtls_peer() {
    local source version=$2 flags=$3 p
    [ ! -x "$W/client2-$version" ] || return 0
    source=$(tests/debian_source.sh "mbedtls/$1") || return 1
    for p in server2 client2; do
        # shellcheck disable=SC2086
        (cd "$source" && "$CC" -O1 -w -Itests/include -Iprograms/ssl $flags programs/ssl/ssl_$p.c programs/ssl/ssl_test_lib.c \
            programs/test/query_config.c "${@:4}" -o "$OLDPWD/$W/$p-$version" $libraries) || return 1
    done
}
next=$PWD/$BUILD/mbedtls-3
# tests/tls.sh has just built them.
if [ "${1:-}" = all ] || [ ! -x "$BUILD/tls-3/h2_client" ]; then tests/tls_programs.sh >"$W/log" 2>&1 || fail "mbedTLS 3: $(tail -n 5 "$W/log")"; fi
if [ -n "${MBEDTLS_4:-}" ]; then tests/tls_programs.sh "$MBEDTLS_4" >"$W/log" 2>&1 || fail "mbedTLS 4: $(tail -n 5 "$W/log")"; fi
libraries="-lmbedtls -lmbedx509 -lmbedcrypto" mbedtls_peer bookworm 2.28 "" tests/src/{helpers,random,fake_external_rng_for_test}.c >"$W/log" 2>&1 &&
    libraries="$next/libmbedtls.a $next/libmbedx509.a $next/libmbedcrypto.a" \
        mbedtls_peer trixie 3.6 "-Iframework/tests/include -Iframework/tests/programs -Ilibrary -I$next/usr/include" tests/src/certs.c \
        framework/tests/src/{helpers,random,threading_helpers,fake_external_rng_for_test,psa_memory_poisoning_wrappers,psa_crypto_helpers}.c >"$W/log" 2>&1 ||
    fail "mbedTLS's programs: $(tail -n 5 "$W/log")"
if [ "${1:-}" = all ] && [ ! -x "$W/go_peer" ]; then
    (cd tests/peers && go build -o "$OLDPWD/$W/go_peer" tls_peer.go) >"$W/log" 2>&1 || fail "Go's peer: $(tail -n 5 "$W/log")"
fi

if [ -z "$(find "$W/ready" -mtime -10 2>/dev/null)" ]; then # they are good for 20 days
    (
        . tests/certificates.sh
        cd "$W" || exit 1
        ca good && cert ec good 20 DNS:localhost && cert rsa good 20 DNS:localhost rsa:2048 && cert client-ec good 20 DNS:client &&
            cert client-rsa good 20 DNS:client rsa:2048 && cert ed25519 good 20 DNS:localhost ed25519 &&
            openssl req -x509 -newkey ed25519 -nodes -keyout unknown.key -out unknown.pem -days 30 -subj /CN=unknown &&
            cat unknown.pem good.pem unknown.pem >bundle.pem && chained && touch ready
    ) >"$W/log" 2>&1 || fail "certificates: $(tail -n 5 "$W/log")"
fi
BUILD=$BUILD exec /usr/bin/python3 tests/peers/tls_matrix.py "$W" "${1:-sample}" "${SEED:-1}"
