#!/bin/bash
# The unit tests and golden conversations as programs of other machines, by cross compilers and qemu-user: 32-bit x86,
# ARM and RISC-V, and the big-endian s390x; and what the toolchains of boards make of the core. `make arch-programs` builds them; EMULATOR runs one.
set -u
BUILD=${BUILD:-build}
passed=0
failed=0
for arch in $(make -s --no-print-directory print-ARCHS); do
    case $arch in
    x86-32) emulator= ;;
    armhf) emulator=qemu-arm-static ;;
    *) emulator=qemu-$arch-static ;;
    esac
    # shellcheck disable=SC2046
    out=$(EMULATOR=$emulator LIMIT=600 tests/unit.sh $(make -s --no-print-directory BUILD="$BUILD" "print-PROGRAMS_arch-$arch"))
    line=$(echo "$out" | tail -n 1)
    echo "$out" | sed '$d'
    echo "$arch: $line"
    passed=$((passed + $(echo "$line" | sed -E 's/ passed.*//')))
    failed=$((failed + $(echo "$line" | sed -E 's/.*, ([0-9]+) failed.*/\1/')))
done
out=$(tests/toolchains.sh)
echo "$out" | sed '$d'
line=$(echo "$out" | tail -n 1)
echo "toolchains: $line"
passed=$((passed + $(echo "$line" | sed -E 's/ passed.*//')))
failed=$((failed + $(echo "$line" | sed -E 's/.*, ([0-9]+) failed.*/\1/')))
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
