#!/usr/bin/env python3
"""The bill of materials of a release, as SPDX 2.3: packages/sbom.py FOLDER VERSION SECONDS, on standard output.

FOLDER is what the source archive holds, SECONDS the time of its commit, so that the bill is the same whenever it is made."""
import datetime
import hashlib
import json
import os
import sys


def digest(path, kind):
    with open(path, "rb") as f:
        return hashlib.new(kind, f.read()).hexdigest()


def main(folder, version, seconds):
    paths = sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, names in os.walk(folder) for f in names)
    files = [{
        "SPDXID": "SPDXRef-File-%d" % n,
        "fileName": "./" + p,
        "checksums": [{"algorithm": kind.upper(), "checksumValue": digest(os.path.join(folder, p), kind)} for kind in ("sha1", "sha256")],
        "licenseConcluded": "NOASSERTION",
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    } for n, p in enumerate(paths)]
    code = hashlib.sha1("".join(sorted(f["checksums"][0]["checksumValue"] for f in files)).encode()).hexdigest()
    mote = {
        "SPDXID": "SPDXRef-mote", "name": "mote", "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": code}, "licenseInfoFromFiles": ["NOASSERTION"],
        "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
    }
    mbedtls = {
        "SPDXID": "SPDXRef-mbedtls", "name": "mbedtls", "versionInfo": "2.28, 3.6 or 4", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0 OR GPL-2.0-or-later", "copyrightText": "NOASSERTION",
        "comment": "Only where tls/ is used. It is not a part of the archive.",
    }
    related = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-mote"), ("SPDXRef-mbedtls", "OPTIONAL_DEPENDENCY_OF", "SPDXRef-mote")]
    related += [("SPDXRef-mote", "CONTAINS", f["SPDXID"]) for f in files]
    created = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "mote-" + version,
        "documentNamespace": "urn:mote:%s:%s" % (version, code),
        "creationInfo": {"created": created, "creators": ["Tool: mote-sbom"]},
        "packages": [mote, mbedtls], "files": files,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in related],
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:4])
