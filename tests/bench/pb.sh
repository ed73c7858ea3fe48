#!/bin/bash
# Protocol Buffers: mote beside nanopb, protobuf-c and C++ protobuf, the same messages and bytes.
set -eu
. tests/bench/lib.sh
C=$B/codec
mkdir -p "$C"
protoc -I tests/bench --cpp_out="$C" --c_out="$C" codec.proto
protoc --plugin="$BUILD/protoc-gen-mote" -I tests/bench --mote_out="$C" --mote_opt=runtime=,prefix=mm codec.proto
protoc -I tests/bench --nanopb_out="-e.nano,-Itests/bench:$C" --nanopb_opt=-e.nano codec.proto
for f in "$C/codec.mote.c" "$C/codec.nano.c" "$C/codec.pb-c.c"; do
    $CC -std=c11 -O2 -I. -I"$C" -I/usr/include/nanopb -c "$f" -o "$C/$(basename "$f").o"
done
g++ -std=c++17 -O2 -I. -I"$C" -I/usr/include/nanopb tests/bench/codec.cc "$C/codec.pb.cc" "$C"/*.c.o "$BUILD/libmote.a" \
    -lprotobuf-nanopb -lprotobuf-c -lprotobuf -lpthread -o "$C/bench"
for _ in $(seq "$ROUNDS"); do taskset -c 0 "$C/bench"; done >"$B/codec.out"

of() { awk -F '\t' -v key="$1" -v column="$2" '($1 "\t" $2) == key { print $column }' "$B/codec.out" | median; }
version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null | sed 's/-.*//'; }
nanopb="nanopb $(version libnanopb-dev)" protobuf_c="protobuf-c $(version libprotobuf-c-dev)"
cpp="C++ protobuf $(pkg-config --modversion protobuf)"
cut -f 1,2 "$B/codec.out" | awk '!seen[$0]++' | while IFS= read -r key; do
    what="pb ${key#*	}, ${key%	*}"
    line "$what" ns "$(of "$key" 3)" "$(of "$key" 4)" "$nanopb" 4 less
    line "$what" ns "$(of "$key" 3)" "$(of "$key" 5)" "$protobuf_c" - less
    line "$what" ns "$(of "$key" 3)" "$(of "$key" 6)" "$cpp" 2 less
done

# What a byte of a large message costs, beside one of 62 kB by the same stub: at least 0.67 times as fast.
L=$B/large
mkdir -p "$L"
protoc --plugin="$BUILD/protoc-gen-mote" -I tests/bench --mote_out="$L" --mote_opt=runtime=,client,large large.proto
$CC -std=c11 -O2 -I. -I"$L" tests/bench/large.c "$L/large.mote.c" "$BUILD/libmote.a" -o "$L/bench"
taskset -c 0 "$L/bench" >"$B/large.out"
while IFS=$'\t' read -r room small medium large plain; do
    line "pb send 1 kB of 62 kB, buffer of $room" ns "$small" "$plain" "the stub that begins again" - less
    line "pb send 1 kB of 4 MB, buffer of $room" ns "$medium" "$small" "of 62 kB" 0.67 less
    line "pb send 1 kB of 16 MB, buffer of $room" ns "$large" "$small" "of 62 kB" 0.67 less
done <"$B/large.out"

# Beside the newest C++ protobuf and upb, once `make bench-pb` has built them. What is sized takes a third of what is written.
M=$B/newest N=$BUILD/newest
mkdir -p "$M"
[ "${NEWEST:-}" = 1 ] || [ -e "$N/lib.a" ] || exit 0
if ! BUILD=$BUILD tests/bench/newest.sh; then
    echo "bench pb: protobuf 35.1 cannot be had: no rows for it" >&2
    exit 0
fi
"$N/protoc" -I tests/bench --cpp_out="$M" codec.proto otlp.proto
protoc --plugin="$BUILD/protoc-gen-mote" -I tests/bench --mote_out="$M" --mote_opt=runtime=,prefix=mm,sizes codec.proto otlp.proto
for f in codec otlp; do $CC -std=c11 -O2 -I. -I"$M" -c "$M/$f.mote.c" -o "$M/$f.mote.o"; done
# shellcheck disable=SC2046
g++ -std=c++17 $(cat "$N/flags") -I. -I"$M" tests/bench/newest.cc "$M"/*.pb.cc "$M"/*.mote.o "$BUILD/libmote.a" "$N/lib.a" \
    -lpthread -lz -o "$M/bench"
for _ in $(seq "$ROUNDS"); do taskset -c 0 "$M/bench"; done >"$B/codec.out"
cut -f 1,2 "$B/codec.out" | awk '!seen[$0]++' | while IFS= read -r key; do
    name=${key%	*} way=${key#*	} ns=$(of "$key" 3) cpp=-
    what="pb $way, $name"
    [ "$way" != encode ] || cpp=1
    line "$what" ns "$ns" "$(of "$key" 4)" "C++ protobuf 35.1" $cpp less
    case $way in
    encode) line "$what" ns "$ns" "$(of "$key" 5)" "upb 35.1" - less ;;
    decode) line "$what" ns "$ns" "$(of "$key" 5)" "upb 35.1" 1 less ;;
    size) line "$what" ns "$ns" "$(of "$name	encode" 3)" "mote's encode" 3 less ;;
    esac
done
