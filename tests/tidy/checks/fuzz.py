"""Every codec has a fuzz target, and every fuzz target a corpus that the tests replay.

A target is tests/fuzz/fuzz_<name>.cpp, its corpus the folder tests/fuzz/corpus/<name>/. A codec is a
pair lib/**/<noun>_codec.*; a target covers it by including its header.
"""
import re

from tree import Problem

TARGET = re.compile(r"tests/fuzz/fuzz_(\w+)\.cpp$")


def check(tree):
    included = set()
    for path in tree.under("tests/fuzz/"):
        included.update(re.findall(r'#include "([^"]+)"', tree.text(path)))
        target = TARGET.match(path)
        if target and not tree.under(f"tests/fuzz/corpus/{target[1]}/", suffixes=""):
            yield Problem(path, 1, f"no corpus in tests/fuzz/corpus/{target[1]}/")
    for path in tree.under("lib/", suffixes=("_codec.hpp",)):
        if path.removeprefix("lib/") not in included:
            yield Problem(path, 1, "no fuzz target includes it")
