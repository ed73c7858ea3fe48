#!/bin/bash
# What mbedTLS takes of a static pool, for each preset of tls/preset.h and both versions: fetches Debian's source
# packages into build/, builds them, and runs examples/tls_pool.c. Prints a table.
set -eu
BUILD=${BUILD:-build}
CC=${CC:-cc}
S=$PWD/$BUILD/mbedtls-source
W=$PWD/$BUILD/test/tls
mkdir -p "$S/lists/partial" "$S/cache/archives/partial"
uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
for release in bookworm trixie; do
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${uri:?no Debian mirror is configured} $release main"
done >"$S/sources.list"
: >"$S/status"
apt() {
    apt-get -q -o Dir::Etc::sourcelist="$S/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$S/lists" -o Dir::State::status="$S/status" -o Dir::Cache="$S/cache" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
[ -n "$(ls "$S"/mbedtls_3*.orig.tar.* 2>/dev/null)" ] || (
    cd "$S"
    apt update && apt source --download-only mbedtls/bookworm && apt source --download-only mbedtls/trixie
) >"$S/log" 2>&1 || { tail -n 5 "$S/log" >&2; exit 1; }
# The certificates of tests/tls.sh.
[ -s "$W/server.pem" ] || (mkdir -p "$W" && cd "$W" && . "$OLDPWD/tests/certificates.sh" && all_certificates) >"$S/log" 2>&1

for archive in "$S"/mbedtls_*.orig.tar.*; do
    version=$(basename "$archive" | sed -E 's/mbedtls_([0-9.]+)\.orig.*/\1/')
    mkdir -p "$S/$version"
    [ -d "$S/$version/library" ] || tar -xf "$archive" -C "$S/$version" --strip-components=1
    for preset in 16384 4096 1024; do
        o=$S/$version-$preset
        mkdir -p "$o"
        printf '%s\n' -Os "-I$S/$version/include" "-I$S/$version/library" "-DMOTE_TLS_PRESET=$preset" \
            "-DMBEDTLS_USER_CONFIG_FILE=\\\"$PWD/tls/preset.h\\\"" >"$o/flags"
        if [ ! -f "$o/libmbed.a" ]; then
            for f in "$S/$version"/library/*.c; do echo "@$o/flags -c $f -o $o/$(basename "$f" .c).o"; done |
                xargs -P 2 -L 1 "$CC" 2>"$o/log" || { tail "$o/log" >&2; exit 1; }
            ar rcs "$o/libmbed.a" "$o"/*.o
        fi
        # shellcheck disable=SC2046,SC2086
        $CC -std=c11 "@$o/flags" -o "$o/tls_pool" examples/tls_pool.c $(ls tls/*.c | grep -v absent) "$BUILD/libmote.a" "$o/libmbed.a"
        if [ "$preset" = 16384 ]; then # all but the longest of the tests, with this config
            # shellcheck disable=SC2046
            $CC -std=c11 "@$o/flags" -g -o "$o/test_tls" tests/unit/test_tls.c $(ls tls/*.c | grep -v absent) "$BUILD/libmote.a" "$o/libmbed.a"
            "$o/test_tls" "$W" quick
        fi
        records=$preset
        [ "$preset" != 16384 ] || records=0
        "$o/tls_pool" --ca="$W/good.pem" --cert="$W/server.pem" --key="$W/server.key" --records=$records |
            sed "s/^/mbedTLS $version, records of $preset: /"
    done
done
