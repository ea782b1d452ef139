"""Tests keep their rules: names that CMake can carry, and no waiting for time to pass."""
import re

from tree import Problem

NAME = re.compile(r'\b(?:TEST_CASE|SCENARIO)\(\s*"((?:[^"\\]|\\.)*)"')
# An unbalanced bracket swallows the names that follow in CMake's list of tests.
TROUBLE = re.compile(r"[\[\];\\$#]")
WAITING = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(")


def check(tree):
    for path in tree.under("tests/", suffixes=(".cpp", ".c")):
        text = tree.text(path)
        for match in NAME.finditer(text):
            found = TROUBLE.search(match[1])
            if found:
                yield Problem(path, text[:match.start()].count("\n") + 1,
                              f"`{found.group()}` in the name of a test")
        if path.startswith("tests/interop/"):
            continue
        for number, line in tree.code_lines(path):
            if WAITING.search(line):
                yield Problem(path, number, "a test that sleeps")
