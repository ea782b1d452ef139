"""The tree speaks of the project alone: no path of somebody's machine, no package host."""
import re

from tree import Problem

# Where people and machines keep what is their own; written so that this file does not find itself.
OWN = ["home/" + r"\w+", "Users/" + r"\w+", "root", "mnt", "media", "srv"]
HOSTS = re.compile("|".join(re.escape(name) + r"\." + top for name, top in [
    ("registry.npmjs", "org"), ("registry.yarnpkg", "com"), ("pypi", "org"),
    ("files.pythonhosted", "org"), ("proxy.golang", "org"), ("sum.golang", "org"),
    ("deb.debian", "org"), ("security.debian", "org"), ("snapshot.debian", "org"),
    ("static.crates", "io"), ("index.crates", "io")]))
SKIPPED = ("LICENSE",)


def _machine(root):
    """Also the folder that this very tree lies in, wherever that is."""
    own = [*OWN, re.escape(root.resolve().as_posix()[1:])]
    return re.compile(r"(?<![\w.~*-])/(?:" + "|".join(own) + r")(?:/|$)")


def check(tree):
    machine = _machine(tree.root)
    for path in tree.files:
        if path.startswith(SKIPPED) or "/corpus/" in path:
            continue
        for number, line in tree.lines(path):
            if "tidy-allow:" in line:
                continue
            if machine.search(line):
                yield Problem(path, number, "a path of somebody's machine")
            if HOSTS.search(line):
                yield Problem(path, number, "a package host")
