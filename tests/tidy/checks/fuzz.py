"""Every decoder has a fuzz target, every target a corpus that the tests replay, and the one that calls the C
API calls all of it.

A target is tests/fuzz/fuzz_<name>.cpp, its corpus the folder tests/fuzz/corpus/<name>/. A decoder is a codec,
lib/**/<noun>_codec.hpp, or a function of a header of lib/ whose name says that it reads and that takes bytes or
text. A target covers it by including its header; a header may say by whom else it is fuzzed: `// fuzzed: <name>`.
"""
import re

from tree import Problem

TARGET = re.compile(r"tests/fuzz/fuzz_(\w+)\.cpp$")
DECODER = re.compile(r"^\s*(?:static |inline )*(?:Result|std::optional)<.*> "
                     r"(?:decode|parse|merge|read|next|verify|first|check|from_bytes|from_protobuf)\w*"
                     r"\((?:ByteView|std::string_view|ByteReader&)", re.MULTILINE)
FUZZED = re.compile(r"// fuzzed: (\w+)")
API = re.compile(r"^P2PA_API\b.*?\b(p2pa_\w+)\s*\(", re.MULTILINE)
CALLER = "tests/fuzz/fuzz_capi.cpp"


def check(tree):
    included = set()
    for path in tree.under("tests/fuzz/"):
        included.update(re.findall(r'#include "([^"]+)"', tree.text(path)))
        target = TARGET.match(path)
        if target and not tree.under(f"tests/fuzz/corpus/{target[1]}/", suffixes=""):
            yield Problem(path, 1, f"no corpus in tests/fuzz/corpus/{target[1]}/")
    for path in tree.under("lib/", suffixes=(".hpp",)):
        decodes = path.endswith("_codec.hpp") or DECODER.search(tree.text(path))
        if decodes and path.removeprefix("lib/") not in included and not _fuzzed_elsewhere(tree, path):
            yield Problem(path, 1, "it decodes, and no fuzz target includes it")
    if tree.has(CALLER):
        calls = tree.text(CALLER)
        for path in tree.under("include/", suffixes=(".h",)):
            for name in API.findall(tree.text(path)):
                if not re.search(rf"\b{name}\(", calls):
                    yield Problem(path, 1, f"{CALLER} does not call {name}")


def _fuzzed_elsewhere(tree, path):
    said = FUZZED.search(tree.text(path))
    return said and tree.has(f"tests/fuzz/fuzz_{said[1]}.cpp")
