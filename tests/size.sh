#!/bin/bash
# Flash, RAM, stack and work on a microcontroller, for Cortex-M0 and M4 at -Os. Compared with tests/size.txt: what has
# grown is an error, what has shrunk is written there. The last line is for programs.
set -u
BUILD=${BUILD:-build}
"${0%/*}"/setup.sh size || exit 1
W=$BUILD/size
rm -rf "$W"
mkdir -p "$W/ci"
new=$W/size.txt
: >"$new"
compile="arm-none-eabi-gcc -std=c11 -Os -mthumb -fno-tree-loop-distribute-patterns -ffunction-sections -fdata-sections -DMOTE_HPACK_SMALL"
lean="-DMOTE_NO_TEXTS -DMOTE_NO_COMPRESSION -DMOTE_PB_DEPTH=4 -DMOTE_PB_GROUPS=8"
h2=$(ls h2/*.c | grep -v trace)
grpc_common="grpc/grpc_call.c grpc/grpc_codec.c grpc/grpc_fields.c grpc/grpc_init.c grpc/grpc_message.c grpc/grpc_recv.c grpc/grpc_send.c grpc/grpc_status.c"
pb="pb/pb_decode.c pb/pb_encode.c pb/pb_types.c pb/pb_wire.c"
program="$(ls hpack/*.c) $h2 $grpc_common grpc/grpc_client.c grpc/grpc_server.c grpc/strerror.c $pb examples/fleet/telemetry.mote.c"

row() { echo "$*" >>"$new"; } # row CPU NAME WHAT NUMBER

# ---- flash: each module with all that it has, and whole programs with what they need

text() { arm-none-eabi-size "$1" | awk 'NR == 2 { print $1 + $2 }'; }
module() { # module CPU NAME FILES...
    local cpu=$1 name=$2 f total=0
    shift 2
    for f in "$@"; do
        $compile -mcpu="$cpu" -c "$f" -o "$W/o.o" || exit 1
        total=$((total + $(text "$W/o.o")))
    done
    row "$cpu" "$name" flash $total
}
linked() { # linked CPU OPTIONS...: bytes of a program of tests/size/app.c
    local cpu=$1
    shift
    # shellcheck disable=SC2086
    $compile -mcpu="$cpu" -flto -ffreestanding -fbuiltin -nostdlib -Wl,--gc-sections -Wl,-e,main \
        $lean "$@" -o "$W/app.elf" tests/size/app.c $program port/cortex-m/memory.c -Wl,--defsym=board_data_from=0,--defsym=board_stack_end=0 -lgcc || exit 1
    text "$W/app.elf"
}
for cpu in cortex-m0 cortex-m4; do
    # shellcheck disable=SC2086
    {
        module $cpu hpack hpack/*.c
        module $cpu h2 $h2
        module $cpu grpc-common $grpc_common
        module $cpu grpc-client grpc/grpc_client.c
        module $cpu grpc-server grpc/grpc_server.c
        module $cpu grpc-channel grpc/channel/channel.c
        module $cpu pb $pb
        module $cpu pb-print pb/pb_print.c
        module $cpu pb-split pb/pb_split.c
        module $cpu h2-trace h2/h2_trace.c
        module $cpu grpc-gzip grpc/codec/gzip.c grpc/codec/inflate.c grpc/codec/deflate.c
        module $cpu grpc-retry grpc/channel/retry.c
        module $cpu grpc-life grpc/life.c
        module $cpu grpc-texts grpc/strerror.c
        module $cpu health grpc/services/health.c grpc/services/health.mote.c
        module $cpu reflection grpc/services/reflection.c grpc/services/reflection.mote.c
        module $cpu outbox grpc/services/outbox.c
        module $cpu generated examples/fleet/telemetry.mote.c
    }
    none=$(linked $cpu)
    row $cpu program-client flash $(($(linked $cpu -DCLIENT -DMOTE_CLIENT_ONLY) - none))
    row $cpu program-server flash $(($(linked $cpu -DSERVER -DMOTE_SERVER_ONLY) - none))
    row $cpu program-both flash $(($(linked $cpu -DCLIENT -DSERVER) - none))
    row $cpu program-both-with-texts flash $(($(linked $cpu -DCLIENT -DSERVER -UMOTE_NO_TEXTS -UMOTE_NO_COMPRESSION) - none))
done

# ---- RAM: the structs of the public headers, and two whole connections

grep -hoE '^(typedef )?struct mote_\w+ \{|^\} mote_\w+;' hpack/hpack.h h2/h2.h h2/trace.h grpc/grpc.h grpc/channel/channel.h \
    grpc/services/services.h grpc/services/outbox.h pb/pb.h | grep -oE 'mote_\w+' | sort -u | sed 's/.*/SIZE(&)/' >"$W/structs.h"
$compile -mcpu=cortex-m4 -I"$W" -c tests/size/sizes.c -o "$W/sizes.o" || exit 1
arm-none-eabi-nm -S -t d "$W/sizes.o" | awk '{ print "cortex-m4", substr($4, 6), "ram", $2 + 0 }' | sort >>"$new"

# ---- stack: of each function that tests/size/app.c calls, and of the others of the public headers

for f in $(make -s --no-print-directory print-CORE); do
    # shellcheck disable=SC2086
    $compile -mcpu=cortex-m4 $lean -fcallgraph-info=su -c "$f" -o "$W/ci/$(basename "$f" .c).o" || exit 1
done
/usr/bin/python3 tests/stack.py "$W"/ci/*.ci >"$W/stack" || exit 1
awk '{ print "cortex-m4", $1, "stack", $2 }' "$W/stack" >>"$new"
called=$(grep -ohE 'mote_(h2|grpc|hpack)_[a-z_]+\(' tests/size/app.c | tr -d '(' | sort -u)
called="$called mote_pb_encode mote_pb_decode mote_grpc_send"
stack=$(awk -v list="$(echo $called)" 'BEGIN { n = split(list, a, " "); for (i = 1; i <= n; i++) want[a[i]] = 1 }
    want[$1] && $2 > most { most = $2 } END { print most }' "$W/stack")

# ---- work: instructions for a sample and a command, on an emulated board

# shellcheck disable=SC2086
port/cortex-m/build.sh mps2-an386 "$W/work.elf" tests/firmware/work.c $program >/dev/null || exit 1
(cd tests/firmware && timeout 60 qemu-system-arm -M mps2-an386 -display none -monitor none -serial null -icount shift=8 \
    -semihosting-config enable=on,target=native -kernel "$OLDPWD/$W/work.elf") >"$W/work" 2>&1
grep -c . "$W/work" | grep -qx 2 || { echo "size.sh: error: tests/firmware/work.c gave no count" >&2; exit 1; }
awk '{ print "cortex-m4", $1, "instructions", $2 }' "$W/work" >>"$new"

# ---- tables of the same schema, generated by nanopb and by mote

beside() { # beside FOLDER NAME
    protoc -I "$1" --nanopb_out="-e.nano,-I$1:$W" --nanopb_opt=-e.nano "$2.proto" 2>/dev/null &&
        protoc --plugin="$BUILD/protoc-gen-mote" -I "$1" --mote_out="$W" --mote_opt=prefix=mm "$2.proto" &&
        cp /usr/include/pb.h "$W" || exit 1
    for f in nano mote; do
        $compile -mcpu=cortex-m4 -I. -I"$W" -c "$W/$2.$f.c" -o "$W/o.o" || exit 1
        row cortex-m4 "$2-$f" tables "$(text "$W/o.o")"
    done
}
beside tests/bench codec
beside tests/pb both

# ---- the table, and what has changed

cat "$new"
value() { awk -v name="$1" '$1 == "cortex-m4" && $2 == name { print $4; exit }' "$new"; }
status=0
if [ -f tests/size.txt ]; then
    awk 'NR == FNR { old[$1 $2 $3] = $4; next }
         ($1 $2 $3) in old && $4 > old[$1 $2 $3] { print "grown: " $0 ", was " old[$1 $2 $3]; bad = 1 }
         END { exit bad }' tests/size.txt "$new" || status=1
fi
awk '$3 == "tables" { n[$2] = $4 }
     END { for (k in n) if (sub("-mote$", "", k) && n[k "-mote"] > n[k "-nano"]) { print "tables of " k " are larger than nanopb'"'"'s"; bad = 1 }
           exit bad }' "$new" || status=1
[ $status = 0 ] && cp "$new" tests/size.txt
echo "client_flash=$(value program-client) server_flash=$(value program-server) both_flash=$(value program-both)" \
    "client_ram=$(value client_1_call) server_ram=$(value server_1_call) stack=$stack"
exit $status
