#!/bin/sh
# The bill of RAM of a connection: packages/ram.sh "max_calls=1 rx_size=256 ...", by the macros of grpc/storage.h, compiled
# with RAM_CC. Sizes that are not named are those of a small client; `in` is the input buffer of a blocking client.
set -eu
defaults="max_calls=1 slots=8 rx_size=133 tx_size=160 table_size=0 field_size=128 user_size=0 in=64"
arm="arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb"
[ -n "${RAM_CC:-}" ] || { command -v arm-none-eabi-gcc >/dev/null && RAM_CC=$arm || RAM_CC=${CC:-cc}; }
for word in ${1:-}; do
    name=${word%%=*} value=${word#*=}
    case " $defaults" in
    *" $name="*) ;;
    *) echo "ram: error: there is no size '$name': there are $(echo "$defaults" | sed 's/=[0-9]*/,/g; s/,$//')" >&2; exit 2 ;;
    esac
    case $value in
    "" | *[!0-9]* | ??????????*) echo "ram: error: $name=$value is no number below 1000000000" >&2; exit 2 ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A later -D would be an error: each size once, the last one that was said.
sizes=$(for word in $defaults ${1:-}; do echo "$word"; done | awk -F= '{ if (!($1 in v)) n[++c] = $1; v[$1] = $2 } END { for (i = 1; i <= c; i++) printf "-DN_%s=%s ", n[i], v[n[i]] }')
cat >"$work/ram.c" <<'C'
#include "grpc/channel/channel.h"
MOTE_GRPC_LAYOUT(ram, max_calls = N_max_calls, slots = N_slots, rx_size = N_rx_size, tx_size = N_tx_size, table_size = N_table_size,
                 field_size = N_field_size, user_size = N_user_size);
/* One byte more: an array has no size of 0. */
#define BILL(part, size) extern char part[]; char part[(size) + 1];
BILL(a_connection, sizeof(mote_grpc))
BILL(b_calls, MOTE_GRPC_ALIGN(N_max_calls * sizeof(mote_grpc_call)))
BILL(c_streams, MOTE_GRPC_ALIGN(N_max_calls * sizeof(mote_h2_stream)))
BILL(d_rx_size, N_max_calls * MOTE_GRPC_ALIGN(N_rx_size))
BILL(e_user_size, N_max_calls * MOTE_GRPC_ALIGN(N_user_size))
BILL(e_zplace, N_max_calls * MOTE_GRPC_PLACE)
BILL(f_slots, MOTE_GRPC_ALIGN(N_slots * sizeof(mote_hpack_slot)))
BILL(g_table_size, MOTE_GRPC_ALIGN(MOTE_HPACK_TABLE_MEMORY(N_table_size)))
BILL(h_tx_size, MOTE_GRPC_ALIGN(N_tx_size))
BILL(i_field_size, MOTE_GRPC_ALIGN(N_field_size))
BILL(i_repeats, MOTE_GRPC_REPEATS)
BILL(j_all, MOTE_RAM_CONNECTION(ram))
BILL(k_channel, sizeof(mote_channel) - sizeof(mote_grpc))
BILL(l_in, N_in)
BILL(m_all, MOTE_RAM_CHANNEL(ram, N_in))
C
# shellcheck disable=SC2086
$RAM_CC -std=c11 -ffreestanding -fno-common $sizes -I. -S "$work/ram.c" -o "$work/ram.s"
echo "RAM in bytes, by $RAM_CC"
# The size of each array: `.size NAME, BYTES` of ELF.
awk '/^\t\.size/ { sub(",", "", $2); print $2, $3 - 1 }' "$work/ram.s" | sort | awk '
    BEGIN {
        t["a_connection"] = "the connection (mote_grpc)"; t["b_calls"] = "calls (max_calls)"; t["c_streams"] = "their streams"
        t["d_rx_size"] = "receive buffers (max_calls, rx_size)"; t["e_user_size"] = "memory of handlers (max_calls, user_size)"
        t["e_zplace"] = "where messages in parts go on: hosts alone (max_calls)"
        t["f_slots"] = "fields that the encoder remembers (slots)"; t["g_table_size"] = "HPACK table of what is received (table_size)"
        t["h_tx_size"] = "transmit buffer (tx_size)"; t["i_field_size"] = "the longest header field (field_size)"
        t["i_repeats"] = "header blocks that a server knows again: hosts alone"
        t["j_all"] = "= an engine: server, or client with its own loop"; t["k_channel"] = "a blocking client beside it (mote_channel)"
        t["l_in"] = "its input buffer (in)"; t["m_all"] = "= a blocking client"
    }
    { printf "%9d  %s\n", $2, t[$1] }'
