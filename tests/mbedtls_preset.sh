#!/bin/bash
# What mbedTLS takes of a static pool, for each preset of tls/preset.h and both versions: fetches Debian's source
# packages into build/, builds them, and runs examples/tools/tls_pool.c. Prints a table.
set -eu
BUILD=${BUILD:-build}
CC=${CC:-cc}
S=$PWD/$BUILD/mbedtls-source
W=$PWD/$BUILD/test/tls
mkdir -p "$S"
# The certificates of tests/tls.sh.
[ -s "$W/server.pem" ] || (mkdir -p "$W" && cd "$W" && . "$OLDPWD/tests/certificates.sh" && all_certificates) >"$S/log" 2>&1

for release in bookworm trixie; do
    source=$PWD/$(tests/debian_source.sh mbedtls/$release)
    version=$(sed -nE 's/.*MBEDTLS_VERSION_STRING +"(.*)"/\1/p' "$source"/include/mbedtls/{version,build_info}.h 2>/dev/null | head -n 1)
    for preset in 16384 4096 1024; do
        o=$S/$version-$preset
        mkdir -p "$o"
        printf '%s\n' -Os "-I$source/include" "-I$source/library" "-DMOTE_TLS_PRESET=$preset" \
            "-DMBEDTLS_USER_CONFIG_FILE=\\\"$PWD/tls/preset.h\\\"" >"$o/flags"
        if [ ! -f "$o/libmbed.a" ]; then
            for f in "$source"/library/*.c; do echo "@$o/flags -c $f -o $o/$(basename "$f" .c).o"; done |
                xargs -P 2 -L 1 "$CC" 2>"$o/log" || { tail "$o/log" >&2; exit 1; }
            ar rcs "$o/libmbed.a" "$o"/*.o
        fi
        # shellcheck disable=SC2046,SC2086
        $CC -std=c11 "@$o/flags" -o "$o/tls_pool" examples/tools/tls_pool.c port/posix/tls.c $(make -s --no-print-directory print-TLS_FILES) "$BUILD/libmote.a" "$o/libmbed.a"
        if [ "$preset" = 16384 ]; then # all but the longest of the tests, with this config
            for t in $(cd tests/unit && ls test_tls*.c | sed "s/test_\(.*\)\.c/\1/"); do
                # shellcheck disable=SC2046
                $CC -std=c11 "@$o/flags" -g -o "$o/test_$t" tests/unit/test_$t.c port/posix/tls.c $(make -s --no-print-directory print-TLS_FILES) \
                    "$BUILD/libmote.a" "$o/libmbed.a"
                "$o/test_$t" "$W" quick
            done
        fi
        records=$preset
        [ "$preset" != 16384 ] || records=0
        "$o/tls_pool" --ca="$W/good.pem" --cert="$W/server.pem" --key="$W/server.key" --records=$records |
            sed "s/^/mbedTLS $version, records of $preset: /"
    done
done
