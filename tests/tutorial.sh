#!/bin/bash
# docs/tutorial.md, as it is written, in a clean folder: on the host, and on an emulated board. `tests/tutorial.sh quick` takes what
# is built already for `mote/`; without it, a copy of the source.
set -u
export BUILD=${BUILD:-build}
. tests/lib.sh
. tests/follow.sh
ROOT=$PWD
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
take_files docs/tutorial.md "$W"
if [ "${1:-}" = quick ]; then ln -s "$ROOT" "$W/mote"
else mkdir "$W/mote" && git ls-files -z | tar --null -T - -cf - | tar -x -C "$W/mote"; fi

prints_the_steps() { # prints_the_steps COMMANDS
    do_commands docs/tutorial.md "$1" "$W" >"$W/out" 2>&1
    grep 'percent$' "$W/out" | diff - <(printf '%s percent\n' 30 40 50) || { tail -n 20 "$W/out"; return 1; }
}
check "the tutorial on the host" prints_the_steps tutorial
if command -v qemu-system-arm >/dev/null && command -v arm-none-eabi-gcc >/dev/null; then
    check "the tutorial on a board" prints_the_steps tutorial-board
fi
summary
