#!/bin/bash
# Flash by module for Cortex-M0 and M4 at -Os, and the size of each public struct and of reference
# set-ups. Compared with tests/size.txt: what has grown is an error, what has shrunk is written there.
set -u
BUILD=${BUILD:-build}
"${0%/*}"/setup.sh size || exit 1
W=$BUILD/size
mkdir -p "$W"
new=$W/size.txt
: >"$new"

flash() { # flash CPU NAME FILES...: text and constants, in bytes
    local cpu=$1 name=$2 f total=0 n
    shift 2
    for f in "$@"; do
        arm-none-eabi-gcc -std=c11 -Os -mcpu="$cpu" -mthumb -ffunction-sections -fdata-sections \
            -DMOTE_HPACK_SMALL -c "$f" -o "$W/o.o" || exit 1
        n=$(arm-none-eabi-size "$W/o.o" | awk 'NR == 2 { print $1 }')
        total=$((total + n))
    done
    printf '%s %s flash %s\n' "$cpu" "$name" "$total" >>"$new"
}

grpc_common="grpc/grpc_call.c grpc/grpc_fields.c grpc/grpc_init.c grpc/grpc_message.c grpc/grpc_recv.c grpc/grpc_send.c grpc/grpc_status.c"
for cpu in cortex-m0 cortex-m4; do
    # shellcheck disable=SC2086
    {
        flash $cpu hpack hpack/*.c
        flash $cpu h2 h2/*.c
        flash $cpu grpc-common $grpc_common
        flash $cpu grpc-client grpc/grpc_client.c
        flash $cpu grpc-server grpc/grpc_server.c
        flash $cpu grpc-channel grpc/grpc_channel.c
        flash $cpu pb pb/pb_decode.c pb/pb_encode.c pb/pb_types.c pb/pb_wire.c
        flash $cpu pb-print pb/pb_print.c
        flash $cpu pb-split pb/pb_split.c
        flash $cpu generated examples/telemetry.mote.c
    }
done

# Sizes on the device: each is the length of an array, read from the object file.
cat >"$W/sizes.c" <<'C'
#include "../../grpc/grpc.h"
#include "../../pb/pb.h"
#define SIZE(name, n) const char size_##name[n] = {1};
SIZE(mote_hpack_decoder, sizeof(mote_hpack_decoder))
SIZE(mote_hpack_encoder, sizeof(mote_hpack_encoder))
SIZE(mote_h2, sizeof(mote_h2))
SIZE(mote_h2_stream, sizeof(mote_h2_stream))
SIZE(mote_grpc, sizeof(mote_grpc))
SIZE(mote_grpc_call, sizeof(mote_grpc_call))
SIZE(mote_channel, sizeof(mote_channel))
/* one call, messages of 128 bytes, no receiving table, 8 remembered fields */
SIZE(client_1_call, sizeof(mote_grpc) + MOTE_GRPC_MEMORY(1, 133, 256, 0, 128, 8, 0))
SIZE(server_1_call, sizeof(mote_grpc) + MOTE_GRPC_MEMORY(1, 133, 256, 256, 128, 8, 0))
C
arm-none-eabi-gcc -std=c11 -Os -mcpu=cortex-m4 -mthumb -I. -c "$W/sizes.c" -o "$W/sizes.o" || exit 1
arm-none-eabi-nm -S "$W/sizes.o" | sort -k4 | awk 'function hex(s,  i, n) { n = 0; s = tolower(s); for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return n } { printf "cortex-m4 %s ram %d\n", substr($4, 6), hex($2) }' >>"$new" 2>/dev/null ||
    exit 1

cat "$new"
sum() { awk -v cpu=cortex-m4 -v list="$1" 'BEGIN { n = split(list, a, " "); for (i = 1; i <= n; i++) want[a[i]] = 1 }
    $1 == cpu && $3 == "flash" && want[$2] { s += $4 } END { print s }' "$new"; }
ram() { awk -v name="$1" '$2 == name && $3 == "ram" { print $4 }' "$new"; }
status=0
if [ -f tests/size.txt ]; then
    awk 'NR == FNR { old[$1 $2 $3] = $4; next }
         ($1 $2 $3) in old && $4 > old[$1 $2 $3] { print "grown: " $0 ", was " old[$1 $2 $3]; bad = 1 }
         END { exit bad }' tests/size.txt "$new" || status=1
fi
[ $status = 0 ] && cp "$new" tests/size.txt
echo "client_flash=$(sum 'hpack h2 grpc-common grpc-client pb generated') server_flash=$(sum 'hpack h2 grpc-common grpc-server pb generated') both_flash=$(sum 'hpack h2 grpc-common grpc-client grpc-server pb generated') client_ram=$(ram client_1_call) server_ram=$(ram server_1_call)"
exit $status
