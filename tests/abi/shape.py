#!/usr/bin/env python3
"""The library against the checked-in dump of its ABI: nothing taken away, nothing changed, nothing unwritten.

Both must hold the types: a library without debug information would equal anything.
"""
import argparse
import re
import subprocess
import sys

FUNCTION = re.compile(r"<function-decl name='(p2pa_\w+)'[^>]*elf-symbol-id='")
RENEW = "if the change is meant: scripts/abi-dump LIBRARY, and commit tests/abi/p2pagents.abi with it"


def main():
    parser = argparse.ArgumentParser()
    for option in ("--abidiff", "--headers", "--dump", "--library", "--list"):
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    with open(arguments.list, encoding="utf-8") as file:
        promised = {line.split()[0] for line in file if line.startswith("p2pa_")}
    with open(arguments.dump, encoding="utf-8") as file:
        dumped = set(FUNCTION.findall(file.read()))
    for name in sorted(promised ^ dumped):
        print(f"the dump and functions.txt differ in {name}")

    done = subprocess.run(
        [arguments.abidiff, "--no-show-locs", "--no-architecture", "--exported-interfaces-only",
         "--fail-no-debug-info", "--headers-dir1", arguments.headers, "--headers-dir2", arguments.headers,
         arguments.dump, arguments.library],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, end="")
    if done.returncode or promised != dumped:
        print(RENEW)
        return 1
    print(f"{len(dumped)} functions and what they take are as promised")
    return 0


if __name__ == "__main__":
    sys.exit(main())
