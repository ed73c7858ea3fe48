#!/bin/bash
# clang-format, clang-tidy and cppcheck over the product code.
set -u
status=0
files=$(ls hpack/*.[ch] h2/*.[ch] grpc/*.[ch] grpc/channel/*.[ch] grpc/codec/*.[ch] pb/*.[ch] pb/plugin/*.[ch] tls/*.[ch] port/*/*.[ch] examples/*/*.[ch] | grep -v "examples/.*\.mote\.")
# shellcheck disable=SC2086
clang-format --dry-run --Werror $files || status=1
# shellcheck disable=SC2086
clang-tidy --quiet --warnings-as-errors='*' \
    --checks='-*,bugprone-*,clang-analyzer-*,misc-no-recursion,-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition,-clang-analyzer-security.insecureAPI.*,-bugprone-reserved-identifier,-bugprone-suspicious-include,-bugprone-macro-parentheses' \
    $(ls hpack/*.c h2/*.c grpc/*.c grpc/channel/*.c grpc/codec/*.c pb/*.c tls/*.c port/*/*.c examples/*/*.c | grep -vE "mote\.c|port/lwip/net.c|examples/firmware") -- -std=c11 -DBOARD_HZ=1000000 -DBOARD_UART=0x40000000 -DETH_BASE=0x40000000 -DBOARD_EPOCH=0 2>/dev/null || status=1
# shellcheck disable=SC2086
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=nullPointerArithmetic --suppress=ctuuninitvar hpack h2 grpc pb tls port examples || status=1
exit $status
