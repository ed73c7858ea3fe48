#!/bin/bash
# mbedTLS of the next Debian release beside the system's: its development package, unpacked below build/.
#   tests/mbedtls.sh FOLDER     leaves FOLDER/usr/include and FOLDER/libmbed*.a, unless one is installed there; says its version
set -eu
folder=$1
release=trixie
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
folder=$(cd "$folder" && pwd)
version() { sed -nE 's/.*MBEDTLS_VERSION_STRING +"(.*)"/\1/p' "$folder/usr/include/mbedtls/build_info.h"; }
if [ -f "$folder/lib/libmbedtls.a" ]; then
    sed -nE 's/.*MBEDTLS_VERSION_STRING +"(.*)"/\1/p' "$folder/include/mbedtls/build_info.h"
    exit 0
fi
[ ! -f "$folder/libmbedtls.a" ] || { version; exit 0; }
command -v apt-get >/dev/null || { echo "there is no apt-get" >&2; exit 1; }

# The mirror that this machine uses, with the other release.
uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
key=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$key] ${uri:?no Debian mirror is configured} $release main" >"$folder/sources.list"
: >"$folder/status"
apt() {
    apt-get -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$folder/lists" -o Dir::State::status="$folder/status" -o Dir::Cache="$folder/cache" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
(cd "$folder" && apt update && apt download libmbedtls-dev && dpkg -x libmbedtls-dev_*.deb .) >"$folder/log" 2>&1 || {
    tail -n 5 "$folder/log" >&2
    exit 1
}
mv "$folder"/usr/lib/*/libmbed*.a "$folder/"
rm -rf "$folder/lists" "$folder/cache"
version
