#!/bin/bash
# Ways to get mote into a project of one's own: each builds the hello programs of examples/hello in a clean folder, and
# grpcio calls the server and is called by the client. `tests/packages.sh quick` leaves out what needs more than a compiler.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
PYTHON=${PYTHON:-/usr/bin/python3}
. tests/lib.sh
. tests/follow.sh
ROOT=$PWD
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
PLUGIN=$ROOT/$BUILD/protoc-gen-mote
VERSION=$(make -s --no-print-directory print-VERSION)
# What has the version in it beside hpack/version.h.
VERSIONED="meson.build packages/python/pyproject.toml debian/changelog packages/vcpkg/vcpkg.json packages/boards/library.json packages/boards/idf_component.yml"
FLAGS="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

talks() { "$PYTHON" tests/peers/hello_peer.py "$@"; } # talks SERVER CLIENT: with grpcio
hello() { # hello FOLDER: a project's own files
    mkdir -p "$1" && cp examples/hello/* "$1"
}

versions_agree() {
    local f
    for f in $VERSIONED; do
        grep -q "[^0-9.]${VERSION}[^0-9.]" "$f" || { echo "$f has another version than hpack/version.h"; return 1; }
    done
}

# The recipe names folders: each file that CMake takes of packages/sources.txt lies in one of them.
conan_exports_all() {
    "$PYTHON" - <<'P'
import fnmatch, re
exported = re.findall(r'"([^"]+)"', re.search(r"exports_sources = \((.*?)\)", open("conanfile.py").read(), re.S)[1])
missing = [line for line in open("packages/sources.txt") if not re.match(r"#|(header-)?(freertos|lwip) ", line)
           and not any(fnmatch.fnmatch(line.split()[1], pattern) for pattern in exported)]
assert not missing, missing
P
}

# ---- the amalgamation

amalgamation() {
    packages/amalgamate.py "$W/one" && cp examples/hello/hello* "$W/one" &&
        sed -i 's|<mote/port/posix/posix.h>|"mote.h"|' "$W"/one/hello_*.c &&
        (cd "$W/one" && protoc --plugin="$PLUGIN" --mote_out=. --mote_opt=runtime=mote.h hello.proto)
}
# shellcheck disable=SC2086
one_unit_talks() {
    $CC -std=c11 $FLAGS -DMOTE_WITH_POSIX -c "$W/one/mote.c" -o "$W/one/mote.o" || return 1
    for p in server client; do
        $CC -std=c11 $FLAGS -DMOTE_WITH_POSIX -I"$W/one" "$W/one/hello_$p.c" "$W/one/hello.mote.c" "$W/one/mote.o" -o "$W/one/$p" || return 1
    done
    talks "$W/one/server" "$W/one/client"
}
# Each role and both, with the ports and without, by each compiler.
# shellcheck disable=SC2086
one_unit_by() { # one_unit_by COMPILER...
    local with
    for with in "" -DMOTE_CLIENT_ONLY -DMOTE_SERVER_ONLY "-DMOTE_NO_TEXTS -DMOTE_HPACK_SMALL -DMOTE_NO_COMPRESSION"; do
        "$@" -std=c11 $FLAGS $with -c "$W/one/mote.c" -o "$W/one/tried.o" || { echo "with $with"; return 1; }
    done
}
# shellcheck disable=SC2086
one_unit_with_ports_by() {
    local with
    for with in -DMOTE_WITH_POSIX "-DMOTE_WITH_FREERTOS -Itests/unit/freertos_double" "-DMOTE_WITH_LWIP -D_GNU_SOURCE -isystem /usr/include/lwip" "-DMOTE_WITH_POSIX -DMOTE_CLIENT_ONLY" -DMOTE_WITH_TLS "-DMOTE_WITH_POSIX -DMOTE_WITH_TLS"; do
        "$@" -std=c11 $FLAGS $with -c "$W/one/mote.c" -o "$W/one/tried.o" || { echo "with $with"; return 1; }
    done
}
firmware_is_linked() {
    cat >"$W/one/board.c" <<'C'
#include "mote.h"
#include "hello.mote.h"
MOTE_GRPC_STORAGE(hello, max_calls = 1, slots = 8, rx_size = 128, tx_size = 256, table_size = 0, field_size = 128, user_size = 0);
static uint8_t input[64];
static mote_channel channel;
static int io_read(void *c, uint8_t *p, size_t n) { return (void)c, (void)p, (void)n, 0; }
static int io_write(void *c, const uint8_t *p, size_t n) { return (void)c, (void)p, (int)n; }
static uint64_t io_now(void *c) { return (void)c, 0; }
void *memcpy(void *to, const void *from, size_t n) { for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = ((const char *)from)[i]; return to; }
void *memmove(void *to, const void *from, size_t n) { return memcpy(to, from, n); }
void *memset(void *to, int v, size_t n) { for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = (char)v; return to; }
int memcmp(const void *a, const void *b, size_t n) { const char *p = a, *q = b; while (n && *p == *q) p++, q++, n--; return n ? *p - *q : 0; }
void reset(void);
void reset(void)
{
    mote_grpc_config config = {MOTE_GRPC_SIZES(hello), .authority = MOTE_GRPC_AUTHORITY("localhost")};
    hello_Question question = {MOTE_PB_STRING("kitchen")};
    hello_Reading reading;
    mote_io io = {.read = io_read, .write = io_write, .now_ms = io_now};
    mote_channel_init(&channel, &config, hello_memory, sizeof hello_memory, input, sizeof input, io);
    hello_Thermometer_Read(&channel, (mote_grpc_request){.timeout_ms = 5000}, &question, &reading, NULL);
}
C
    (cd "$W/one" && arm-none-eabi-gcc -std=c11 -mcpu=cortex-m4 -mthumb -Os -ffunction-sections -fdata-sections -fno-tree-loop-distribute-patterns \
        -Wl,--gc-sections -nostdlib -Wl,-e,reset board.c hello.mote.c mote.c -lgcc -o board.elf && arm-none-eabi-size board.elf)
}
# The headers of mbedTLS are those of its library: it is linked, and works.
one_unit_has_tls() {
    cat >"$W/one/tls.c" <<'C'
#include "mote.h"
static uint64_t memory[MOTE_TLS_CONTEXT_MEMORY / 8];
int main(void)
{
    const mote_tls_config config = {.dangerously_accept_any_certificate = true};
    mote_tls_context *context;
    const char *why;
    int r = mote_tls_context_init(&context, &config, memory, sizeof memory, &why);
    mote_tls_context_end(context);
    return r != 0 || mote_tls_pool(memory, sizeof memory) != MOTE_TLS_ERR_CONFIG; /* Debian's has none */
}
C
    $CC -std=c11 -DMOTE_WITH_TLS "$W/one/tls.c" "$W/one/mote.c" -lmbedtls -lmbedx509 -lmbedcrypto -o "$W/one/tls" && "$W/one/tls"
}
used_from_cpp() {
    printf '%s\n' '#include "mote.h"' '#include "hello.mote.h"' '#include <cstring>' \
        'int main() { mote_channel channel; hello_Reading r{}; return std::strcmp(mote_version(), MOTE_VERSION) != 0 || sizeof channel == 0 || r.celsius != 0; }' >"$W/one/a.cc"
    # shellcheck disable=SC2086
    g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -DMOTE_WITH_POSIX -DMOTE_WITH_TLS -I"$W/one" -c "$W/one/a.cc" -o "$W/one/a.o" &&
        $CC -std=c11 -c "$W/one/hello.mote.c" -o "$W/one/hello.o" && g++ "$W/one/a.o" "$W/one/hello.o" "$W/one/mote.o" -o "$W/one/a" && "$W/one/a"
}

check "the versions agree" versions_agree
check "Conan's recipe has all sources" conan_exports_all
check "the amalgamation is written" amalgamation
check "mote.c and mote.h talk to grpcio" one_unit_talks
if [ "${1:-}" = quick ]; then
    summary
    exit
fi
check "mote.c by gcc" one_unit_by gcc
check "mote.c by clang" one_unit_by clang
check "mote.c with ports by gcc" one_unit_with_ports_by gcc
check "mote.c with ports by clang" one_unit_with_ports_by clang
check "mote.c by arm-none-eabi-gcc" one_unit_by arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -Os
check "mote.c and a client for Cortex-M4" firmware_is_linked
check "mote.c with TLS is linked" one_unit_has_tls
check "mote.h used from C++17" used_from_cpp

# ---- the README's quick start, as it is written, in a clean folder with nothing but the source

quick_start() {
    mkdir -p "$W/quick/mote" && git ls-files -z | tar --null -T - -cf - | tar -x -C "$W/quick/mote" && take_files README.md "$W/quick" || return 1
    do_commands README.md quick-start "$W/quick" >"$W/quick/out" || return 1
    grep -qx "21.5 degrees" "$W/quick/out" || { cat "$W/quick/out"; return 1; }
}
check "the README's quick start" quick_start
check "the tutorial, on the host and on a board" tests/docs.sh

# ---- make dist

same_bits_in_two_folders() {
    local folder
    for folder in "$W/one place" "$W/another/place"; do
        git clone -q . "$folder" && (cd "$folder" && touch h2/h2.h && make -s dist >/dev/null) || return 1
        sleep 1.1
    done
    (cd "$W/another/place/build/dist" && sha256sum --check --quiet SHA256SUMS) &&
        diff -r "$W/one place/build/dist" "$W/another/place/build/dist" && ls "$W/one place/build/dist"
}
check "make dist gives the same bits in two folders" same_bits_in_two_folders
# The bill of materials names each file of the archive, with its checksum.
bill_is_complete() {
    (cd "$W/another/place/build/dist" && tar -xzf "mote-$VERSION.tar.gz" -C "$W" && "$PYTHON" - "mote-$VERSION.spdx.json" "$W/mote-$VERSION") <<'P'
import hashlib, json, os, sys
bill, folder = json.load(open(sys.argv[1])), sys.argv[2]
listed = {f["fileName"][2:]: f["checksums"][1]["checksumValue"] for f in bill["files"]}
there = {os.path.relpath(os.path.join(d, n), folder) for d, _, names in os.walk(folder) for n in names}
assert set(listed) == there, set(listed) ^ there
assert all(hashlib.sha256(open(os.path.join(folder, n), "rb").read()).hexdigest() == v for n, v in listed.items())
assert bill["spdxVersion"] == "SPDX-2.3" and bill["packages"][0]["name"] == "mote"
P
}
# In a copy: the number is everywhere, the tag is there, and the archives have it; wrong use says why and changes nothing.
releases() {
    git clone -q . "$W/release" && cd "$W/release" && git config user.name t && git config user.email t@t || return 1
    ! make -s release 2>out && grep -q "say which: make release VERSION=1.2.3" out || return 1
    ! make -s release VERSION=3.2.1 2>out && grep -q "CHANGELOG.md has no line: ## 3.2.1, not released yet" out && git diff --quiet || return 1
    sed -i "s/^## $VERSION, .*/## 3.2.1, not released yet/" CHANGELOG.md && git commit -qam notes && CHECKS=true make -s release VERSION=3.2.1 || return 1
    [ "$(git describe)" = v3.2.1 ] && (cd build/dist && sha256sum --check --quiet SHA256SUMS && ls mote-3.2.1.tar.gz mote-3.2.1-amalgamation.tar.gz mote-3.2.1.spdx.json) &&
        [ "$(make -s print-VERSION)" = 3.2.1 ] && grep -q "version: '3.2.1'" meson.build && grep -q '"version": "3.2.1"' packages/vcpkg/vcpkg.json && grep -qx 'version = "3.2.1"' packages/python/pyproject.toml && dpkg-parsechangelog -S Version | grep -qx 3.2.1 &&
        grep -q "^## 3.2.1, 20" CHANGELOG.md && ! CHECKS=true make -s release VERSION=3.2.1 2>out && grep -q "there is a v3.2.1 already" out
}
# The archive for boards: its sources are compiled as these tools do, all of src/; PlatformIO's own tool takes the manifest.
# shellcheck disable=SC2086
boards_archive() {
    local b=$W/mote-$VERSION-boards
    tar -xzf "$W/another/place/build/dist/mote-$VERSION-boards.tar.gz" -C "$W" && grep -qx "version=$VERSION" "$b/library.properties" || return 1
    for define in "" -DMOTE_CLIENT_ONLY; do
        (cd "$b" && arm-none-eabi-gcc -std=gnu11 -mcpu=cortex-m0 -mthumb -Os $FLAGS $define -Isrc -c src/*.c -o all.o) || return 1
    done
    rm "$b/all.o"
    for file in LICENSE library.properties library.json idf_component.yml CMakeLists.txt Kconfig zephyr/module.yml zephyr/CMakeLists.txt zephyr/Kconfig; do
        [ -s "$b/$file" ] || { echo "$file is not there"; return 1; }
    done
    command -v pio >/dev/null || PATH=$ROOT/$BUILD/venv/bin:$PATH
    command -v pio >/dev/null || { python3 -m venv "$BUILD/venv" && "$BUILD/venv/bin/pip" install -q --require-hashes -r tests/requirements/platformio.txt; } || return 1
    sed -i '/"license"/d' "$b/library.json" # pio asks the internet for the names of licenses
    PLATFORMIO_CORE_DIR=$W/pio pio pkg pack "$b" --output "$W/packed.tar.gz" && tar -tzf "$W/packed.tar.gz" | grep -q "src/mote.c$"
}
check "the archive for boards" boards_archive
check "its examples, and what ESP-IDF's tools say of it" tests/boards.sh "$W/mote-$VERSION-boards"
check "the bill of materials is complete" bill_is_complete
check "make release" eval "(releases)"

# ---- make install, pkg-config

installed() { make -s BUILD="$BUILD" DESTDIR="$W/root" PREFIX=/usr install; }
# shellcheck disable=SC2046,SC2086
pkg_config_talks() {
    local pc="pkg-config --define-variable=prefix=$W/root/usr"
    export PKG_CONFIG_PATH=$W/root/usr/lib/pkgconfig
    hello "$W/pc" && (cd "$W/pc" && protoc --plugin="$W/root/usr/bin/protoc-gen-mote" --mote_out=. hello.proto) || return 1
    for p in server client; do
        $CC -std=c11 $FLAGS $($pc --cflags mote) "$W/pc/hello_$p.c" "$W/pc/hello.mote.c" $($pc --libs mote) -o "$W/pc/$p" || return 1
    done
    talks "$W/pc/server" "$W/pc/client"
}
check "make install" installed
check "pkg-config" pkg_config_talks

# ---- CMake

# cmake_project FOLDER LINES...: hello programs whose CMakeLists.txt gets mote by LINES
cmake_project() {
    local folder=$1
    shift
    hello "$folder" && {
        echo 'cmake_minimum_required(VERSION 3.16)' && echo 'project(hello C)' && printf '%s\n' "$@"
        for p in server client; do
            echo "add_executable($p hello_$p.c)"
            echo "mote_generate($p hello.proto)"
            echo "target_link_libraries($p PRIVATE mote::mote)"
        done
    } >"$folder/CMakeLists.txt"
}
cmake_build() { # cmake_build FOLDER FLAGS...
    local folder=$1
    shift
    cmake -S "$folder" -B "$folder/b" -G Ninja -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" "$@" && nice cmake --build "$folder/b"
}
add_subdirectory_talks() {
    cmake_project "$W/sub" "add_subdirectory($ROOT mote)" && cmake_build "$W/sub" && talks "$W/sub/b/server" "$W/sub/b/client"
}
fetch_content_talks() {
    cmake_project "$W/fetch" 'include(FetchContent)' "FetchContent_Declare(mote URL $ROOT/$BUILD/dist/mote-$VERSION.tar.gz)" \
        'FetchContent_MakeAvailable(mote)' && make -s dist && cmake_build "$W/fetch" && talks "$W/fetch/b/server" "$W/fetch/b/client"
}
cmake_installs() {
    cmake -S . -B "$W/cm" -G Ninja -DMOTE_TLS=ON -DCMAKE_INSTALL_PREFIX="$W/prefix" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" && nice cmake --build "$W/cm" &&
        cmake --install "$W/cm" && "$W/prefix/bin/mote-hpack" --help | grep -q -- --help
}
find_package_talks() { # find_package_talks PREFIX NAME
    cmake_project "$W/$2" "find_package(mote 0.1 CONFIG REQUIRED)" && cmake_build "$W/$2" -DCMAKE_PREFIX_PATH="$1" && talks "$W/$2/b/server" "$W/$2/b/client"
}
vcpkg_talks() {
    cmake -DPACKAGE="$W/vcpkg" -DTREES="$W/vcpkg-trees" -P tests/vcpkg.cmake && find_package_talks "$W/vcpkg" found3
}
find_package_has_tls() {
    mkdir -p "$W/tls" && cat >"$W/tls/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.16)
project(tls C)
find_package(mote CONFIG REQUIRED)
add_executable(tls tls.c)
target_link_libraries(tls PRIVATE mote::tls)
C
    cat >"$W/tls/tls.c" <<'C'
#include <mote/port/posix/tls.h>
int main(void)
{
    return mote_posix_tls_file("no such file").len != 0;
}
C
    cmake_build "$W/tls" -DCMAKE_PREFIX_PATH="$W/prefix" && "$W/tls/b/tls"
}
another_minor_is_refused() {
    cmake_project "$W/other" "find_package(mote 0.2 CONFIG REQUIRED)"
    ! cmake_build "$W/other" -DCMAKE_PREFIX_PATH="$W/prefix" >"$W/other.out" 2>&1 && grep -A1 "compatible" "$W/other.out" | grep -q "version \"0.2\""
}
# A build for a board: the plugin is one of the host, made by the host's compiler.
cross_build() {
    cat >"$W/arm.cmake" <<'C'
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb -Os -ffunction-sections")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
C
    mkdir -p "$W/cross" && cp examples/hello/hello.proto "$W/cross" && cat >"$W/cross/CMakeLists.txt" <<C
cmake_minimum_required(VERSION 3.16)
project(cross C)
add_subdirectory($ROOT mote)
add_library(app STATIC app.c)
mote_generate(app hello.proto OPTIONS client names)
target_link_libraries(app PUBLIC mote::mote)
C
    printf '%s\n' '#include "hello.mote.h"' 'extern int app; int app = sizeof(hello_Reading);' >"$W/cross/app.c"
    cmake -S "$W/cross" -B "$W/cross/b" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$W/arm.cmake" -DMOTE_FEATURES="MOTE_CLIENT_ONLY;MOTE_NO_TEXTS" &&
        nice cmake --build "$W/cross/b" && arm-none-eabi-nm "$W/cross/b/libapp.a" | grep hello_Thermometer
}
check "CMake: add_subdirectory" add_subdirectory_talks
check "CMake: FetchContent of the archive" fetch_content_talks
check "CMake: cmake --install" cmake_installs
check "CMake: find_package after cmake --install" find_package_talks "$W/prefix" found
check "CMake: find_package after make install" find_package_talks "$W/root/usr" found2
check "CMake: mote::tls" find_package_has_tls
check "vcpkg: what its port does, and find_package" vcpkg_talks
check "CMake: another minor version is refused" another_minor_is_refused
check "CMake: cross build for Cortex-M4" cross_build

# ---- Meson

meson_talks() {
    hello "$W/meson" && mkdir -p "$W/meson/subprojects" && ln -s "$ROOT" "$W/meson/subprojects/mote" && cat >"$W/meson/meson.build" <<'C'
project('hello', 'c')
mote = subproject('mote', default_options: ['tls=enabled'])
protoc = find_program('protoc')
plugin = find_program('protoc-gen-mote')
generated = custom_target('hello', input: 'hello.proto', output: ['hello.mote.h', 'hello.mote.c'], depends: plugin,
  command: [protoc, '--plugin=protoc-gen-mote=' + plugin.full_path(), '-I', '@CURRENT_SOURCE_DIR@', '--mote_out=@OUTDIR@', 'hello.proto'])
foreach name : ['server', 'client']
  executable(name, 'hello_' + name + '.c', generated, dependencies: [dependency('mote'), dependency('mote-tls')])
endforeach
C
    meson setup --fatal-meson-warnings "$W/meson/b" "$W/meson" && nice ninja -C "$W/meson/b" && talks "$W/meson/b/server" "$W/meson/b/client"
}
meson_installs() {
    meson setup "$W/m" . --prefix="$W/mi" --libdir=lib && nice ninja -C "$W/m" install >/dev/null && hello "$W/mpc" &&
        (cd "$W/mpc" && protoc --plugin="$W/mi/bin/protoc-gen-mote" --mote_out=. hello.proto) || return 1
    # shellcheck disable=SC2046,SC2086
    for p in server client; do
        $CC -std=c11 $FLAGS $(PKG_CONFIG_PATH=$W/mi/lib/pkgconfig pkg-config --cflags mote mote-tls) "$W/mpc/hello_$p.c" "$W/mpc/hello.mote.c" \
            $(PKG_CONFIG_PATH=$W/mi/lib/pkgconfig pkg-config --static --libs mote-tls mote) -o "$W/mpc/$p" || return 1
    done
    talks "$W/mpc/server" "$W/mpc/client"
}
check "Meson: a subproject" meson_talks
check "Meson: meson install, pkg-config" meson_installs

# ---- Debian's packages, Conan

# Built of what git has, and unpacked; CMake finds it below lib/x86_64-linux-gnu.
debian_talks() {
    mkdir -p "$W/deb/source" && git ls-files -z | tar --null -T - -cf - | tar -x -C "$W/deb/source" &&
        (cd "$W/deb/source" && nice dpkg-buildpackage -b -us -uc) >"$W/deb/log" 2>&1 || { grep -i error "$W/deb/log"; return 1; }
    for p in libmote-dev mote-tools; do dpkg -x "$W"/deb/${p}_"${VERSION}"_*.deb "$W/deb/root" || return 1; done
    zcat "$W/deb/root/usr/share/man/man1/protoc-gen-mote.1.gz" | grep -q "^.SH NAME" && find_package_talks "$W/deb/root/usr" debian && pkg_config_finds_debian
}
pkg_config_finds_debian() {
    local folder
    folder=$(dirname "$(find "$W/deb/root" -name mote.pc)")
    PKG_CONFIG_PATH=$folder pkg-config --modversion mote-tls | grep -qx "$VERSION"
}
conan_talks() {
    command -v conan >/dev/null || PATH=$ROOT/$BUILD/venv/bin:$PATH
    command -v conan >/dev/null || { python3 -m venv "$BUILD/venv" && "$BUILD/venv/bin/pip" install -q --require-hashes -r tests/requirements/conan.txt; } || return 1
    export CONAN_HOME=$W/conan
    env -u CC -u CXX conan profile detect && nice conan create . && cmake_project "$W/con" "find_package(mote CONFIG REQUIRED)" &&
        printf '[requires]\nmote/%s\n[generators]\nCMakeToolchain\n' "$VERSION" >"$W/con/conanfile.txt" && conan install "$W/con" --output-folder="$W/con/c" &&
        cmake_build "$W/con" -DCMAKE_TOOLCHAIN_FILE="$W/con/c/conan_toolchain.cmake" -DCMAKE_BUILD_TYPE=Release && talks "$W/con/b/server" "$W/con/b/client"
}
# The plugin by pip, from the source archive and from the wheel that it makes: it writes what the plugin of make does.
pip_writes_the_same() {
    local v=$W/pip/venv from
    mkdir -p "$W/pip/expected" && protoc --plugin="$PLUGIN" -I examples/hello --mote_out="$W/pip/expected" examples/hello/hello.proto || return 1
    python3 -m venv "$v" && "$v/bin/pip" wheel -q --no-deps -w "$W/pip/wheel" "$BUILD/dist/protoc_gen_mote-$VERSION.tar.gz" || return 1
    for from in "$BUILD/dist/protoc_gen_mote-$VERSION.tar.gz" "$W"/pip/wheel/protoc_gen_mote-"$VERSION"-*.whl; do
        rm -rf "$W/pip/out" && mkdir -p "$W/pip/out" && "$v/bin/pip" install -q --force-reinstall --no-deps "$from" &&
            PATH=$v/bin:/usr/bin:/bin protoc -I examples/hello --mote_out="$W/pip/out" examples/hello/hello.proto &&
            diff -r "$W/pip/expected" "$W/pip/out" || return 1
    done
}
check "pip" pip_writes_the_same
check "Debian packages" debian_talks
check "Conan" conan_talks

summary
