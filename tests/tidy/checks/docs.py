"""Documents tell the truth: links lead somewhere, files named exist, code shown is the code."""
import re

from tree import Problem

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
SHOWN = re.compile(r"<!-- file: (\S+) -->")
TOP_LEVEL = ("include/", "lib/", "capi/", "bindings/", "tools/", "examples/", "tests/", "benchmarks/",
             "docs/", "scripts/", "cmake/", ".ci/")


def check(tree):
    for path in tree.under("", suffixes=(".md",)):
        fence = None
        for number, line in tree.lines(path):
            if line.startswith("```"):
                fence = None if fence else line
                continue
            if not fence:
                yield from _links(tree, path, number, line)
                yield from _named_files(tree, path, number, line)
            yield from _commands(tree, path, number, line)
        yield from _shown_files(tree, path)


def _links(tree, path, number, line):
    folder = path.rpartition("/")[0]
    for target in LINK.findall(line):
        target = target.split("#")[0]
        if not target or re.match(r"[a-z]+:", target):
            continue
        if not tree.has(f"{folder}/{target}" if folder else target):
            yield Problem(path, number, f"the link {target} leads nowhere")


def _named_files(tree, path, number, line):
    for code in CODE.findall(line):
        if not code.startswith(TOP_LEVEL) or re.search(r"[*<>{}$…]|\.\.\.", code):
            continue
        name = re.split(r"[\s:#]", code)[0]
        if not tree.has(name):
            yield Problem(path, number, f"there is no {name}")


def _commands(tree, path, number, line):
    for name in re.findall(r"(?<![\w/.-])(scripts/[\w.-]*\w)", line):
        if not tree.has(name):
            yield Problem(path, number, f"there is no {name}")


def _shown_files(tree, path):
    """A fence after `<!-- file: x -->` holds exactly what x holds."""
    lines = tree.text(path).splitlines()
    for index, line in enumerate(lines):
        shown = SHOWN.match(line)
        if not shown:
            continue
        if not tree.has(shown[1]):
            yield Problem(path, index + 1, f"there is no {shown[1]}")
            continue
        rest = lines[index + 1:]
        if not rest or not rest[0].startswith("```") or "```" not in rest[1:]:
            yield Problem(path, index + 1, "no code follows")
            continue
        block = rest[1:rest.index("```", 1)]
        if block != tree.text(shown[1]).splitlines():
            yield Problem(path, index + 1, f"the code shown is not that of {shown[1]}")
