#!/bin/bash
# Firmware with TCP by lwIP and TLS by mbedTLS: port/lwip/build.sh BOARD OUTPUT.elf SOURCES... (mps2-an385 or lm3s6965evb)
# Debian's source packages of both come through apt into build/, and are compiled there.
set -eu
BUILD=${BUILD:-build}
board=$1
out=$2
shift 2
here=$(dirname "$0")
case $board in # controller and its address
mps2-an385) eth=lan9118 at=0x40200000 ;;
lm3s6965evb) eth=stellaris at=0x40048000 ;;
*) echo "build.sh: error: there is no Ethernet driver for '$board'" >&2; exit 2 ;;
esac
lwip=$(tests/debian_source.sh lwip/bookworm)
mbedtls=$(tests/debian_source.sh mbedtls/bookworm)
third=$BUILD/lwip/third
mkdir -p "$third"
printf '%s\n' -I. "-I$here" "-I$lwip/src/include" "-I$mbedtls/include" -DMOTE_TLS_PRESET=4096 \
    "-DMBEDTLS_USER_CONFIG_FILE=\\\"$here/mbedtls.h\\\"" >"$third/flags"
if [ ! "$third.a" -nt "$here/mbedtls.h" ] || [ ! "$third.a" -nt "$here/lwipopts.h" ] || [ ! "$third.a" -nt tls/preset.h ]; then
    for f in "$lwip"/src/core/*.c "$lwip"/src/core/ipv4/*.c "$lwip/src/netif/ethernet.c" "$mbedtls"/library/*.c; do
        echo "-std=gnu11 -Os -g -w -mcpu=cortex-m3 -mthumb -ffunction-sections -fdata-sections @$third/flags -c $f -o $third/$(basename "$f" .c).o"
    done | xargs -P 2 -L 1 arm-none-eabi-gcc
    arm-none-eabi-ar rcs "$third.a" "$third"/*.o
fi
# shellcheck disable=SC2046,SC2086
"$here/../cortex-m/build.sh" "$board" "$out" "$@" "$here/net.c" "$here/eth_$eth.c" "$here/emulated.c" \
    $(make -s --no-print-directory print-TLS_FILES) "@$third/flags" -DETH_BASE=$at -DBOARD_EPOCH="$(date +%s)u" \
    -DMOTE_TLS_CONTEXT_MEMORY=3600 -Wl,--defsym=end=board_bss_end "$third.a" -lc_nano -lnosys
