#!/bin/sh
# Installs what a target needs and this machine lacks, from Debian's packages:
#   tests/setup.sh test|demo|interop|otlp|web|proxies|etcd|http|tls|tls-matrix|conformance|corpus|bench|lint|size|firmware|coverage|fuzz|packages|root|arch
# As root, or by sudo where that asks nothing; otherwise one line says what to install.
set -u

missing=
need() { # need PACKAGE FILE-OR-COMMAND
    case $2 in
    /*) [ -e "$2" ] && return ;;
    *) command -v "$2" >/dev/null 2>&1 && return ;;
    esac
    missing="$missing $1"
}

need_header() { # need_header PACKAGE HEADER
    found=$(find /usr/include /usr/lib -path "*/$2" 2>/dev/null | head -n 1)
    [ -n "$found" ] || missing="$missing $1"
}

need gcc "${CC:-gcc}"
need make make
case ${1:-test} in
test | demo | firmware)
    need libsqlite3-dev /usr/include/sqlite3.h
    need sqlite3 sqlite3
    ;;
esac
case ${1:-test} in
test | tls-matrix) # peers of tests/tls_matrix.sh
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need openssl openssl
    need nginx-light nginx
    need curl curl
    need dpkg-dev dpkg-source
    need xz-utils xz
    need bzip2 bzip2
    ;;
esac
[ "${1:-test}" != tls-matrix ] || need golang-go go
case ${1:-test} in
demo | tls-matrix) ;;
test)
    need pkg-config pkg-config
    need man-db man
    need python3 /usr/bin/python3
    need python3-grpcio /usr/lib/python3/dist-packages/grpc/__init__.py
    need libprotobuf-dev /usr/include/google/protobuf/timestamp.proto
    need python3-protobuf /usr/lib/python3/dist-packages/google/protobuf/__init__.py
    need protobuf-compiler protoc
    need nghttp2-client nghttp
    need nghttp2-client h2load
    need nghttp2-server nghttpd
    need curl curl
    need libnghttp2-dev /usr/include/nghttp2/nghttp2.h
    need zlib1g-dev /usr/include/zlib.h
    need binutils nm
    need g++ g++
    need nanopb protoc-gen-nanopb
    need libnanopb-dev /usr/include/pb_encode.h
    need liblwip-dev /usr/include/lwip/lwip/api.h
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need openssl openssl
    ;;
interop)
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need openssl openssl
    need g++ g++
    need libgrpc++-dev /usr/include/grpcpp/grpcpp.h
    need protobuf-compiler protoc
    need libprotobuf-dev /usr/include/google/protobuf/message.h
    need protobuf-compiler-grpc grpc_cpp_plugin
    need pkg-config pkg-config
    need python3 /usr/bin/python3
    need python3-grpcio /usr/lib/python3/dist-packages/grpc/__init__.py
    need python3-protobuf /usr/lib/python3/dist-packages/google/protobuf/__init__.py
    ;;
otlp)
    need python3 /usr/bin/python3
    need python3-pip pip3
    need python3-grpcio /usr/lib/python3/dist-packages/grpc/__init__.py
    need python3-protobuf /usr/lib/python3/dist-packages/google/protobuf/__init__.py
    need protobuf-compiler protoc
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need openssl openssl
    ;;
web)
    need npm npm
    need chromium chromium
    need curl curl
    need netcat-openbsd nc
    need openssl openssl
    need protobuf-compiler protoc
    need libsqlite3-dev /usr/include/sqlite3.h
    need sqlite3 sqlite3
    need python3-h11 /usr/lib/python3/dist-packages/h11/__init__.py
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    ;;
tls)
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need openssl openssl
    need dpkg-dev dpkg-source
    need xz-utils xz
    need bzip2 bzip2
    ;;
etcd)
    need etcd-server etcd
    need protobuf-compiler protoc
    ;;
proxies)
    need nginx-light nginx
    need haproxy haproxy
    ;;
http)
    need nghttp2-server nghttpd
    need nghttp2-client nghttp
    need nghttp2-proxy nghttpx
    need curl curl
    need caddy caddy
    need haproxy haproxy
    need openssl openssl
    ;;
corpus)
    need g++ g++
    need clang clang
    need protobuf-compiler protoc
    need libprotobuf-dev /usr/include/google/protobuf/timestamp.proto
    need python3 /usr/bin/python3
    need python3-protobuf /usr/lib/python3/dist-packages/google/protobuf/__init__.py
    need npm npm
    need cargo cargo
    ;;
conformance)
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need g++ g++
    need protobuf-compiler protoc
    need libprotobuf-dev /usr/include/google/protobuf/message.h
    need xz-utils xz
    ;;
bench)
    need g++ g++
    need libgrpc++-dev /usr/include/grpcpp/grpcpp.h
    need protobuf-compiler protoc
    need libprotobuf-dev /usr/include/google/protobuf/message.h
    need protobuf-compiler-grpc grpc_cpp_plugin
    need nghttp2-client h2load
    need nghttp2-server nghttpd
    need nanopb protoc-gen-nanopb
    need libnanopb-dev /usr/include/pb_encode.h
    need protobuf-c-compiler protoc-gen-c
    need libprotobuf-c-dev /usr/include/protobuf-c/protobuf-c.h
    need libnghttp2-dev /usr/include/nghttp2/nghttp2.h
    need strace strace
    need pkg-config pkg-config
    need curl curl
    need python3 /usr/bin/python3
    ;;
bench-pb)
    need g++ g++
    need protobuf-compiler protoc
    need libprotobuf-dev /usr/include/google/protobuf/message.h
    need nanopb protoc-gen-nanopb
    need libnanopb-dev /usr/include/pb_encode.h
    need protobuf-c-compiler protoc-gen-c
    need libprotobuf-c-dev /usr/include/protobuf-c/protobuf-c.h
    need pkg-config pkg-config
    need zlib1g-dev /usr/include/zlib.h
    need maven mvn
    need python3-pip pip
    ;;
lint)
    need clang-format clang-format
    need clang-tidy clang-tidy
    need cppcheck cppcheck
    need shellcheck shellcheck
    need g++ g++
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    ;;
firmware)
    need openssl openssl
    need dpkg-dev dpkg-source
    need xz-utils xz
    need gcc-arm-none-eabi arm-none-eabi-gcc
    need libnewlib-arm-none-eabi /usr/lib/arm-none-eabi/include/string.h
    need qemu-system-arm qemu-system-arm
    need qemu-system-misc qemu-system-riscv32
    need gcc-riscv64-unknown-elf riscv64-unknown-elf-gcc
    need picolibc-riscv64-unknown-elf /usr/lib/picolibc/riscv64-unknown-elf/include/string.h
    need binutils size
    need protobuf-compiler protoc
    need python3 /usr/bin/python3
    need python3-grpcio /usr/lib/python3/dist-packages/grpc/__init__.py
    need python3-protobuf /usr/lib/python3/dist-packages/google/protobuf/__init__.py
    ;;
size)
    need gcc-arm-none-eabi arm-none-eabi-gcc
    need qemu-system-arm qemu-system-arm
    need python3 /usr/bin/python3
    need libnewlib-arm-none-eabi /usr/lib/arm-none-eabi/include/string.h
    need protobuf-compiler protoc
    need nanopb protoc-gen-nanopb
    need libnanopb-dev /usr/include/pb.h
    ;;
fuzz)
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need clang clang
    need libnghttp2-dev /usr/include/nghttp2/nghttp2.h
    need zlib1g-dev /usr/include/zlib.h
    need zip zip
    need afl++ afl-fuzz
    need libclang-rt-14-dev /usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a
    ;;
coverage)
    need gcovr gcovr
    ;;
packages)
    need liblwip-dev /usr/include/lwip/lwip/api.h
    need cmake cmake
    need ninja-build ninja
    need meson meson
    need pkg-config pkg-config
    need g++ g++
    need clang clang
    need git git
    need gcc-arm-none-eabi arm-none-eabi-gcc
    need libnewlib-arm-none-eabi /usr/lib/arm-none-eabi/include/string.h
    need gcc-xtensa-lx106 xtensa-lx106-elf-gcc
    need picolibc-xtensa-lx106-elf /usr/lib/xtensa-lx106-elf/include/string.h
    need qemu-system-arm qemu-system-arm
    need libmbedtls-dev /usr/include/mbedtls/ssl.h
    need protobuf-compiler protoc
    need python3 /usr/bin/python3
    need python3-grpcio /usr/lib/python3/dist-packages/grpc/__init__.py
    need debhelper dh
    need build-essential /usr/share/build-essential/essential-packages-list
    /usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
    need python3-jsonschema /usr/lib/python3/dist-packages/jsonschema/__init__.py
    ;;
root)
    need debootstrap debootstrap
    need git git
    need iproute2 ip
    ;;
arch)
    need_header libc6-dev-i386 gnu/stubs-32.h
    need lib32gcc-12-dev /usr/lib/gcc/x86_64-linux-gnu/12/32/libgcc.a
    need gcc-s390x-linux-gnu s390x-linux-gnu-gcc
    need gcc-arm-linux-gnueabihf arm-linux-gnueabihf-gcc
    need libc6-dev-armhf-cross /usr/arm-linux-gnueabihf/include/stdio.h
    need gcc-riscv64-linux-gnu riscv64-linux-gnu-gcc
    need libc6-dev-riscv64-cross /usr/riscv64-linux-gnu/include/stdio.h
    need libc6-dev-s390x-cross /usr/s390x-linux-gnu/include/stdio.h
    need qemu-user-static qemu-s390x-static
    need gcc-arm-none-eabi arm-none-eabi-gcc
    need libnewlib-arm-none-eabi /usr/lib/arm-none-eabi/include/string.h
    need picolibc-arm-none-eabi /usr/lib/picolibc/arm-none-eabi/include/string.h
    need gcc-riscv64-unknown-elf riscv64-unknown-elf-gcc
    need picolibc-riscv64-unknown-elf /usr/lib/picolibc/riscv64-unknown-elf/include/string.h
    need gcc-xtensa-lx106 xtensa-lx106-elf-gcc
    need picolibc-xtensa-lx106-elf /usr/lib/xtensa-lx106-elf/include/string.h
    need gcc-avr avr-gcc
    ;;
*)
    echo "setup.sh: error: unknown group '$1'" >&2
    exit 2
    ;;
esac
[ -z "$missing" ] && exit 0

missing=$(echo "$missing" | tr ' ' '\n' | sort -u | tr '\n' ' ')
as_root=
if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        echo "mote: please install these packages, then try again:$missing" >&2
        exit 1
    fi
fi
echo "mote: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Two that install at the same time wait for each other.
exec 9>"${TMPDIR:-/tmp}/mote-setup.lock" && flock 9
# shellcheck disable=SC2086
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing; } \
    >/dev/null 2>&1 || {
    echo "mote: these packages could not be installed:$missing" >&2
    exit 1
}
