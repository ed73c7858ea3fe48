#!/usr/bin/python3
"""What cppcheck's add-on has found in the core against tests/misra.txt: a rule that is required and not in the list is an error, a
mandatory one is always, and so is a line of the list that nothing needs any more, but for rules between files (5.*, 8.*), of which
the add-on sees more or fewer as it runs in one process or several. misra.py FOUND"""
import re
import sys

MANDATORY = {"9.1", "12.5", "13.6", "17.3", "17.4", "17.6", "19.1", "21.13", "21.17", "21.18", "21.19", "21.20", "22.2", "22.4", "22.5", "22.6"}
ADVISORY = {"1.2", "2.3", "2.4", "2.5", "2.6", "2.7", "4.2", "5.9", "8.7", "8.9", "8.11", "8.13", "10.5", "11.4", "11.5", "12.1", "12.3", "12.4",
            "13.3", "13.4", "15.1", "15.4", "15.5", "17.5", "17.8", "18.4", "18.5", "19.2", "20.1", "20.5", "20.10", "21.12"}


def main():
    found = {}
    for line in open(sys.argv[1]):
        rule = re.search(r"^(\S+): .*\[misra-c2012-([0-9.]+)\]$", line)
        if rule:
            found.setdefault(rule[2], []).append(rule[1])
    listed = dict(line.rstrip("\n").split("\t", 1) for line in open("tests/misra.txt") if not line.startswith("#"))
    faults = [f"{rule} is mandatory, and tests/misra.txt lists it" for rule in listed if rule in MANDATORY]
    faults += [f"{rule} has no reason in tests/misra.txt" for rule, reason in listed.items() if len(reason) < 20]
    faults += [f"{rule} is in tests/misra.txt, and nothing deviates from it" for rule in listed
               if rule not in found and rule[:2] not in ("5.", "8.")]
    faults += [f"{place}: rule {rule} of MISRA C:2012" for rule, places in sorted(found.items())
               if rule not in ADVISORY and rule not in listed for place in places[:10]]
    if len(found) < 20:
        faults.append("the add-on has found next to nothing: it has not looked")
    print("\n".join("misra: " + fault for fault in faults) or f"misra: {len(listed)} rules with a deviation, no mandatory one")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
