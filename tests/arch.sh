#!/bin/bash
# The unit tests and golden conversations as programs of other machines, by cross compilers and qemu-user: 32-bit x86,
# ARM and RISC-V, and the big-endian s390x. `make arch-programs` builds them; EMULATOR runs one.
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
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
