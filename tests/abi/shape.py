#!/usr/bin/env python3
"""The library against the checked-in dump of its ABI: nothing taken away, nothing changed, nothing unwritten.

Both must hold the types: a library without debug information would equal anything. Every type that a function
reaches is compared: abidiff is told no headers, since the dump has no locations by which it would know a
type of theirs, and would pass over all of them as private.

With --mutations the comparison itself is put to the test: each change of the dump must be found.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

FUNCTION = re.compile(r"<function-decl name='(p2pa_\w+)'[^>]*elf-symbol-id='")
RENEW = "if the change is meant: scripts/abi-dump LIBRARY, and commit tests/abi/p2pagents.abi with it"
# abidiff's exit status is made of these bits; the others say that it could not compare.
CHANGED, INCOMPATIBLE = 4, 8


def compare(abidiff, dump, library):
    return subprocess.run(
        [abidiff, "--no-show-locs", "--no-architecture", "--exported-interfaces-only", "--fail-no-debug-info",
         dump, library],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def member(name):
    """A pattern of a data member, up to its type."""
    return rf"(<var-decl name='{name}' type-id=')[^']+"


def mutations(dump):
    """What changed -> the dump with the change."""
    def type_id(name):
        return re.search(rf"<typedef-decl name='{name}' type-id='[^']+' id='([^']+)'", dump)[1]

    narrow, wide = rf"\g<1>{type_id('uint32_t')}", rf"\g<1>{type_id('uint64_t')}"
    field_gone = r"\s*<data-member [^>]*>\s*<var-decl name='send_buffer_max'[^>]*>\s*</data-member>"
    swapped = {"upload_ns": "download_ns", "download_ns": "upload_ns"}
    parameter = (r"(<function-decl name='p2pa_node_limit_refusals'[^>]*>\s*<parameter [^>]*>\s*"
                 r"<parameter type-id=')[^']+")
    size = r"(<class-decl name='p2pa_peer' size-in-bits=')\d+"
    function = r"\s*<elf-symbol name='p2pa_node_ping'[^>]*>"
    return {
        "a field of p2pa_event is narrower": re.sub(member("bytes_down"), narrow, dump),
        "a field of p2pa_limits is wider": re.sub(member("calls_max"), wide, dump),
        "a field of p2pa_call_options has another type": re.sub(member("deadline_us"), narrow, dump),
        "a field of p2pa_log_record has another type": re.sub(member("subsystem"), wide, dump),
        "the last field of p2pa_limits is gone": re.sub(field_gone, "", dump),
        "two fields of p2pa_event are swapped":
            re.sub(r"(?<=<var-decl name=')(upload_ns|download_ns)(?=')", lambda found: swapped[found[1]], dump),
        "p2pa_peer has another size": re.sub(size, r"\g<1>512", dump),
        "a parameter has another type": re.sub(parameter, wide, dump),
        "a function was added": re.sub(function, "", dump),
    }


def check_mutations(arguments):
    dump = pathlib.Path(arguments.dump).read_text(encoding="utf-8")
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        changed = pathlib.Path(folder, "mutated.abi")
        for what, mutated in mutations(dump).items():
            changed.write_text(mutated, encoding="utf-8")
            found = mutated != dump and compare(arguments.abidiff, changed, arguments.library).returncode
            if not found or found & ~(CHANGED | INCOMPATIBLE):
                missed += 1
                print(f"not found: {what}")
    if missed:
        return 1
    print("every mutation of the dump is found")
    return 0


def check_library(arguments):
    with open(arguments.list, encoding="utf-8") as file:
        promised = {line.split()[0] for line in file if line.startswith("p2pa_")}
    with open(arguments.dump, encoding="utf-8") as file:
        dumped = set(FUNCTION.findall(file.read()))
    for name in sorted(promised ^ dumped):
        print(f"the dump and functions.txt differ in {name}")
    done = compare(arguments.abidiff, arguments.dump, arguments.library)
    print(done.stdout, end="")
    if done.returncode or promised != dumped:
        print(RENEW)
        return 1
    print(f"{len(dumped)} functions and what they take are as promised")
    return 0


def main():
    parser = argparse.ArgumentParser()
    for option in ("--abidiff", "--dump", "--library", "--list"):
        parser.add_argument(option, required=True)
    parser.add_argument("--mutations", action="store_true")
    arguments = parser.parse_args()
    return check_mutations(arguments) if arguments.mutations else check_library(arguments)


if __name__ == "__main__":
    sys.exit(main())
