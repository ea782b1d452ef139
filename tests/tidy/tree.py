"""The files of the project, and how checks report what they find in them."""
import dataclasses
import os
import pathlib
import re

SKIPPED_FOLDERS = {".git", "build", "dist", "node_modules", "__pycache__", ".venv", ".mypy_cache",
                   ".pytest_cache"}
CXX_SUFFIXES = (".hpp", ".cpp", ".h", ".c")

COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|'
    r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)

# A line that breaks a rule for a good reason says so: // tidy-allow: the reason
ALLOWED = re.compile(r"(//|#|<!--) ?tidy-allow: \S+")


@dataclasses.dataclass(frozen=True)
class Problem:
    path: pathlib.PurePath
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


class Tree:
    """A source tree; every path in and out is relative to its root, with forward slashes."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = sorted(self._walk())

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS and
                          not f.endswith(".egg-info") and not f.startswith("build-")]
            for name in set(names) - {".git"}:  # a file in a linked work tree
                yield pathlib.Path(folder, name).relative_to(self.root).as_posix()

    def under(self, *prefixes, suffixes=CXX_SUFFIXES):
        return [f for f in self.files if f.startswith(prefixes) and f.endswith(suffixes)]

    def has(self, path):
        return (self.root / path).exists()

    def text(self, path):
        """The file's text; empty when it is not text."""
        try:
            return (self.root / path).read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            return ""

    def lines(self, path):
        return enumerate(self.text(path).splitlines(), start=1)

    def code_lines(self, path):
        """Numbered lines with comments and literals blanked, without those that are allowed."""
        text = self.text(path)
        bare = COMMENT_OR_LITERAL.sub(_blank, text).splitlines()
        for number, (line, original) in enumerate(zip(bare, text.splitlines()), start=1):
            if not ALLOWED.search(original):
                yield number, line


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())
