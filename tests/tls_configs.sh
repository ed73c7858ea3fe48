#!/bin/bash
# tls/ compiles with every part of mbedTLS left out that a user may leave out, as the defaults of Zephyr and ESP-IDF do, and says
# in a sentence what it cannot do without: tests/tls_configs.sh [INCLUDE-FOLDER OF ANOTHER VERSION]...
set -u
. tests/lib.sh
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

compile() { # compile UNDEFINED...: with these options of mbedTLS's config undefined
    local f
    printf '#undef %s\n' "$@" >"$W/left_out.h"
    for f in $(make -s --no-print-directory print-TLS_FILES); do
        # shellcheck disable=SC2086
        ${CC:-cc} -std=c11 -Wall -Wextra -Werror $include -I"$W" -DMBEDTLS_USER_CONFIG_FILE='"left_out.h"' -DTF_PSA_CRYPTO_USER_CONFIG_FILE='"left_out.h"' -fsyntax-only "$f" || return 1
    done
}
says() { # says TEXT UNDEFINED...
    local text=$1
    shift
    ! compile "$@" 2>"$W/err" && grep -q "$text" "$W/err"
}

matrix() {
    local server="MBEDTLS_SSL_SRV_C MBEDTLS_SSL_CACHE_C MBEDTLS_SSL_TICKET_C MBEDTLS_SSL_COOKIE_C MBEDTLS_SSL_DTLS_HELLO_VERIFY MBEDTLS_SSL_DTLS_CLIENT_PORT_REUSE"
    local psk="MBEDTLS_KEY_EXCHANGE_PSK_ENABLED MBEDTLS_KEY_EXCHANGE_DHE_PSK_ENABLED MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED
        MBEDTLS_KEY_EXCHANGE_RSA_PSK_ENABLED MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_ENABLED MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_PSK_EPHEMERAL_ENABLED"
    check "no session cache $1" compile MBEDTLS_SSL_CACHE_C
    check "no tickets of servers $1" compile MBEDTLS_SSL_TICKET_C
    check "no session tickets $1" compile MBEDTLS_SSL_SESSION_TICKETS MBEDTLS_SSL_TICKET_C
    # shellcheck disable=SC2086
    check "no server $1" compile $server
    check "no client $1" compile MBEDTLS_SSL_CLI_C
    # shellcheck disable=SC2086
    check "no PSK $1" compile $psk
    check "no max_fragment_length $1" compile MBEDTLS_SSL_MAX_FRAGMENT_LENGTH MBEDTLS_SSL_RECORD_SIZE_LIMIT
    check "no texts $1" compile MBEDTLS_ERROR_C
    check "no SNI $1" compile MBEDTLS_SSL_SERVER_NAME_INDICATION
    check "no information about certificates $1" compile MBEDTLS_X509_REMOVE_INFO
    check "no renegotiation $1" compile MBEDTLS_SSL_RENEGOTIATION
    check "no time $1" compile MBEDTLS_HAVE_TIME MBEDTLS_HAVE_TIME_DATE MBEDTLS_HAVEGE_C MBEDTLS_PSA_ITS_FILE_C MBEDTLS_PSA_CRYPTO_STORAGE_C MBEDTLS_TIMING_C MBEDTLS_NET_C
    # shellcheck disable=SC2086
    check "a client as small as it gets $1" compile $server $psk MBEDTLS_SSL_SESSION_TICKETS MBEDTLS_SSL_MAX_FRAGMENT_LENGTH \
        MBEDTLS_SSL_RECORD_SIZE_LIMIT MBEDTLS_ERROR_C MBEDTLS_SSL_RENEGOTIATION MBEDTLS_PEM_WRITE_C
    check "no ALPN is told $1" says "HTTP/2 needs ALPN" MBEDTLS_SSL_ALPN
    # version 4 has PSA's, which says so itself
    case $1 in *"4)") return ;; esac
    check "no entropy is told $1" says "over an entropy source of the board" MBEDTLS_ENTROPY_C MBEDTLS_CTR_DRBG_C
}
include='' matrix "(this system)"
for other in "$@"; do
    version=$(sed -nE 's/^#define MBEDTLS_VERSION_MAJOR +([0-9]+).*/\1/p' "$other/mbedtls/build_info.h")
    include="-I$other" matrix "(version $version)"
done
summary
