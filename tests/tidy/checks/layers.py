"""Includes follow the arrows of cmake/layers.txt, in quotes or in angle brackets.

Public headers know only the standard library and each other. Any other file knows the folders and
third parties of its line there, the standard library and, where the operating system may be known,
its headers; nothing else is known to anybody.
"""
import re

from tree import Problem

RULES = "cmake/layers.txt"
WORLD = "p2pagents/sim.hpp"  # a public header, of an archive that the library does not have
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

# The operating system's, where the library's core does not live.
SYSTEM = re.compile(r"(sys|netinet|net|arpa|linux)/|(cpuid|dlfcn|errno|fcntl|ifaddrs|poll|pthread|sched|signal|"
                    r"spawn|time|unistd)\.h$")

THIRD_PARTIES = {
    "sodium": r"sodium(\.h$|/)", "gnutls": r"gnutls/", "secp256k1": r"secp256k1", "ngtcp2": r"ngtcp2/",
    "protozero": r"protozero/", "uv": r"uv(\.h$|/)", "wslay": r"wslay/", "zstd": r"zstd\.h$", "cares": r"ares\.h$",
    "isal": r"isa-l(\.h$|/)", "fmt": r"fmt/", "cli11": r"CLI/", "json": r"nlohmann/", "hiredis": r"hiredis/",
    "enet": r"enet/", "grpc": r"grpcpp/|.*\.pb\.h$",
}
# What is ours and compiled, but for the tests: all of it needs a line.
RULED = ("lib/", "capi/", "tools/", "examples/", "benchmarks/")


class Rules:
    """What the lines of the file say: the folders and the third parties that each name may know."""

    def __init__(self, tree):
        self.lines = {}
        for number, line in tree.lines(RULES):
            match = re.match(r"([a-z0-9_/]+):([^|]*)\|(.*)$", line)
            if match:
                self.lines[match[1]] = (number, set(match[2].split()), set(match[3].split()))

    def of(self, path):
        """The name whose line a file obeys: that of the innermost folder; or None."""
        holds = [name for name in self.lines if path.startswith(folder_of(name))]
        return max(holds, key=lambda name: len(folder_of(name)), default=None)


def folder_of(name):
    return name if name.endswith("/") else f"lib/{name}/"


def check(tree):
    rules = Rules(tree)
    yield from _check_rules(rules)
    yield from _check_public(tree)
    for path in tree.under(*RULED, *map(folder_of, rules.lines)):
        name = rules.of(path)
        if name:
            yield from _check_file(tree, rules, path, name)
        else:
            yield Problem(path, 1, f"its folder has no line in {RULES}")


def _includes(tree, path):
    for number, line in tree.lines(path):
        match = INCLUDE.match(line)
        if match and "tidy-allow:" not in line:
            yield number, match[1] == '"', match[2]


def _check_rules(rules):
    """Arrows point upwards in the file: so there is no cycle."""
    seen = set()
    for name, (number, layers, parties) in rules.lines.items():
        for layer in sorted(layers - seen):
            yield Problem(RULES, number, f"{name} may not know {layer}: it is not above")
        for party in sorted(parties - THIRD_PARTIES.keys()):
            yield Problem(RULES, number, f"nobody knows {party}")
        seen.add(name)


def _check_public(tree):
    for path in tree.under("include/"):
        for number, quoted, header in _includes(tree, path):
            if quoted and not header.startswith("p2pagents/"):
                yield Problem(path, number, f"a public header includes {header}")
            if not quoted and header not in STANDARD:
                yield Problem(path, number, f"a public header includes <{header}>")


def _check_file(tree, rules, path, name):
    _, layers, parties = rules.lines[name]
    in_lib = path.startswith("lib/")
    knows_system = name == "io" or not path.startswith(("lib/", "capi/"))
    for number, quoted, header in _includes(tree, path):
        party = next((n for n, p in THIRD_PARTIES.items() if re.match(p, header)), None)
        ours = None if party else _ours(tree, rules, path, quoted, header)
        if header == WORLD and path.startswith(("lib/", "capi/")) and name != "sim":
            yield Problem(path, number, f"{name} may not include {header}")
        if header.startswith("p2pagents/"):
            continue
        if party:
            if party not in parties:
                yield Problem(path, number, f"{name} may not include <{header}> ({party})")
        elif ours:
            if rules.of(ours) not in {name, *layers}:
                yield Problem(path, number, f"{name} may not include {header}")
        elif header in STANDARD:
            if in_lib and header in UNWANTED_IN_LIB:
                yield Problem(path, number, f"<{header}> is not used in lib/")
            elif in_lib and header in IO_ONLY and name != "io":
                yield Problem(path, number, f"<{header}> is for io alone")
        elif not SYSTEM.match(header):
            yield Problem(path, number, f"nobody knows <{header}>")
        elif not knows_system:
            yield Problem(path, number, f"<{header}> is a system header: io alone")


def _ours(tree, rules, path, quoted, header):
    """The file of this tree that an include means, as far as one can tell; or None. In lib/ a name
    is always the whole one; elsewhere a file's own folder comes first."""
    roots = ["lib/"]
    if not path.startswith("lib/"):
        named = [name for name in rules.lines if name.endswith("/")]
        roots = [path.rpartition("/")[0] + "/", *(n for n in named if path.startswith(n)), *roots, *named]
    found = next((root + header for root in roots if tree.has(root + header)), None)
    modules = {name.split("/")[0] for name in rules.lines if not name.endswith("/")}
    if not found and (quoted or "/" in header and header.split("/")[0] in modules):
        return "lib/" + header
    return found
