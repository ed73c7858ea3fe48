#!/bin/bash
# protoc-gen-mote: generated files are up to date and repeat, compile without a warning as C11 and their
# headers as C++, with names and folders of all kinds; errors say what to do; and what generated code
# encodes, Debian's protobuf decodes to the same, and the reverse.
# shellcheck disable=SC2086 # words of flags and commands
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
W=$PWD/$BUILD/test/generator
PYTHON=${PYTHON:-/usr/bin/python3}
. tests/lib.sh
rm -rf "$W"
mkdir -p "$W/examples" "$W/fuzz" "$W/out" "$W/again" "$W/py"
mote() { protoc --plugin="$BUILD/protoc-gen-mote" "$@"; }
folder="tests/pb/a folder"

examples_are_up_to_date() {
    BUILD=$BUILD examples/generate.sh "$W/examples" || return 1
    mkdir -p "$W/services" "$W/interop" && BUILD=$BUILD grpc/services/generate.sh "$W/services" &&
        BUILD=$BUILD tests/interop/generate.sh "$W/interop" || return 1
    mkdir -p "$W/json_files" && BUILD=$BUILD tests/json/generate.sh "$W/json_files" || return 1
    diff -r "$W/json_files" tests/json | grep -v '^Only in tests/json' && return 1
    mkdir -p "$W/web" && BUILD=$BUILD tests/web/generate.sh "$W/web" || return 1
    for f in "$W"/web/*; do cmp "$f" "tests/web/$(basename "$f")" || return 1; done
    for f in "$W"/services/*; do cmp "$f" "grpc/services/$(basename "$f")" || return 1; done
    diff -r "$W/interop" tests/interop | grep -v '^Only in tests/interop' && return 1
    mote -I fuzz --mote_out="$W/fuzz" --mote_opt=runtime=..,keep_unknown,names fuzz/*.proto || return 1
    (cd "$W" && ls examples/*/* fuzz/*) >"$W/list"
    while read -r f; do cmp "$W/$f" "$f" || return 1; done <"$W/list"
}
check "generated files of the repository are what the plugin generates" examples_are_up_to_date

generate() { # generate FOLDER OPTIONS
    mote -I "$folder" -I tests/pb -I /usr/include --mote_out="$W/$1" --mote_opt="runtime=,$2" nasty.proto old.proto \
        google/protobuf/timestamp.proto google/protobuf/wrappers.proto google/protobuf/any.proto \
        google/protobuf/duration.proto google/protobuf/struct.proto google/protobuf/empty.proto \
        google/protobuf/field_mask.proto
}
check "names, groups, maps and well-known types" generate out keep_unknown,names,sizes
repeats() { generate again keep_unknown,names,sizes && diff -r "$W/out" "$W/again"; }
check "output repeats" repeats

flags="-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror -I. -I$W/out"
# shellcheck disable=SC2044,SC2046,SC2086
compiles() { for f in $(find "$W/out" -name '*.mote.c'); do $CC $flags -c "$f" -o "$f.o" || return 1; done; }
check "C11 without a warning" compiles
headers_are_cpp() {
    (cd "$W/out" && find . -name '*.mote.h' | sed 's/.*/#include "&"/') >"$W/all.cc"
    g++ -std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror -I. -I"$W/out" -c "$W/all.cc" -o "$W/all.o"
}
check "headers are C++" headers_are_cpp
# Code that was generated for another library does not compile, and says why.
another_version_is_refused() {
    local h=$W/out/nasty.mote.h
    # shellcheck disable=SC2086
    for change in 's/MOTE_PB_GENERATED != 1/MOTE_PB_GENERATED != 2/' 's/#if !defined(MOTE_PB/#undef MOTE_PB_GENERATED\n&/'; do
        sed "$change" "$h" >"$W/other.h" && echo '#include "other.h"' >"$W/other.c"
        $CC $flags -I"$W" -fsyntax-only "$W/other.c" 2>&1 | grep -q "generated for another version of mote: generate it again" || return 1
    done
}
check "another version is refused" another_version_is_refused
# Files whose texts and names are what nobody would choose; each one is C and C++ without a warning.
many_types() { # a message with 300 types of sub-messages, each of which has its place
    echo 'syntax = "proto3"; package odd.many;'
    seq 300 | sed 's/.*/message S& { int32 x = 1; }/'
    echo "message Big {"
    seq 300 | sed 's/.*/  S& s& = &;/'
    echo "}"
}
wide_tree() { # 16 levels of four: its largest size is known, or not, at once
    echo 'syntax = "proto3"; package odd.wide; message L0 { int32 x = 1; }'
    for i in $(seq 16); do
        echo "message L$i { L$((i - 1)) a = 1; L$((i - 1)) b = 2; L$((i - 1)) c = 3; L$((i - 1)) d = 4; }"
    done
}
odd_is_c() {
    mkdir -p "$W/odd"
    cp tests/pb/odd/*.proto "$W/odd"
    many_types >"$W/odd/many.proto"
    wide_tree >"$W/odd/wide.proto"
    for f in "$W"/odd/*.proto; do
        timeout 10 protoc --plugin="$BUILD/protoc-gen-mote" -I "$W/odd" --mote_out="$W/odd" --mote_opt=runtime=,names "$f" || return 1
        g="${f%.proto}.mote"
        for cc in gcc clang; do
            ! command -v $cc >/dev/null ||
                $cc -std=c11 -Wall -Wextra -Wconversion -Wpedantic -Werror -I. -I"$W/odd" -c "$g.c" -o "$g.o" || return 1
        done
        g++ -std=c++17 -Wall -Wextra -Werror -I. -I"$W/odd" -x c++ -fsyntax-only "$g.h" || return 1
    done
}
check "odd names and texts are C and C++" odd_is_c
many() { $CC -std=c11 -I. -I"$W/odd" tests/pb/many.c "$W/odd/many.mote.c" pb/*.c -o "$W/many" && "$W/many"; }
check "300 types of sub-messages in one" many
comments() { grep -q "Names and shapes\|a reserved word as a message" "$W/out/nasty.mote.h"; }
check "comments carry over" comments
sizes() { generate again "" && grep -q "nasty_v1_Outer_Inner__MAX_SIZE 11 " "$W/again/nasty.mote.h" && ! grep -q "nasty_v1_class_MAX_SIZE" "$W/again/nasty.mote.h"; }
check "bounded messages have a largest size" sizes
only_client() { generate again client && grep -q _start "$W/again/nasty.mote.h" && ! grep -q _METHODS "$W/again/nasty.mote.h"; }
check "only client stubs" only_client
only_descriptors() { # which need no more than each other
    generate descriptors descriptors_only || return 1
    ! grep -rq "struct {\|_layout\|_encoder\|grpc.h" "$W/descriptors" &&
        grep -q "^extern const mote_pb_file nasty_file;" "$W/descriptors/nasty.mote.h" || return 1
    # shellcheck disable=SC2046
    $CC -std=c11 -Wall -Wextra -Wpedantic -Werror -I. -I"$W/descriptors" -shared -fPIC -Wl,-z,defs \
        $(find "$W/descriptors" -name '*.mote.c') -o "$W/descriptors.so"
}
mkdir -p "$W/descriptors"
check "descriptors alone" only_descriptors
names_are_found() {
    # shellcheck disable=SC2046
    $CC -std=c11 -I. -I"$W/descriptors" -shared -fPIC $(find "$W/descriptors" -name "*.mote.c") pb/*.c \
        grpc/services/*.mote.c grpc/services/reflection_names.c -o "$W/names.so" &&
        $PYTHON tests/pb/symbols.py "$W/names.so" $(sed -n 's/^const mote_pb_file \([a-z_0-9A-Z]*\) = .*/\1/p' \
            $(find "$W/descriptors" -name '*.mote.c') grpc/services/*.mote.c)
}
check "each name of a descriptor is found, and no other" names_are_found
prefix() { generate again prefix=nasty.v1:short && grep -q "struct short_class {" "$W/again/nasty.mote.h"; }
# shellcheck disable=SC2046,SC2086
defaults() { $CC $flags tests/pb/defaults.c "$W"/out/old.mote.c $(make -s --no-print-directory print-PB) -o "$W/defaults" && "$W/defaults"; }
check "defaults are constants" defaults
check "another prefix" prefix
skip() { generate again skip=nasty.v1.class.texts && ! grep -q "texts" "$W/again/nasty.mote.h"; }
check "fields may be left out" skip
large() { # stubs for large messages: C, C++, and what they send
    mkdir -p "$W/large" && mote -I tests/pb --mote_out="$W/large" --mote_opt=runtime=,large tests/pb/large.proto &&
        $CC $flags -I"$W/large" -c "$W/large/large.mote.c" -o "$W/large/large.o" &&
        echo '#include "large.mote.h"' | g++ -std=c++17 -Wall -Wextra -Wno-missing-field-initializers -Werror -I. -I"$W/large" -x c++ -fsyntax-only - &&
        $CC -std=c11 -Wall -Wextra -Werror -I. -I"$W/large" tests/pb/large.c "$W/large/large.o" "$BUILD/libmote.a" -o "$W/large/run" &&
        "$W/large/run"
}
check "stubs for large messages" large

depth() { # the depth of a schema is its own, and that of a type that holds itself is the user's
    # shellcheck disable=SC2046
    $CC -std=c11 -Wall -Wextra -Werror -DMOTE_PB_DEPTH=2 -Dbig_List_DEPTH=3 -I. -I"$W/odd" -I"$W/large" tests/pb/depth.c \
        "$W/large/large.mote.c" "$W/odd/wide.mote.c" $(make -s --no-print-directory print-CORE) -o "$W/depth" && "$W/depth"
}
check "stacks have the depth of the schema" depth

sizes_of_types() { # by code of its own, by the table where there is a circle; what has no required field is told
    mkdir -p "$W/sizes" && mote -I tests/pb --mote_out="$W/sizes" --mote_opt=runtime=,sizes,keep_unknown,supplied=sizes.Supplied.xs \
        sizes.proto sizes_import.proto || return 1
    # shellcheck disable=SC2046,SC2086
    $CC $flags -g -fsanitize=address,undefined -I"$W/sizes" tests/pb/sizes.c "$W/sizes/sizes.mote.c" "$W/sizes/sizes_import.mote.c" \
        $(make -s --no-print-directory print-PB) -o "$W/sizes/run" && "$W/sizes/run"
}
check "sizes by code for each type" sizes_of_types

one_way() { # a field that is only sent, one that is only received; tables with them inside have two as well
    generate one_way "encode_only=nasty.v1.class.texts,decode_only=nasty.v1.class.packed,names" || return 1
    # shellcheck disable=SC2046,SC2086
    $CC -std=c11 -Wall -Wextra -Wconversion -Werror -I. -I"$W/one_way" tests/pb/one_way.c "$W/one_way/nasty.mote.c" \
        $(find "$W/one_way/google" -name '*.mote.c') $(make -s --no-print-directory print-PB) -o "$W/one" && "$W/one"
}
mkdir -p "$W/one_way"
check "fields for one direction" one_way
no_field() { ! generate again skip=nasty.v1.class.colour 2>"$W/err" && grep -q "'nasty.v1.class.colour'" "$W/err"; }
check "an option for a field that is not there is told" no_field
unknown_option() { ! generate again colour=red 2>"$W/err" && grep -q "unknown option 'colour'" "$W/err"; }
check "an unknown option is told" unknown_option

protoc -I "$folder" -I tests/pb -I /usr/include --python_out="$W/py" nasty.proto old.proto || exit 1
# shellcheck disable=SC2046,SC2086
$CC -std=c11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -I. -I"$W/out" tests/pb/transcode.c \
    $(find "$W/out" -name '*.mote.c') $(make -s --no-print-directory print-PB) -o "$W/transcode" || exit 1
check "random messages, both ways" env PYTHONPATH="$W/py" $PYTHON tests/pb/differential.py "$W/transcode"
mkdir -p "$W/json" && protoc -I tests/json -I /usr/include --python_out="$W/json" json.proto || exit 1
# shellcheck disable=SC2046
$CC -std=c11 -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -I. -Itests/json tests/json/filter.c \
    $(find tests/json -name '*.mote.c') $(make -s --no-print-directory print-PB print-JSON) -o "$W/json/filter" || exit 1
check "random messages as JSON, both ways" env PYTHONPATH="$W/json" $PYTHON -W ignore tests/json/differential.py "$W/json/filter"

/usr/bin/python3 tests/pb/schemas.py "$BUILD/protoc-gen-mote" "$W/schemas" >"$W/schemas.log" 2>&1
grep FAIL "$W/schemas.log"
line=$(tail -n 1 "$W/schemas.log")
passed=$((passed + $(echo "$line" | sed -nE 's/^([0-9]+) passed.*/\1/p')))
failed=$((failed + $(echo "$line" | sed -nE 's/.* ([0-9]+) failed.*/\1/p;t;s/.*/1/p')))

/usr/bin/python3 tests/pb/wild.py "$BUILD/protoc-gen-mote" "$W/wild" "${SEED:-1}" 8 >"$W/wild.log" 2>&1
grep FAIL "$W/wild.log"
line=$(tail -n 1 "$W/wild.log")
passed=$((passed + $(echo "$line" | sed -nE 's/^([0-9]+) passed.*/\1/p')))
failed=$((failed + $(echo "$line" | sed -nE 's/.* ([0-9]+) failed.*/\1/p;t;s/.*/1/p')))

beside_nanopb() {
    N=$W/nanopb
    mkdir -p "$N"
    protoc -I tests/pb --python_out="$W/py" both.proto &&
        protoc -I tests/pb --nanopb_out="-e.nano,-Itests/pb:$N" --nanopb_opt=-e.nano both.proto 2>/dev/null &&
        mote -I tests/pb --mote_out="$N" --mote_opt=runtime=,prefix=mm both.proto || return 1
    # shellcheck disable=SC2046,SC2086
    $CC -std=c11 -g -O1 -fsanitize=address,undefined -I. -I"$N" -I/usr/include/nanopb tests/pb/beside_nanopb.c \
        "$N/both.nano.c" "$N/both.mote.c" $(make -s --no-print-directory print-PB) -lprotobuf-nanopb -o "$N/beside" || return 1
    set -o pipefail
    PYTHONPATH="$W/py" $PYTHON tests/pb/beside_nanopb.py | "$N/beside"
}
check "random messages, the same bytes from nanopb" beside_nanopb

supplied() { # repeated fields from functions: of each kind, in C and C++; and what is no repeated field is told
    F=$W/supplied
    mkdir -p "$F"
    fields=$(printf ',supplied=both.All.%s' i32s reals s64s texts points counts)
    mote -I tests/pb --mote_out="$F" --mote_opt="runtime=,names$fields" both.proto || return 1
    # shellcheck disable=SC2046,SC2086
    $CC $flags -g -fsanitize=address,undefined -I"$F" tests/pb/supplied.c "$F/both.mote.c" \
        $(make -s --no-print-directory print-PB) -o "$F/run" || return 1
    echo '#include "both.mote.h"' | g++ -std=c++17 -Wall -Wextra -Werror -I. -I"$F" -x c++ -fsyntax-only - || return 1
    (set -o pipefail; "$F/run" | PYTHONPATH="$W/py" $PYTHON tests/pb/supplied.py) || return 1
    ! mote -I tests/pb --mote_out="$F" --mote_opt=supplied=both.All.text both.proto 2>"$W/err" &&
        grep -q "both.All.text: a function supplies repeated fields, and this is none" "$W/err"
}
check "repeated fields from functions" supplied
summary
