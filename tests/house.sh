#!/bin/bash
# The house stands as it is drawn (tests/house.py), and what does not is seen: an arrow up, one sideways, a circle, a
# folder and a file that nobody drew, a source without an object. Each is planted into a copy.
set -u
BUILD=${BUILD:-build}
. tests/lib.sh
sources=$(make -s --no-print-directory print-HOUSE | tr '\n' ' ')
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
here=$PWD

# shellcheck disable=SC2086
stands() { tests/house.py "$BUILD/obj" $sources; }

new_copy() {
    rm -rf "$W/copy"
    cp -r "$W/whole" "$W/copy"
}
plant() { # plant FILE TEXT: a source with its object, in the copy
    mkdir -p "$W/copy/$(dirname "$1")" "$W/copy/obj/$(dirname "$1")"
    echo "$2" >"$W/copy/$1"
    "${CC:-cc}" -w -c "$W/copy/$1" -o "$W/copy/obj/${1%.c}.o"
}
# shellcheck disable=SC2086
says() { # says TEXT FILES...: an error of the copy, whose list has these files as well
    local text=$1
    shift
    (cd "$W/copy" && ! "$here/tests/house.py" obj $sources "$@") | tee "$W/out" | grep -qF -- "$text" || { cat "$W/out"; return 1; }
}

arrow_up() {
    new_copy && plant hpack/planted.c 'int mote_h2_recv(void); int mote_planted(void) { return mote_h2_recv(); }' &&
        says "arrow up or sideways: hpack/planted.c needs mote_h2_recv of h2/" hpack/planted.c
}
arrow_sideways() {
    new_copy && plant grpc/codec/planted.c 'int mote_channel_init(void); int mote_planted(void) { return mote_channel_init(); }' &&
        says "arrow up or sideways: grpc/codec/planted.c needs mote_channel_init of grpc/channel/" grpc/codec/planted.c
}
include_up() {
    new_copy && plant pb/planted.c '#include "../h2/h2.h"' && says "arrow up or sideways: pb/planted.c includes h2/h2.h" pb/planted.c
}
circle() {
    new_copy && plant h2/a.c 'int mote_b(void); int mote_a(void) { return mote_b(); }' &&
        plant h2/b.c 'int mote_a(void); int mote_b(void) { return mote_a(); }' && says "circle: h2/a.c h2/b.c" h2/a.c h2/b.c
}
unknown_folder() { new_copy && plant h2/more/a.c 'int mote_a;' && says "h2/more/a.c: the folder is not in the drawing" h2/more/a.c; }
unlisted_file() { new_copy && plant h2/a.c 'int mote_a;' && says "h2/a.c: not in the list of sources"; }
missing_object() { new_copy && rm "$W"/copy/obj/hpack/*decode*.o && says "hpack/hpack_decode.c: has no object"; }
missing_source() { new_copy && says "h2/gone.c: in the list of sources, but not there" h2/gone.c; }

mkdir -p "$W/whole/obj"
cp -r hpack h2 grpc pb tls port "$W/whole"
# shellcheck disable=SC2046,SC2086
(cd "$BUILD/obj" && cp --parents $(printf '%s ' ${sources//.c/.o}) "$W/whole/obj")
for t in stands arrow_up arrow_sideways include_up circle unknown_folder unlisted_file missing_object missing_source; do
    check "house: $t" $t
done
summary
