"""Every public type, and every function of the C header, says what it is."""
import re

from tree import Problem

TYPE = re.compile(r"^(?:enum class|enum|class|struct)\s+(?:P2PA_\w+\s+)?(\w+)[^;]*\{")
C_FUNCTION = re.compile(r"^P2PA_API\b.*?\b(p2pa_\w+)\s*\(")


def check(tree):
    for path in tree.under("include/", suffixes=(".hpp",)):
        yield from _undocumented(tree, path, TYPE)
    for path in tree.under("include/", suffixes=(".h",)):
        yield from _undocumented(tree, path, C_FUNCTION)


def _undocumented(tree, path, pattern):
    before = ""
    for number, line in tree.lines(path):
        match = pattern.match(line)
        if match and not before.startswith(("//", "*/", " */", "/*", " *")) \
                and not before.endswith("*/") and "//" not in line and "/*" not in line:
            yield Problem(path, number, f"{match[1]} has no comment")
        if not line.startswith("template"):
            before = line
