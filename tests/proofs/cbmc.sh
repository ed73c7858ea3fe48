#!/bin/bash
# CBMC of the next Debian release, with that release's C library, unpacked below build/: tests/proofs/cbmc.sh
# Prints the command that runs it.
set -eu
BUILD=${BUILD:-build}
mkdir -p "$BUILD/cbmc/lists/partial" "$BUILD/cbmc/cache/archives/partial"
folder=$(cd "$BUILD/cbmc" && pwd)
if [ ! -e "$folder/ready" ]; then
    command -v apt-get >/dev/null || { echo "there is no apt-get" >&2; exit 1; }
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
    key=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$key] ${uri:?no Debian mirror is configured} trixie main" >"$folder/sources.list"
    : >"$folder/status"
    apt() {
        apt-get -q -o Dir::Etc::sourcelist="$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
            -o Dir::State::lists="$folder/lists" -o Dir::State::status="$folder/status" -o Dir::Cache="$folder/cache" \
            -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
    }
    (cd "$folder" && apt update && apt download cbmc minisat libc6 libstdc++6 libgcc-s1 zlib1g &&
        for package in *.deb; do dpkg-deb -x "$package" root; done) >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2; exit 1; }
    rm -rf "$folder/lists" "$folder/cache" "$folder"/*.deb
    : >"$folder/ready"
fi
libraries=$(echo "$folder"/root/usr/lib/*-linux-gnu)
echo "$libraries/$(basename "$(ls "$libraries"/ld-linux-*.so.*)") --library-path $libraries:$folder/root/usr/lib $folder/root/usr/bin/cbmc"
