#!/usr/bin/env python3
"""The numbers that the header defines against the checked-in list: none is changed, taken away, or given to
two names of a kind. The library does not hold them, so abi.shape cannot see them."""
import argparse
import re
import sys

DEFINE = re.compile(r"^#define (P2PA_\w+) (\(?-?\d+\)?u?)(?:\s|$)", re.MULTILINE)
# They tell one release from the next.
VERSIONS = re.compile(r"P2PA_(VERSION|ABI)_")
# Names that begin so are of one kind, in which a number has one meaning.
KINDS = ("P2PA_E_", "P2PA_EVENT_FLAG_", "P2PA_EVENT_", "P2PA_LOG_", "P2PA_PEER_", "P2PA_SERVE_", "P2PA_CALL_",
         "P2PA_CONGESTION_", "P2PA_DIAL_PRIVATE_", "P2PA_DIAL_", "P2PA_SECURITY_", "P2PA_WEB_TRUST_",
         "P2PA_DELIVERY_", "P2PA_DIRECTION_", "P2PA_PRIORITY_")


def defined(header):
    with open(header, encoding="utf-8") as file:
        text = file.read()
    return {name: int(value.strip("()u")) for name, value in DEFINE.findall(text) if not VERSIONS.match(name)}


def promised(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: int(value) for name, value in lines}


def kind_of(name):
    return next((kind for kind in KINDS if name.startswith(kind)), name)


def main():
    parser = argparse.ArgumentParser()
    for option in ("--header", "--list"):
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    header, promises = defined(arguments.header), promised(arguments.list)

    faults = [f"promised, but not defined: {name}" for name in sorted(promises.keys() - header.keys())]
    faults += [f"defined, but not promised: {name} {header[name]}" for name in sorted(header.keys() - promises.keys())]
    faults += [f"{name} is {header[name]}, promised was {value}"
               for name, value in promises.items() if header.get(name, value) != value]
    taken = {}
    for name, value in (promises | header).items():
        other = taken.setdefault((kind_of(name), value), name)
        if other != name:
            faults.append(f"{name} and {other} are both {value}")
    for fault in faults:
        print(fault)
    print(f"{len(header)} numbers defined")
    return 1 if faults or not header else 0


if __name__ == "__main__":
    sys.exit(main())
