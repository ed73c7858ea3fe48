#!/bin/bash
# fuzz/oss-fuzz/build.sh as OSS-Fuzz runs it, for each sanitizer of SANITIZERS (all three): all targets are made, each runs
# from a copy of $OUT alone, with its seeds and options, and needs no library beyond those of libc.
set -u
BUILD=${BUILD:-build}
passed=0
failed=0
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

result() { # result NAME STATUS LOG
    if [ "$2" = 0 ]; then passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
        tail -n 15 "$3"
    fi
}

flags_of() { # flags_of SANITIZER: what OSS-Fuzz's images have
    case $1 in
    address) echo "-fsanitize=address -fsanitize-address-use-after-scope" ;;
    undefined) echo "-fsanitize=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound,vptr -fno-sanitize-recover=all" ;;
    memory) echo "-fsanitize=memory -fsanitize-memory-track-origins" ;;
    esac
}

runs_alone() { # runs_alone TARGET: in an empty folder with what was made for it
    local dir=$W/alone
    rm -rf "$dir" && mkdir -p "$dir/seeds" && cp "$OUT/$1" "$OUT/$1".* "$OUT/$1"_seed_corpus.zip "$dir" 2>"$W/cp"
    # shellcheck disable=SC2046
    (cd "$dir" && python3 -m zipfile -e "$1_seed_corpus.zip" seeds && [ -n "$(ls seeds)" ] &&
        ! ldd "./$1" | grep -vE 'linux-vdso|lib(c|m|dl|pthread|rt|resolv)\.so|ld-linux' &&
        timeout 60 env -i ASAN_OPTIONS="detect_leaks=0" "./$1" -runs=300 -seed=1 \
            $(sed -n 's/^dict = /-dict=/p' "$1.options") seeds)
}

for SANITIZER in ${SANITIZERS:-address undefined memory}; do
    export SANITIZER SRC=$W/src WORK=$W/work OUT=$W/out
    rm -rf "$SRC" "$WORK" "$OUT" && mkdir -p "$SRC" "$WORK" "$OUT"
    CC=clang CXX=clang++ CFLAGS="-O1 -g -fsanitize=fuzzer-no-link $(flags_of "$SANITIZER")" CXXFLAGS="-O1 $(flags_of "$SANITIZER")" \
        LIB_FUZZING_ENGINE=-fsanitize=fuzzer fuzz/oss-fuzz/build.sh >"$W/log" 2>&1
    result "build.sh, $SANITIZER" $? "$W/log"
    for target in "$OUT"/fuzz_*; do
        case ${target##*/} in *.*) continue ;; esac
        runs_alone "${target##*/}" >"$W/log" 2>&1
        result "${target##*/}, $SANITIZER, alone" $? "$W/log"
    done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
