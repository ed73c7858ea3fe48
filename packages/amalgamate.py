#!/usr/bin/env python3
"""Writes the library as two files, mote.h and mote.c: packages/amalgamate.py FOLDER, from the root.

What goes into them is packages/sources.txt. The core and the lines are always there; the rest is behind macros of the
compiler's command line: MOTE_WITH_POSIX for port/posix, MOTE_WITH_TLS for tls/ over mbedTLS (and, with both, what joins them),
MOTE_WITH_FREERTOS for port/freertos, MOTE_WITH_LWIP for port/lwip/task.c, which is lwIP with an operating system.
"""
import os
import re
import sys

SECTIONS = [  # groups of sources.txt, and the condition
    (("core", "lines"), None),
    (("posix",), "defined MOTE_WITH_POSIX"),
    (("tls",), "defined MOTE_WITH_TLS"),
    (("posix-tls",), "defined MOTE_WITH_POSIX && defined MOTE_WITH_TLS"),
    (("freertos",), "defined MOTE_WITH_FREERTOS"),
    (("lwip",), "defined MOTE_WITH_LWIP"),
]
APART = ("tls/preset.h",)  # a config for mbedTLS's own build
INCLUDE = re.compile(r'^#include "([^"]+)"\n', re.M)
FEATURE_TEST = re.compile(r"^#define _GNU_SOURCE\n", re.M)

HEADER_TOP = """/*
 * mote %(version)s: HTTP/2 and gRPC without a heap, in one header. Made by packages/amalgamate.py; do not edit.
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * Compile mote.c beside your own sources. -DMOTE_WITH_POSIX adds sockets, an event loop and a server for POSIX systems,
 * -DMOTE_WITH_TLS adds TLS by mbedTLS, -DMOTE_WITH_FREERTOS tasks of FreeRTOS, -DMOTE_WITH_LWIP lwIP's TCP for tasks; give them to whatever includes this header as well. What can be left out for flash
 * (MOTE_CLIENT_ONLY and others) is listed in mote.c, "h2/mote_features.h". Generated code: --mote_opt=runtime=mote.h.
 */
#ifndef MOTE_AMALGAMATION_H
#define MOTE_AMALGAMATION_H
"""
SOURCE_TOP = """/*
 * mote %(version)s: the library in one source, see mote.h. Made by packages/amalgamate.py; do not edit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#if defined MOTE_WITH_POSIX && !defined _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifdef __clang__
#pragma clang diagnostic ignored "-Wunused-function" /* inline ones of generated headers */
#endif
#include "mote.h"
"""


def read_list():
    groups = {}
    with open("packages/sources.txt") as f:
        for line in f:
            if not line.startswith("#"):
                group, path = line.split()
                groups.setdefault(group, []).append(path)
    return groups


class File:
    """One of the two files: each source or header goes into it once, behind the headers that it includes."""

    def __init__(self, elsewhere=()):
        self.done = set(elsewhere)
        self.text = []

    def add(self, path):
        path = os.path.normpath(path)
        if path in self.done:
            return
        self.done.add(path)
        with open(path) as f:
            text = f.read()
        for name in INCLUDE.findall(text):
            self.add(os.path.join(os.path.dirname(path), name))
        text = FEATURE_TEST.sub("", INCLUDE.sub("", text))
        self.text.append("\n/* ---- %s %s */\n\n%s" % (path, "-" * max(0, 110 - len(path)), text))

    def add_section(self, paths, condition):
        if condition:
            self.text.append("\n#if %s\n" % condition)
        for path in paths:
            self.add(path)
        if condition:
            self.text.append("\n#endif /* %s */\n" % condition)

    def write(self, path, top, end):
        with open(path, "w") as f:
            f.write(re.sub(r"\n{3,}", "\n\n", top + "".join(self.text) + end))


def version():
    with open("hpack/version.h") as f:
        return ".".join(re.findall(r"#define MOTE_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", f.read()))


def main(folder):
    groups = read_list()
    header = File()
    for names, condition in SECTIONS:
        header.add_section([h for n in names for h in groups["header-" + n] if h not in APART], condition)
    source = File(header.done)
    for names, condition in SECTIONS:
        source.add_section([c for n in names for c in groups[n]], condition)
    os.makedirs(folder, exist_ok=True)
    words = {"version": version()}
    header.write(os.path.join(folder, "mote.h"), HEADER_TOP % words, "\n#endif /* MOTE_AMALGAMATION_H */\n")
    source.write(os.path.join(folder, "mote.c"), SOURCE_TOP % words, "")


if __name__ == "__main__":
    main(sys.argv[1])
