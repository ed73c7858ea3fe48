#!/bin/bash
# The archive for boards, unpacked: its manifests and options are read by ESP-IDF's own tools (PyPI), its CMake files and examples are built
# with doubles of ESP-IDF, Zephyr and Arduino (tests/boards), those of Zephyr and Arduino talk to grpcio: tests/boards.sh FOLDER
set -u
BUILD=${BUILD:-build}
PYTHON=${PYTHON:-/usr/bin/python3}
. tests/lib.sh
ROOT=$PWD
BOARDS=$(cd "$1" && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
FLAGS="-Wall -Wextra -Wpedantic -Wshadow -Werror"
V=$ROOT/$BUILD/venv/bin

tools() {
    [ -x "$V/compote" ] && "$V/python" -c 'import kconfgen' 2>/dev/null && return
    python3 -m venv "$ROOT/$BUILD/venv" && "$V/pip" install -q --require-hashes -r "$ROOT/tests/requirements/idf.txt"
}
component_is_packed() {
    "$V/compote" component pack --name mote --project-dir "$BOARDS" --dest-dir "$W/packed" && tar -tzf "$W"/packed/mote_*.tgz | grep -q "src/mote.c$"
}
# configure NAME KCONFIG OPTIONS...: $W/NAME.cmake of a Kconfig and what it needs around it.
configure() {
    local name=$1 kconfig=$2
    shift 2
    printf 'mainmenu "x"\nconfig %s\n    bool\n    default y\n' IDF_CMAKE >"$W/$name.kconfig"
    printf 'config MBEDTLS\n    bool\n    default y\nsource "%s"\n' "$kconfig" >>"$W/$name.kconfig"
    printf 'CONFIG_%s=y\n' "$@" >"$W/$name.defaults"
    (cd "$W" && "$V/python" -m kconfgen --kconfig "$name.kconfig" --defaults "$name.defaults" --output cmake "$name.cmake") >"$W/log" 2>&1 || { cat "$W/log"; return 1; }
    for option in "$@"; do grep -q "CONFIG_$option \"y\"" "$W/$name.cmake" || { echo "$option is not an option of $kconfig"; return 1; }; done
}
build() { # build NAME CMAKE-OPTIONS...
    local name=$1
    shift
    cmake -S tests/boards -B "$W/$name" -G Ninja -DBOARDS="$BOARDS" -DSDKCONFIG="$W/$name.cmake" "$@" && nice cmake --build "$W/$name"
}
chip() { # chip FILE COMPILER FLAGS
    printf 'set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_C_COMPILER %s)\nset(CMAKE_C_FLAGS_INIT "%s")\nset(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n' "$2" "$3" >"$W/$1"
}
linked_for() { # linked_for NAME TOOLCHAIN KCONFIG OPTIONS...
    local name=$1 toolchain=$2 kconfig=$3 zephyr=OFF
    shift 3
    [ "$kconfig" = Kconfig ] || zephyr=ON
    configure "$name" "$BOARDS/$kconfig" "$@" && build "$name" -DCMAKE_TOOLCHAIN_FILE="$W/$toolchain" -DZEPHYR=$zephyr -DPROGRAM="$ROOT/tests/boards/program.c"
}
esp_idf_example_compiles() {
    configure example "$BOARDS/Kconfig" MOTE_WITH_LWIP MOTE_WITH_FREERTOS MOTE_WITH_TLS MOTE_CLIENT_ONLY &&
        build example -DEXAMPLE=ON -DCMAKE_C_FLAGS="-std=gnu17 $FLAGS -D_GNU_SOURCE -I$ROOT/tests/boards/idf -I$ROOT/tests/unit/freertos_double -isystem /usr/include/lwip"
}
generated_code_is_current() {
    protoc --plugin="$ROOT/$BUILD/protoc-gen-mote" --mote_out="$W" --mote_opt=runtime=mote.h -I examples/hello hello.proto &&
        diff "$W/hello.mote.c" packages/boards/hello/hello.mote.c && diff "$W/hello.mote.h" packages/boards/hello/hello.mote.h
}
zephyr_talks() { # zephyr_talks SAMPLE
    local s=$BOARDS/zephyr/samples/$1/src
    export MOTE_SERIAL=$ROOT/$BUILD/mote-serial
    # shellcheck disable=SC2086
    ${CC:-cc} -std=gnu11 -g -fsanitize=address,undefined $FLAGS -DMOTE_CLIENT_ONLY -Itests/boards/zephyr -I"$BOARDS/src" "$s"/*.c "$BOARDS/src/mote.c" -o "$W/zephyr_$1" &&
        "$PYTHON" tests/peers/hello_peer.py "" "$W/zephyr_$1"
}
arduino_talks() {
    local s=$BOARDS/examples/Hello
    # shellcheck disable=SC2086
    ${CC:-cc} -std=gnu11 -g $FLAGS -DMOTE_CLIENT_ONLY -I"$BOARDS/src" -c "$s/ask.c" -o "$W/ask.o" && ${CC:-cc} -std=gnu11 -g -I"$BOARDS/src" -c "$s/hello.mote.c" -o "$W/hello.o" &&
        ${CC:-cc} -std=gnu11 -g -DMOTE_CLIENT_ONLY -c "$BOARDS/src/mote.c" -o "$W/mote.o" &&
        g++ -std=gnu++11 -g $FLAGS -DSKETCH="\"$s/Hello.ino\"" -I"$s" -I"$BOARDS/src" -Itests/boards/arduino tests/boards/arduino/main.cc "$W"/{ask,hello,mote}.o -o "$W/arduino_hello" &&
        "$PYTHON" tests/peers/hello_peer.py "" "$W/arduino_hello"
}

chip arm.cmake arm-none-eabi-gcc "-mcpu=cortex-m4 -mthumb -Os -ffunction-sections -Wl,--gc-sections --specs=nosys.specs"
chip xtensa.cmake xtensa-lx106-elf-gcc "-mlongcalls -Os -ffunction-sections --specs=/usr/lib/xtensa-lx106-elf/picolibc.specs -nostartfiles -Wl,--gc-sections -Wl,-e,main -T $ROOT/tests/boards/xtensa.ld"
check "ESP-IDF's tools" tools
check "ESP-IDF's component manager packs it" component_is_packed
check "ESP-IDF: Kconfig and CMake, linked for Xtensa" linked_for idf xtensa.cmake Kconfig MOTE_CLIENT_ONLY MOTE_HPACK_SMALL
check "ESP-IDF: Kconfig and CMake, linked for Cortex-M4" linked_for idf2 arm.cmake Kconfig MOTE_CLIENT_ONLY MOTE_NO_TEXTS
check "ESP-IDF: the example with lwIP, FreeRTOS and TLS compiles" esp_idf_example_compiles
check "Zephyr: Kconfig and CMake, linked for Cortex-M4" linked_for zephyr arm.cmake zephyr/Kconfig MOTE MOTE_CLIENT_ONLY
check "the examples' generated code is what the plugin makes" generated_code_is_current
check "Zephyr: the sample over sockets talks to grpcio" zephyr_talks sockets
check "Zephyr: the sample over a UART talks to grpcio" zephyr_talks uart
check "Arduino: the sketch talks to grpcio" arduino_talks
summary
