#!/bin/bash
# The core compiles with the toolchains of boards, as they are set up there: other C libraries, enums of one byte, no unaligned
# access, libraries of 32 bits; and where it does not work, the compiler says so in a sentence.
set -u
. tests/lib.sh
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
sources="$(make -s --no-print-directory print-CORE) port/serial/serial.c"
flags="-std=c11 -Os -Wall -Wextra -Werror -ffreestanding -c"

compiles() { # compiles COMPILER FLAGS...
    # shellcheck disable=SC2086
    printf '%s\n' $sources | xargs -P 2 -I{} "$@" $flags {} -o /dev/null
}
says() { # says TEXT COMPILER FLAGS...
    local text=$1 f
    shift
    for f in hpack/hpack_encode.c pb/pb_encode.c h2/h2_recv.c grpc/grpc_recv.c; do
        # shellcheck disable=SC2086
        ! "$@" $flags $f -o /dev/null 2>"$W/err" && grep -qF "$text" "$W/err" || return 1
    done
}

check "Cortex-M0, newlib" compiles arm-none-eabi-gcc -mcpu=cortex-m0 -mthumb
check "Cortex-M0, picolibc" compiles arm-none-eabi-gcc -mcpu=cortex-m0 -mthumb --specs=picolibc.specs
check "Cortex-M4, short enums, no unaligned access" compiles arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -fshort-enums -mno-unaligned-access
check "RISC-V of 32 bits, picolibc" compiles riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32 --specs=picolibc.specs
check "Xtensa LX106 (ESP8266), picolibc" compiles xtensa-lx106-elf-gcc -mlongcalls --specs=/usr/lib/xtensa-lx106-elf/picolibc.specs
check "x86 of 32 bits, short enums" compiles gcc -m32 -fshort-enums
check "AVR is told" says "mote needs pointers and int of 32 bits or more" avr-gcc -mmcu=atmega2560
summary
