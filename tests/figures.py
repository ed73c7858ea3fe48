#!/usr/bin/env python3
"""Figures of the pages that come from tests/size.txt, held against it: tests/figures.py; with --write the pages get those of the
table (`UPDATE=1 make size` does so, in the same step in which the table is written)."""
import re
import sys

M0, M4 = "cortex-m0 ", "cortex-m4 "
FLASH = [("a client\\*\\* ", "program-client"), ("a client with keepalive", "program-delivery"), ("a server\\*\\* ", "program-server"),
         ("both\\*\\* ", "program-both"), ("both, with texts", "program-both-with-texts"), ("a server for browsers", "program-web")]
N = r"(\d{1,3}(?:,\d{3})*)"
# A page, a pattern whose groups are the figures, and the rows of the table that they come from.
FIGURES = [
    *(("docs/size.md", rf"\| (?:\*\*)?{text}[^|]*\| {N} \| {N} \|", [M0 + row + " flash", M4 + row + " flash"]) for text, row in FLASH),
    *(("README.md", rf"\| (?:\*\*)?{text}[^|]*\| {N} \| {N} \|", [M0 + row + " flash", M4 + row + " flash"]) for text, row in FLASH
      if row in ("program-client", "program-server", "program-both")),
    ("docs/threads.md", rf"a command: {N} instructions", [M4 + "command instructions"]),
    ("docs/threads.md", rf"a sample of 40 bytes: {N} instructions", [M4 + "sample instructions"]),
    *(("docs/threads.md", rf"`{f}\(\)` {N}[,.]", [f"{M4}{f} stack"])
      for f in ("mote_grpc_serve", "mote_channel_start", "mote_grpc_send", "mote_pb_decode")),
    ("docs/size.md", rf"messages of 128 bytes[^|]*\| {N} \|", [M4 + "client_1_call ram"]),
    ("docs/size.md", rf"a table of 256 \| {N} \|", [M4 + "server_1_call ram"]),
    ("docs/size.md", rf"`mote_h2_stream` \| {N}, {N}, {N} \|", [M4 + "mote_grpc ram", M4 + "mote_grpc_call ram", M4 + "mote_h2_stream ram"]),
    ("docs/size.md", rf"`mote_channel` \| {N} \|", [M4 + "mote_channel ram"]),
    ("docs/size.md", rf"`mote_grpc_dispatch\(\)` \| {N}, {N}, {N}, {N} \|",
     [f"{M4}{f} stack" for f in ("mote_grpc_recv", "mote_grpc_send", "mote_pb_decode", "mote_grpc_dispatch")]),
    ("docs/size.md", rf"`mote_channel_start\(\)` \| {N}, {N} \|", [M4 + "mote_grpc_serve stack", M4 + "mote_channel_start stack"]),
    ("docs/size.md", rf"codec.proto` \(nanopb: {N}\) \| \| {N} \|", [M4 + "codec-nano tables", M4 + "codec-mote tables"]),
    ("docs/size.md", rf"both.proto` \(nanopb: {N}\) \| \| {N} \|", [M4 + "both-nano tables", M4 + "both-mote tables"]),
    ("docs/size.md", rf"encode, frame, send \| {N} \|", [M4 + "sample instructions"]),
    ("docs/size.md", rf"parse, decode \| {N} \|", [M4 + "command instructions"]),
    ("docs/comparison.md", rf"codec.proto` take {N} bytes of flash where nanopb's take {N}", [M4 + "codec-mote tables", M4 + "codec-nano tables"]),
    ("docs/comparison.md", rf"both.proto`\s+{N} and {N}", [M4 + "both-mote tables", M4 + "both-nano tables"]),
]


def table():
    rows = (line.split() for line in open("tests/size.txt"))
    return {" ".join(row[:3]): int(row[3]) for row in rows}


def main(write):
    sizes, wrong = table(), []
    for page, pattern, keys in FIGURES:
        text = open(page).read()
        found = re.search(pattern, text)
        if not found:
            wrong.append(f"{page}: nothing is like /{pattern}/")
            continue
        for group, key in reversed(list(enumerate(keys, 1))):
            right = f"{sizes[key]:,}"
            if found[group] != right:
                wrong.append(f"{page} says {found[group]}, and tests/size.txt {right}: {key}")
                text = text[:found.start(group)] + right + text[found.end(group):]
        if write:
            open(page, "w").write(text)
    if write:
        return 0
    print(*wrong, sep="\n")
    return bool(wrong)


sys.exit(main("--write" in sys.argv))
