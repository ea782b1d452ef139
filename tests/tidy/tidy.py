#!/usr/bin/env python3
"""tidy.py [--root DIR] [check ...]: what compilers do not see. No check named: all of them."""
import argparse
import importlib
import pathlib
import sys

from tree import Tree

HERE = pathlib.Path(__file__).resolve().parent
CHECKS = sorted(p.stem for p in (HERE / "checks").glob("[a-z]*.py"))


def run(name, tree):
    """The problems that the check finds, as a list."""
    return list(importlib.import_module(f"checks.{name}").check(tree))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=HERE.parents[1], type=pathlib.Path)
    parser.add_argument("checks", nargs="*", metavar="check", help=", ".join(CHECKS))
    arguments = parser.parse_args()
    tree = Tree(arguments.root)
    problems = [p for name in arguments.checks or CHECKS for p in run(name, tree)]
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems in {len(tree.files)} files")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
