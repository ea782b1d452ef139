#!/usr/bin/env python3
"""Three lists must be one: what the library exports, what the header declares, what functions.txt promises."""
import argparse
import re
import subprocess
import sys

STABILITIES = {"stable", "unstable"}


def exported(nm, library):
    out = subprocess.run([nm, "-D", "--defined-only", library], check=True, stdout=subprocess.PIPE, text=True)
    return {line.split()[-1].split("@")[0] for line in out.stdout.splitlines()}


def declared(header):
    """Function name -> version of its "Since"."""
    with open(header, encoding="utf-8") as file:
        text = file.read()
    found = {}
    pattern = r"/\*((?:(?!\*/).)*)\*/\s*P2PA_API\s[^;]*?\b(p2pa_\w+)\s*\("
    for comment, name in re.findall(pattern, text, re.DOTALL):
        since = re.search(r"Since\s+(?:\*\s+)?(\d+\.\d+)\.", comment)
        found[name] = since.group(1) if since else None
    undocumented = set(re.findall(r"P2PA_API\s[^;]*?\b(p2pa_\w+)\s*\(", text)) - found.keys()
    return found | dict.fromkeys(undocumented)


def promised(path):
    """Function name -> (since, stability)."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: (since, stability) for name, since, stability in lines}, [line[0] for line in lines]


def main():
    parser = argparse.ArgumentParser()
    for option in ("--nm", "--library", "--header", "--list"):
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    symbols = exported(arguments.nm, arguments.library)
    header = declared(arguments.header)
    promises, order = promised(arguments.list)

    faults = []
    faults += [f"exported, but not promised: {name}" for name in sorted(symbols - promises.keys())]
    faults += [f"promised, but not exported: {name}" for name in sorted(promises.keys() - symbols)]
    faults += [f"promised, but not declared: {name}" for name in sorted(promises.keys() - header.keys())]
    faults += [f"declared, but not promised: {name}" for name in sorted(header.keys() - promises.keys())]
    for name, (since, stability) in promises.items():
        if stability not in STABILITIES:
            faults.append(f"{name}: stability {stability} is none of {sorted(STABILITIES)}")
        if name in header and header[name] != since:
            faults.append(f"{name}: promised since {since}, the header says {header[name]}")
    if order != sorted(order) or len(set(order)) != len(order):
        faults.append("functions.txt is not sorted, or names a function twice")
    for fault in faults:
        print(fault)
    print(f"{len(symbols)} functions exported")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
