#!/bin/bash
# protobuf 35.1 in C++ and upb, which no Debian has: their sources, and abseil's, as PyPI's grpcio-tools carries them, become
# $BUILD/newest/lib.a once (some minutes); its protoc comes from Maven. Exit status 1: they cannot be had.
set -eu
BUILD=${BUILD:-build}
VERSION=1.85.1 # of grpcio-tools
PROTOC=protoc-4.35.1-linux-x86_64.exe
N=$BUILD/newest
S=$N/grpcio_tools-$VERSION
[ ! -e "$N/$VERSION" ] || exit 0
mkdir -p "$N/o"

if [ ! -d "$S" ]; then
    python3 -m pip download -q --no-deps --no-binary grpcio-tools -d "$N" "grpcio-tools==$VERSION"
    echo "d6f1ee213a07de9462c90ee5debe4a78dff20306a0fb394a65d48b2f94fe31a1  $S.tar.gz" | sha256sum --check --quiet
    tar xzf "$S.tar.gz" -C "$N"
fi
if [ ! -x "$N/protoc" ]; then
    mvn -q -B dependency:copy -Dartifact=com.google.protobuf:protoc:4.35.1:exe:linux-x86_64 "-DoutputDirectory=$PWD/$N" >"$N/mvn"
    echo "d2c65c3ea5eeb59427f684ed3e0a0cd458386122fc9f1b98de946a7242b53d31  $N/$PROTOC" | sha256sum --check --quiet
    chmod +x "$N/$PROTOC"
    mv "$N/$PROTOC" "$N/protoc"
fi

flags="-O2 -DNDEBUG -w"
for i in abseil-cpp protobuf protobuf/src protobuf/upb/reflection/cmake protobuf/third_party/utf8_range; do
    flags="$flags -I$S/third_party/$i"
done
echo "$flags" >"$N/flags"
export N S flags
python3 -c "
import sys
sys.path.insert(0, '$S')
from protoc_lib_deps import CC_FILES
print('\n'.join(f for f in CC_FILES if 'compiler' not in f and 'generator' not in f))" >"$N/files"
# shellcheck disable=SC2016 # expanded by the shells that xargs starts
xargs -P "$(nproc)" -I{} sh -c 'o=$N/o/$(echo {} | tr / _).o; [ ! -e "$o" ] || exit 0
    case {} in *.c) compiler="gcc -std=gnu11" ;; *) compiler="g++ -std=c++17" ;; esac
    $compiler $flags -c "$S/{}" -o "$o.part" && mv "$o.part" "$o"' <"$N/files"
rm -f "$N/lib.a"
ar rcs "$N/lib.a" "$N"/o/*.o
touch "$N/$VERSION"
