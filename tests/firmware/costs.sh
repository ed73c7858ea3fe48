#!/bin/bash
# What a sample and a handshake cost each board (make firmware-costs), or those of $BOARDS: prints the table of docs/firmware.md
set -eu
BUILD=${BUILD:-build}
W=$PWD/$BUILD/costs
mkdir -p "$W"
[ -n "$(find "$W/server.pem" -mtime -10 2>/dev/null)" ] || (cd "$W" && . "$OLDPWD/tests/certificates.sh" && ca good && cert server good 20 DNS:localhost) >"$W/log" 2>&1
text() { echo "static const char $1[] ="; sed 's/.*/"&\\n"/' "$2"; echo ";"; }
{ text ca_pem "$W/good.pem"; text cert_pem "$W/server.pem"; text key_pem "$W/server.key"; } >"$W/costs.h"
program="tests/firmware/costs.c examples/fleet/telemetry.mote.c $(make -s --no-print-directory print-CORE) -DMOTE_NO_COMPRESSION"

run() { # run BOARD: counts into $W/BOARD.counts
    local emulator=qemu-system-arm
    [ "$1" != virt ] || emulator="qemu-system-riscv32 -bios none"
    (cd tests/firmware && timeout 300 $emulator -M "$1" -display none -monitor none -serial null -icount shift=0 \
        -semihosting-config enable=on,target=native -kernel "$W/costs-$1.elf") >"$W/$1.counts" 2>&1
}
# With client and server in one program. Where not even the client has room with TLS, $missing is how many bytes of RAM are.
# shellcheck disable=SC2086
build() { # build BOARD
    missing=
    LINK=tls port/lwip/build.sh "$1" "$W/costs-$1.elf" $program -I"$W" >"$W/log" 2>&1 && return
    LINK=tls port/lwip/build.sh "$1" "$W/costs-$1.elf" $program -I"$W" -DCOSTS_CLIENT >"$W/log" 2>&1 || true
    missing=$(sed -n "s/.*region .RAM' overflowed by \([0-9]*\) bytes.*/\1/p" "$W/log" | head -n 1)
    [ -n "$missing" ] || { tail "$W/log"; exit 1; }
    port/cortex-m/build.sh "$1" "$W/costs-$1.elf" $program -DCOSTS_PLAIN -DMOTE_CLIENT_ONLY >"$W/log" 2>&1 || { tail "$W/log"; exit 1; }
}

echo "| board | core | a sample, instructions | a sample over TLS | a full handshake | a resumed one |"
echo "|---|---|---|---|---|---|"
while read -r board core; do
    [[ " ${BOARDS:-$board} " = *" $board "* ]] || continue
    build "$board"
    run "$board" || true
    awk -v board="$board" -v core="$core" -v missing="$missing" '{ n[$1] = $2 }
        function ms(x) { return x * 1.5 / 48000 }
        function sample(x) { return sprintf("%d (%.2f ms)", x, ms(x)) }
        function shake(x) { return sprintf("%.1f million (%.2f s)", x / 1000000, ms(x) / 1000) }
        function wire(k) { return n[k "_bytes_up"] " bytes in " n[k "_records_up"] " up, " n[k "_bytes_down"] " in " n[k "_records_down"] " down" }
        END {
            if (!("sample_bytes" in n)) { print "costs.sh: error: tests/firmware/costs.c did not come to its end on " board; exit 1 }
            printf "| %s | %s | %s | ", board, core, sample(n["sample_instructions"])
            if (!("tls_sample_bytes" in n)) { print missing " bytes of RAM are missing | | |"; exit }
            print sample(n["tls_sample_instructions"]) " | " shake(n["full_instructions"]) " | " shake(n["resumed_instructions"]) " |"
            print board ": a sample " n["sample_bytes"] " bytes, over TLS " n["tls_sample_bytes"] "; a full handshake " wire("full") \
                ", a resumed one " wire("resumed") >"/dev/stderr"
        }' "$W/$board.counts"
done <<END
stm32vldiscovery Cortex-M3
lm3s6965evb Cortex-M3
microbit Cortex-M0
mps2-an385 Cortex-M3
mps2-an386 Cortex-M4
mps3-an547 Cortex-M55
virt RISC-V, rv32imac
END
