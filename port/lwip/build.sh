#!/bin/bash
# Firmware with TCP by lwIP: port/lwip/build.sh BOARD OUTPUT.elf SOURCES...
# LINK=ethernet (on mps2-an385 or lm3s6965evb; with TLS by mbedTLS), LINK=ppp (over the line of any Cortex-M3 board), or LINK=tls
# (mbedTLS alone, on any board that has the room).
# Debian's source packages come through apt into build/, and are compiled there.
set -eu
BUILD=${BUILD:-build}
board=$1
out=$2
shift 2
here=$(dirname "$0")
link=${LINK:-ethernet}
case $link/$board in # controller and its address
ppp/* | tls/*) eth=none at=0 ;;
ethernet/mps2-an385) eth=lan9118 at=0x40200000 ;;
ethernet/lm3s6965evb) eth=stellaris at=0x40048000 ;;
*) echo "build.sh: error: there is no Ethernet driver for '$board'" >&2; exit 2 ;;
esac
case $board in
microbit) cpu=cortex-m0 ;;
mps2-an386) cpu=cortex-m4 ;;
mps3-an547) cpu=cortex-m55 ;;
virt) cpu=rv32imac ;;
*) cpu=cortex-m3 ;;
esac
flags=()
tools=arm-none-eabi machine="-mcpu=$cpu -mthumb" libc=(-lc_nano -lnosys)
if [ "$board" = virt ]; then
    picolibc=/usr/lib/picolibc/riscv64-unknown-elf
    tools=riscv64-unknown-elf machine="-march=rv32imac -mabi=ilp32" libc=("-Wl,--defsym=__heap_start=board_bss_end,--defsym=__heap_end=board_bss_end" "-L$picolibc/lib/rv32imac/ilp32" -lc -lsemihost)
    flags+=(-isystem "$picolibc/include")
fi
third=$BUILD/lwip/third-$link-$cpu
sources=() ours=("$here/emulated.c")
if [ "$link" != tls ]; then
    lwip=$(tests/debian_source.sh lwip/bookworm)
    flags+=("-I$lwip/src/include")
    sources=("$lwip"/src/core/*.c "$lwip"/src/core/ipv4/*.c)
    ours+=("$here/net.c")
fi
case $link in
ppp)
    flags+=(-DMOTE_LWIP_PPP)
    sources+=("$lwip"/src/netif/ppp/*.c "$lwip"/src/netif/ppp/polarssl/md5.c)
    ours+=("$here/ppp.c")
    ;;
ethernet)
    sources+=("$lwip/src/netif/ethernet.c")
    ours+=("$here/ethernet.c" "$here/eth_$eth.c")
    ;;
esac
if [ "$link" != ppp ]; then
    mbedtls=$(tests/debian_source.sh mbedtls/bookworm)
    flags+=("-I$mbedtls/include" -DMOTE_TLS_PRESET=4096 "-DMBEDTLS_USER_CONFIG_FILE=\\\"$here/mbedtls.h\\\"")
    sources+=("$mbedtls"/library/*.c)
    # shellcheck disable=SC2207
    ours+=($(make -s --no-print-directory print-TLS_FILES) -DMOTE_TLS_CONTEXT_MEMORY=3600)
fi
mkdir -p "$third"
printf '%s\n' -I. "-I$here" "${flags[@]}" >"$third/flags"
if [ ! "$third.a" -nt "$here/mbedtls.h" ] || [ ! "$third.a" -nt "$here/lwipopts.h" ] || [ ! "$third.a" -nt tls/preset.h ]; then
    for f in "${sources[@]}"; do
        echo "-std=gnu11 -Os -g -w $machine -ffunction-sections -fdata-sections @$third/flags -c $f -o $third/$(basename "$f" .c).o"
    done | xargs -P 2 -L 1 $tools-gcc
    $tools-ar rcs "$third.a" "$third"/*.o
fi
"$here/../cortex-m/build.sh" "$board" "$out" "$@" "${ours[@]}" "@$third/flags" -DETH_BASE=$at -DBUILT_S="$(date +%s)u" \
    -Wl,--defsym=end=board_bss_end "$third.a" "${libc[@]}"
