"""What an editor can hold by itself: columns, blanks, ends of lines."""
from tree import CXX_SUFFIXES, Problem

COLUMNS_MAX = 120  # what the formatter keeps is 100; this is where a line has become unreadable
TEXT = (*CXX_SUFFIXES, ".py", ".pyi", ".cmake", ".txt", ".in", ".json", ".md", ".toml", ".yml",
        ".mjs", ".sh")


def check(tree):
    for path in tree.under("", suffixes=TEXT):
        if "/corpus/" in path:
            continue
        text = tree.text(path)
        if text and not text.endswith("\n"):
            yield Problem(path, text.count("\n") + 1, "no newline at the end")
        for number, line in enumerate(text.split("\n"), start=1):
            if "\r" in line:
                yield Problem(path, number, "a carriage return")
            if line != line.rstrip() and not path.endswith(".md"):
                yield Problem(path, number, "blanks at the end of a line")
            if path.endswith(CXX_SUFFIXES):
                if "\t" in line:
                    yield Problem(path, number, "a tab")
                if len(line) > COLUMNS_MAX and "tidy-allow:" not in line and "http" not in line:
                    yield Problem(path, number, f"{len(line)} columns, {COLUMNS_MAX} at most")
