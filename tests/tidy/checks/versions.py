"""The version is the same wherever it stands; CMakeLists.txt is where it is decided."""
import re

from tree import Problem

MACROS = "".join(rf"#define P2PA_VERSION_{part} (?P<{part}>\d+)\s+(?:.*\n)??" for part in
                 ("MAJOR", "MINOR", "PATCH"))
PLACES = [
    ("include/p2pagents/version.hpp", MACROS),
    ("include/p2pagents/version.hpp", r'P2PA_VERSION_TEXT "(?P<all>[\d.]+)"'),
    ("include/p2pagents/p2pagents.h", MACROS),
    ("bindings/python/pyproject.toml", r'^version = "(?P<all>[\d.]+)"'),
]


def check(tree):
    if not tree.has("CMakeLists.txt"):
        return
    decided = re.search(r"VERSION (\d+\.\d+\.\d+)", tree.text("CMakeLists.txt"))
    version = decided[1] if decided else ""
    for path, pattern in PLACES:
        if not tree.has(path):
            continue
        match = re.search(pattern, tree.text(path), re.MULTILINE)
        said = ".".join(match.groups()) if match else "nothing"
        if said != version:
            line = tree.text(path)[:match.start()].count("\n") + 1 if match else 1
            yield Problem(path, line, f"says version {said}, CMakeLists.txt {version}")
