"""Includes follow the arrows of cmake/layers.txt.

Public headers know only the standard library and each other. A folder of lib/ knows the folders and
third parties of its line. A line whose name ends in "/" speaks of a folder outside lib/.
"""
import re

from tree import Problem

RULES = "cmake/layers.txt"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

STANDARD = set("""
algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts
condition_variable coroutine deque exception execution expected filesystem forward_list fstream
functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list
locale map memory memory_resource mutex new numbers numeric optional ostream queue random ranges
ratio regex scoped_allocator semaphore set shared_mutex source_location span spanstream sstream stack
stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple
type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef
cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype
stdint.h stddef.h stdbool.h inttypes.h limits.h string.h stdlib.h stdio.h
""".split())
# Dear to compile, and none of the library's business.
UNWANTED_IN_LIB = {"chrono", "iostream", "regex", "ranges"}
# The outside world: io/ alone.
IO_ONLY = {"condition_variable", "csignal", "ctime", "filesystem", "fstream", "future", "mutex",
           "random", "shared_mutex", "thread"}

THIRD_PARTIES = {
    "fmt": r"fmt/", "sodium": r"sodium(\.h|/)", "gnutls": r"gnutls/", "secp256k1": r"secp256k1",
    "protozero": r"protozero/", "msgpack": r"msgpack", "ngtcp2": r"ngtcp2/", "uv": r"uv(\.h|/)",
    "cares": r"ares", "cli11": r"CLI/", "benchmark": r"benchmark/", "catch2": r"catch2/",
}


def third_party(header):
    return next((n for n, p in THIRD_PARTIES.items() if re.match(p, header)), None)


def read_rules(tree):
    """{folder: (folders it may include, third parties it may include)}, in the file's order."""
    rules = {}
    for _, line in tree.lines(RULES):
        match = re.match(r"([a-z0-9_]+/?):([^|]*)\|(.*)$", line)
        if match:
            rules[match[1]] = (set(match[2].split()), set(match[3].split()))
    return rules


def check(tree):
    rules = read_rules(tree)
    yield from _check_rules(tree, rules)
    yield from _check_public(tree)
    for folder, (layers, parties) in rules.items():
        prefix = folder if folder.endswith("/") else f"lib/{folder}/"
        for path in tree.under(prefix):
            yield from _check_file(tree, path, folder, layers, parties)
    known = tuple(f"lib/{folder}/" for folder in rules)
    for path in tree.under("lib/"):
        if not path.startswith(known):
            yield Problem(path, 1, f"its folder has no line in {RULES}")


def _includes(tree, path):
    for number, line in tree.lines(path):
        match = INCLUDE.match(line)
        if match and "tidy-allow:" not in line:
            yield number, match[1] == '"', match[2]


def _check_rules(tree, rules):
    """Arrows point upwards in the file: so there is no cycle."""
    seen = set()
    for number, line in tree.lines(RULES):
        folder = line.split(":")[0]
        if folder in rules:
            for layer in sorted(rules[folder][0] - seen):
                yield Problem(RULES, number, f"{folder} may not know {layer}: it comes later")
            seen.add(folder)


def _check_public(tree):
    for path in tree.under("include/"):
        for number, quoted, header in _includes(tree, path):
            if quoted and not header.startswith("p2pagents/"):
                yield Problem(path, number, f"a public header includes {header}")
            if not quoted and header not in STANDARD:
                yield Problem(path, number, f"a public header includes <{header}>")


def _check_file(tree, path, folder, layers, parties):
    in_lib = not folder.endswith("/")
    for number, quoted, header in _includes(tree, path):
        first = header.split("/")[0]
        if quoted:
            own = first == folder or tree.has(f"{path.rsplit('/', 1)[0]}/{header}") and not in_lib
            if first != "p2pagents" and not own and first not in layers:
                yield Problem(path, number, f"{folder} may not include {header}")
            continue
        party = third_party(header)
        if party:
            if party not in parties:
                yield Problem(path, number, f"{folder} may not include <{header}> ({party})")
        elif header not in STANDARD:
            if in_lib and folder != "io":
                yield Problem(path, number, f"<{header}> is a system header: io alone")
        elif in_lib and header in UNWANTED_IN_LIB:
            yield Problem(path, number, f"<{header}> is not used in lib/")
        elif in_lib and header in IO_ONLY and folder != "io":
            yield Problem(path, number, f"<{header}> is for io alone")
