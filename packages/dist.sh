#!/bin/bash
# make dist: archives of the last commit under $BUILD/dist, the same bytes wherever and whenever they are made: what git
# has, in the order of names, with the time of the commit.
set -eu
BUILD=${BUILD:-build}
dist=$PWD/$BUILD/dist
name=mote-$VERSION
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -z "$(git status --porcelain --untracked-files=no)" ] || echo "dist: what is not committed stays out"
time=$(git log -1 --format=%ct)
rm -rf "$dist"
mkdir -p "$dist"
git archive --format=tar --prefix="$name/" HEAD | tar -x -C "$work"
cd "$work"

# pack ARCHIVE FOLDER
pack() {
    tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$time" --format=gnu -cf - "$2" | gzip -9 -n >"$dist/$1"
}

pack "$name.tar.gz" "$name"

(cd "$name" && packages/amalgamate.py "$work/$name-amalgamation" && cp LICENSE tls/preset.h examples/hello/* "$work/$name-amalgamation")
# The example includes what lies beside it.
sed -i 's|<mote/port/posix/posix.h>|"mote.h"|' "$name-amalgamation"/hello_*.c
pack "$name-amalgamation.tar.gz" "$name-amalgamation"

# The same two files as a library of Arduino and PlatformIO, a component of ESP-IDF, a module of Zephyr.
mkdir -p "$name-boards/src"
cp -r "$name/packages/boards/." "$name/LICENSE" "$name-boards"
cp "$name-amalgamation"/mote.[ch] "$name-boards/src"
# Their examples, each with all of its sources.
(
    cd "$name-boards"
    mv arduino/MoteClient.h src
    mkdir -p examples
    mv arduino/examples/Hello esp_idf examples
    for example in examples/Hello examples/esp_idf/main zephyr/samples/*/src; do cp hello/*.[ch] "$example"; done
    rm -r arduino hello
)
pack "$name-boards.tar.gz" "$name-boards"

# The plugin as a source package of Python, which pip compiles.
plugin=protoc_gen_mote-$VERSION
mkdir -p "$plugin/pb/plugin"
cp -r "$name/packages/python/." "$name/LICENSE" "$plugin"
cp "$name"/pb/*.[ch] "$plugin/pb"
cp "$name"/pb/plugin/*.[ch] "$plugin/pb/plugin"
printf 'include LICENSE\nrecursive-include pb *.c *.h\n' >"$plugin/MANIFEST.in"
pack "$plugin.tar.gz" "$plugin"

"$name/packages/sbom.py" "$name" "$VERSION" "$time" >"$dist/$name.spdx.json"

cd "$dist" && sha256sum -- * >SHA256SUMS
ls -l "$dist"
