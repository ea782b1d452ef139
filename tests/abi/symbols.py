#!/usr/bin/env python3
"""Three lists must be one: what the library exports, what the header declares, what functions.txt promises.
And its SONAME carries the ABI's major, and nothing of it runs before it is called."""
import argparse
import re
import subprocess
import sys

STABILITIES = {"stable", "unstable"}


def exported(nm, library):
    out = subprocess.run([nm, "-D", "--defined-only", library], check=True, stdout=subprocess.PIPE, text=True)
    return {line.split()[-1].split("@")[0] for line in out.stdout.splitlines()}


def constructors(nm, objdump, library):
    """Functions that run when the library is loaded: by name, and those that only the number of them tells, as
    in a stripped library. The compiler's own are one, and what sanitizers and coverage add to an object."""
    out = subprocess.run([nm, library], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    names = [line.split()[-1] for line in out.stdout.splitlines()]
    found = [name for name in names if re.match(r"_GLOBAL__(sub_)?I_", name)]
    usual = 1 + sum(bool(re.match(r"_sub_I_|[at]san\.module_ctor", name)) for name in names)
    out = subprocess.run([objdump, "-p", library], check=True, stdout=subprocess.PIPE, text=True)
    size = re.search(r"^\s*INIT_ARRAYSZ\s+(\S+)$", out.stdout, re.MULTILINE)
    with open(library, "rb") as file:
        pointer = {1: 4, 2: 8}[file.read(5)[4]]  # ELF's class
    more = (int(size[1], 16) // pointer if size else 0) - usual - len(found)
    return found + [f"one without a name ({i + 1})" for i in range(more)]


def soname(objdump, library):
    out = subprocess.run([objdump, "-p", library], check=True, stdout=subprocess.PIPE, text=True)
    found = re.search(r"^\s*SONAME\s+(\S+)$", out.stdout, re.MULTILINE)
    return found[1] if found else None


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
    for option in ("--nm", "--objdump", "--library", "--header", "--list"):
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
    with open(arguments.header, encoding="utf-8") as file:
        major = re.search(r"^#define P2PA_ABI_MAJOR (\d+)$", file.read(), re.MULTILINE)[1]
    if (name := soname(arguments.objdump, arguments.library)) != f"libp2pagents.so.{major}":
        faults.append(f"SONAME is {name}, the ABI's major is {major}")
    faults += [f"runs when the library is loaded: {name}"
               for name in constructors(arguments.nm, arguments.objdump, arguments.library)]
    for fault in faults:
        print(fault)
    print(f"{len(symbols)} functions exported")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
