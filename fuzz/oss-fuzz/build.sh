#!/bin/bash -eu
# Builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite want them: CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE, SRC, WORK,
# OUT and SANITIZER are set, the sources are in $SRC/mote or here. What is in $OUT afterwards runs alone: targets, seeds
# (NAME_seed_corpus.zip), NAME.options and dictionaries. tests/oss_fuzz.sh does it on this machine.
cd "$(dirname "$0")/../.."
[ ! -d "${SRC:-}/mote" ] || cd "$SRC/mote"
list() { make -s --no-print-directory TLS=1 "print-$1"; }
: "${CXXFLAGS:=$CFLAGS}"

# What is not ours was built without the memory sanitizer, which would report all that it writes.
targets=$(list FUZZERS)
[ "$SANITIZER" != memory ] || targets=$(tr ' ' '\n' <<<"$targets" | grep -vxE 'tls|nghttp2|differ|zlib')
flags="-std=c11 -DMOTE_CHECK"
[ "$SANITIZER" != address ] || flags="$flags -DMOTE_RED_ZONES"

compile() { # compile FILE: $WORK/mote/FILE.o
    mkdir -p "$WORK/mote/$(dirname "$1")"
    # shellcheck disable=SC2086
    $CC $CFLAGS $flags -I. -Itests/json -c "$1" -o "$WORK/mote/$1.o"
}
object() { printf "$WORK/mote/%s.o\n" "$@"; }
static_library() { "$CC" -print-file-name="lib$1.a"; } # what runs alone has no other

rm -rf "$WORK/mote"
mapfile -t core < <({ list CORE && list POSIX && list LINES; } | tr ' ' '\n')
for file in "${core[@]}"; do compile "$file"; done
mapfile -t objects < <(object "${core[@]}")
ar rcs "$WORK/mote/libmote.a" "${objects[@]}"

for name in $targets; do
    libraries=()
    for library in $(list "libraries_fuzz_$name"); do libraries+=("$(static_library "${library#-l}")"); done
    parts=()
    for file in $(list "parts_fuzz_fuzz_$name"); do
        [ -e "$WORK/mote/$file.o" ] || compile "$file"
        parts+=("$WORK/mote/$file.o")
    done
    # shellcheck disable=SC2086
    $CXX $CXXFLAGS "${parts[@]}" "$WORK/mote/libmote.a" "${libraries[@]}" $LIB_FUZZING_ENGINE \
        -static-libstdc++ -static-libgcc -o "$OUT/fuzz_$name"
    case $name in
    nghttp2) corpus=hpack ;;
    h2 | server | client) corpus=conversations ;;
    *) corpus=$name ;;
    esac
    corpus=fuzz/corpus/$corpus
    if [ "$name" = differ ]; then # from text, by a program for this machine
        corpus=$WORK/mote/seeds
        mkdir -p "$corpus"
        # shellcheck disable=SC2046
        cc -std=c11 -O1 fuzz/mote_differ.c fuzz/differ_nghttp2.c fuzz/differ_socket.c $(list DIFFER) $(list MUTATOR) hpack/*.c h2/*.c \
            $(list GRPC) $(list PB) -lnghttp2 -o "$WORK/mote/differ"
        "$WORK/mote/differ" --seeds="$corpus" nghttp2
    fi
    (cd "$corpus" && zip -q -j - ./*) >"$OUT/fuzz_${name}_seed_corpus.zip"
    printf '[libfuzzer]\nmax_len = 4096\ntimeout = 25\n' >"$OUT/fuzz_$name.options"
    case $name in
    h2 | differ | server | client | service)
        cp fuzz/dictionaries/http2.dict "$OUT/fuzz_$name.dict"
        echo "dict = fuzz_$name.dict" >>"$OUT/fuzz_$name.options"
        ;;
    esac
done
