#!/bin/sh
# Firmware for a board: port/cortex-m/build.sh BOARD OUTPUT.elf SOURCES...
# Prints flash, and RAM without the stack.
set -eu
board=$1
out=$2
shift 2
here=$(dirname "$0")
flash=0 ram=0x20000000 stack=1024
tools=arm-none-eabi
case $board in # cpu, size of flash and RAM, clock, driver and its address
lm3s6965evb) cpu=cortex-m3 flash_size=256K ram_size=64K hz=12500000 uart=pl011 at=0x4000c000 ;;
stm32vldiscovery) cpu=cortex-m3 flash=0x08000000 flash_size=128K ram_size=8K hz=24000000 uart=stm32 at=0x40013800 ;;
microbit) cpu=cortex-m0 flash_size=256K ram_size=16K hz=16000000 uart=nrf51 at=0x40002000 ;;
mps2-an385) cpu=cortex-m3 flash_size=4M ram_size=4M hz=25000000 uart=cmsdk at=0x40004000 ;;
mps2-an386) cpu=cortex-m4 flash_size=4M ram_size=4M hz=25000000 uart=cmsdk at=0x40004000 ;;
mps3-an547) cpu=cortex-m55 flash_size=512K ram_size=512K hz=32000000 uart=cmsdk at=0x59303000 ;;
virt) # riscv32: all of it is RAM
    tools=riscv64-unknown-elf flash=0x80000000 flash_size=1M ram=0x80100000 ram_size=64K hz=10000000 at=0x10000000 ;;
*) echo "build.sh: error: unknown board '$board'" >&2; exit 2 ;;
esac
if [ $board = virt ]; then
    machine="-march=rv32imac -mabi=ilp32 -idirafter $here/../riscv/include"
    start=$here/../riscv/start.c
else
    machine="-mcpu=$cpu -mthumb -mfloat-abi=soft -flto"
    start="$here/start.c $here/uart_$uart.c"
fi
mkdir -p "$(dirname "$out")"
$tools-gcc -E -P -x c -DBOARD_FLASH=$flash -DBOARD_FLASH_SIZE=$flash_size -DBOARD_RAM=$ram -DBOARD_RAM_SIZE=$ram_size \
    -DBOARD_STACK=$stack "$here/board.ld.in" >"$out.ld"
# shellcheck disable=SC2086
$tools-gcc -std=c11 -Os -g $machine -ffreestanding -fbuiltin -fno-tree-loop-distribute-patterns \
    -ffunction-sections -fdata-sections -DMOTE_HPACK_SMALL -DMOTE_PB_DEPTH=4 -DMOTE_PB_GROUPS=8 -DBOARD_NAME="\"$board\"" -DBOARD_HZ=$hz -DBOARD_UART=$at -Wall -Wextra -Werror \
    -nostdlib -Wl,--gc-sections -Wl,-T,"$out.ld" -o "$out" $start "$here/memory.c" "$@" -lgcc
$tools-size "$out" | awk -v o="$(basename "$out" .elf)" 'NR == 2 { printf "%s: flash %d, data and bss %d\n", o, $1 + $2, $2 + $3 }'
