"""The tree speaks of the project alone: no path of somebody's machine, no package host."""
import re

from tree import Problem

# Written so that this file does not find itself.
MACHINE = re.compile(r"(?<![\w.~-])/(?:" + "|".join(["work", "farm", "root", "home/" + r"\w+", "Users"])
                     + r")/")
HOSTS = re.compile("|".join(re.escape(name) + r"\." + top for name, top in [
    ("registry.npmjs", "org"), ("registry.yarnpkg", "com"), ("pypi", "org"),
    ("files.pythonhosted", "org"), ("proxy.golang", "org"), ("sum.golang", "org"),
    ("deb.debian", "org"), ("security.debian", "org"), ("snapshot.debian", "org"),
    ("static.crates", "io"), ("index.crates", "io")]))
SKIPPED = ("LICENSE",)


def check(tree):
    for path in tree.files:
        if path.startswith(SKIPPED) or "/corpus/" in path:
            continue
        for number, line in tree.lines(path):
            if "tidy-allow:" in line:
                continue
            if MACHINE.search(line):
                yield Problem(path, number, "a path of somebody's machine")
            if HOSTS.search(line):
                yield Problem(path, number, "a package host")
