#!/bin/bash
# What a sample and a handshake cost a board (make firmware-costs): prints the table of docs/firmware.md
set -eu
BUILD=${BUILD:-build}
W=$PWD/$BUILD/costs
mkdir -p "$W"
[ -n "$(find "$W/server.pem" -mtime -10 2>/dev/null)" ] || (cd "$W" && . "$OLDPWD/tests/certificates.sh" && ca good && cert server good 20 DNS:localhost) >"$W/log" 2>&1
text() { echo "static const char $1[] ="; sed 's/.*/"&\\n"/' "$2"; echo ";"; }
{ text ca_pem "$W/good.pem"; text cert_pem "$W/server.pem"; text key_pem "$W/server.key"; } >"$W/costs.h"
# shellcheck disable=SC2046
port/lwip/build.sh mps2-an385 "$W/costs.elf" tests/firmware/costs.c examples/fleet/telemetry.mote.c $(make -s --no-print-directory print-CORE) \
    -I"$W" -DMOTE_NO_COMPRESSION >"$W/log" 2>&1 || { tail "$W/log"; exit 1; }
(cd tests/firmware && timeout 300 qemu-system-arm -M mps2-an385 -display none -monitor none -serial null -icount shift=0 \
    -semihosting-config enable=on,target=native -kernel "$W/costs.elf") >"$W/counts" 2>&1
awk '{ n[$1] = $2 }
    function mega(x) { return sprintf("%.1f", x / 1000000) }
    END {
        if (!("tls_sample_bytes" in n)) { print "costs.sh: error: tests/firmware/costs.c did not come to its end"; exit 1 }
        print "| Cortex-M3, what | instructions | bytes up | bytes down | records up | records down | estimate at 48 MHz |"
        print "|---|---|---|---|---|---|---|"
        printf "| a sample | %d | %d | | | | %.2f ms |\n", n["sample_instructions"], n["sample_bytes"], ms(n["sample_instructions"])
        printf "| a sample over TLS | %d | %d | | 1 | | %.2f ms |\n", n["tls_sample_instructions"], n["tls_sample_bytes"], ms(n["tls_sample_instructions"])
        for (i = 1; i <= 2; i++) {
            k = i == 1 ? "full" : "resumed"
            printf "| a %s handshake | %s million | %d | %d | %d | %d | %.2f s |\n", k, mega(n[k "_instructions"]), n[k "_bytes_up"],
                n[k "_bytes_down"], n[k "_records_up"], n[k "_records_down"], ms(n[k "_instructions"]) / 1000
        }
    }
    function ms(x) { return x * 1.5 / 48000 }' "$W/counts"
