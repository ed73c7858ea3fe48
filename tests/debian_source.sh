#!/bin/bash
# Fetches and unpacks a source package of Debian: tests/debian_source.sh PACKAGE/RELEASE
# Prints the folder, $BUILD/source/PACKAGE-RELEASE.
set -eu
BUILD=${BUILD:-build}
S=$PWD/$BUILD/source
package=${1%/*}
release=${1#*/}
to=$BUILD/source/$package-$release
if [ ! -f "$to/.complete" ]; then
    mkdir -p "$S/lists/partial" "$S/cache/archives/partial" "$S/$package-$release"
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${uri:?no Debian mirror is configured} $release main" >"$S/sources.list"
    : >"$S/status"
    apt() {
        apt-get -q -o Dir::Etc::sourcelist="$S/sources.list" -o Dir::Etc::sourceparts=/dev/null \
            -o Dir::State::lists="$S/lists" -o Dir::State::status="$S/status" -o Dir::Cache="$S/cache" \
            -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
    }
    (
        mkdir -p "$S/$package-$release.dsc"
        cd "$S/$package-$release.dsc"
        apt update && apt source --download-only "$package/$release"
        tar -xf "$(ls "$package"_*.orig.tar.*)" -C "$S/$package-$release" --strip-components=1
    ) >"$S/log" 2>&1 || { tail -n 5 "$S/log" >&2; exit 1; }
    touch "$to/.complete"
fi
echo "$to"
