#!/usr/bin/env python3
"""Names of mbedTLS and PSA in tls/ are those that mbedTLS 2.28, 3.6 and 4 share: tests/tls_names.txt has each, with the same meaning in
all of them. tls/mbedtls_versions.c and its header alone use others, and alone ask which version it is. tls/preset.h is for
mbedTLS's own build, where a name that a version does not know does nothing."""
import glob
import re
import sys

LIST = "tests/tls_names.txt"
APART = ("tls/mbedtls_versions.c", "tls/mbedtls_versions_internal.h", "tls/preset.h")
NAME = re.compile(r"\b(?:mbedtls_|MBEDTLS_|psa_(?!key\b)|PSA_)\w+")
VERSION = re.compile(r"\b(?:MOTE_TLS_MBEDTLS|MOTE_TLS_PSA)\b")
HEADER = re.compile(r"# *include <((?:mbedtls|psa)/\w+\.h)>")


def code_of(path):
    """Without comments and texts, which may name anything."""
    text = open(path, encoding="utf-8").read()
    return re.sub(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', lambda m: "\n" * m[0].count("\n"), text, flags=re.S)


def main():
    listed = {line for line in open(LIST, encoding="utf-8").read().split("\n") if line and not line.startswith("#")}
    used, errors = set(), []
    for path in sorted(glob.glob("tls/*.[ch]")):
        if path in APART:
            continue
        for number, line in enumerate(code_of(path).split("\n"), 1):
            names = set(NAME.findall(line)) | set(HEADER.findall(line))
            used |= names
            errors += [f"{path}:{number}: {n} is not in {LIST}: see whether mbedTLS 2.28, 3.6 and 4 have it alike, or use it in {APART[0]}"
                       for n in sorted(names - listed)]
            errors += [f"{path}:{number}: {n} is for {APART[0]}" for n in sorted(set(VERSION.findall(line)))]
    errors += [f"{LIST}: {name} is not used" for name in sorted(listed - used)]
    print("\n".join(errors + [f"tls: {len(used)} names of mbedTLS that its versions share, {len(errors)} errors"]))
    return 1 if errors else 0


sys.exit(main())
