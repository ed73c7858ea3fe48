#!/bin/bash
# The pages as a reader follows them on a machine that has nothing: a root made by debootstrap, variant minbase. The README's quick
# start and the tutorial are done there, word by word, without a network, with no more packages than the page names; then tests/setup.sh
# and tests/packages.sh do what they do on any machine: CMake, Meson, pkg-config, Debian's packages, Conan, the amalgamations, each
# beside grpcio. What apt has fetched, and the root before anything was installed, are kept in $BUILD/root. Needs root.
set -u
BUILD=${BUILD:-build}
. tests/lib.sh
[ "$(id -u)" = 0 ] || { echo "packages_root.sh: error: only root may make a root" >&2; exit 2; }
K=$PWD/$BUILD/root
release=${RELEASE:-bookworm}
uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
R=$(mktemp -d "${TMPDIR:-/tmp}/mote-root.XXXXXX")
trap 'rm -rf "$R"' EXIT
mkdir -p "$K/debs" || exit 1

# The base is made once, and marked when it is complete.
base() {
    [ -f "$K/base/.complete" ] && return
    rm -rf "$K/base" && debootstrap --variant=minbase "$release" "$K/base" "${uri:?no Debian mirror is configured}" && touch "$K/base/.complete"
}
# A copy of it with this machine's way to packages, and with what git has of mote.
fresh() {
    cp -a --reflink=auto "$K/base/." "$R" && rm -rf "$R/etc/apt" && cp -a /etc/apt "$R/etc" && cp -L /etc/resolv.conf /etc/hosts "$R/etc" || return 1
    [ ! -f /etc/pip.conf ] || cp -L /etc/pip.conf "$R/etc" || return 1
    mkdir -p "$R/usr/share/keyrings" && cp -n /usr/share/keyrings/* "$R/usr/share/keyrings" && cp -L /etc/ssl/certs/ca-certificates.crt "$R/etc/authorities.pem" &&
        git clone -q --no-hardlinks . "$R/root/source"
}
# in_root [-n] COMMANDS: by a shell there, with an environment of its own; -n: without a network. All that was mounted and started
# ends with it. (The root is changed by pivot_root, as unshare refuses a new user name space below chroot.)
in_root() {
    local net=
    [ "$1" != -n ] || { net=-n; shift; }
    # shellcheck disable=SC2016,SC2086
    unshare -m -p -f --kill-child $net bash -e -c '
        [ -z "$3" ] || ip link set lo up
        mount --make-rprivate / && mount --bind "$0" "$0" && cd "$0" && mount -t proc proc proc && mount --rbind /dev dev
        mount --bind "$2" var/cache/apt/archives
        mkdir -p .old && pivot_root . .old && umount -l .old
        cd /root && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive PIP_CERT=/etc/authorities.pem \
            PIP_DEFAULT_TIMEOUT=180 bash -e -c "$1"' "$R" "$1" "$K/debs" "$net"
}
install() { in_root "apt-get -qq update && apt-get -qq -o APT::Keep-Downloaded-Packages=1 install --no-install-recommends $*"; }

# What the page names is installed, and nothing else: `follow` then does its commands.
follow() { # follow PAGE NAME WANTED: the last line that it prints
    in_root -n "mkdir -p reader/mote && tar -C source --exclude .git -cf - . | tar -C reader/mote -xf - && cd source && . tests/follow.sh &&
        take_files $1 ../reader && do_commands $1 $2 ../reader" >"$R/out" 2>&1
    grep -E "(percent|degrees)$" "$R/out" | tail -n 1 | grep -qx "$3" || { tail -n 20 "$R/out"; return 1; }
}
all_packages() { in_root "cd source && apt-get -qq update && make packages-test" >"$K/packages.log" 2>&1; }
counted() { grep -E '^FAIL|^[0-9]+ passed' "$K/packages.log"; tail -n 1 "$K/packages.log" | grep -qE '^[0-9]+ passed, 0 failed$'; }
# Debian's packages are installed, not only built: a program finds the library by pkg-config, and the plugin in PATH.
debian_installed() {
    in_root 'mkdir -p deb/source hello && tar -C source --exclude .git --exclude build -cf - . | tar -C deb/source -xf - && cd deb/source &&
        dpkg-buildpackage -b -us -uc && apt-get -qq install ../libmote-dev_*.deb ../mote-tools_*.deb' >"$R/out" 2>&1 || { tail -n 20 "$R/out"; return 1; }
    in_root -n 'cd hello && cp ../source/examples/hello/* . && protoc --mote_out=. hello.proto &&
        for p in server client; do cc hello_$p.c hello.mote.c $(pkg-config --cflags --libs mote) -o $p; done
        ./server & until ./client; do sleep 0.1; done; kill $!; man -w mote-serial 2>/dev/null || ls /usr/share/man/man1/mote-serial.1.gz' >"$R/out" 2>&1
    grep -qx "21.5 degrees" "$R/out" && grep -q mote-serial.1.gz "$R/out" || { tail -n 20 "$R/out"; return 1; }
}

check "debootstrap" base
check "a root of its own" fresh
check "a compiler, make and protoc are installed" install gcc libc6-dev make protobuf-compiler
check "the README's quick start, in an empty root" follow README.md quick-start "21.5 degrees"
check "the tutorial on the host, in an empty root" follow docs/tutorial.md tutorial "50 percent"
check "the packages of the tutorial's second half are installed" install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm
check "the tutorial on a board, in an empty root" follow docs/tutorial.md tutorial-board "50 percent"
# The rest as a developer: the archives need git, and all else is what tests/setup.sh installs.
check "git is installed" install git
check "make packages-test, in an empty root" all_packages
check "and all its tests passed" counted
check "Debian's packages, installed" debian_installed
summary
