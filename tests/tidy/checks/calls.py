"""What library code never says: it throws nothing, ends no process, writes to no stream, reads no
environment, and takes time and entropy as arguments. The operating system is io's alone; the C face
waits and has threads, passes exceptions on to where it contains them, and is bound by the rest."""
import re

from tree import Problem


def _call(names):
    return re.compile(rf"(?<![\w.>])(?<!->)(?:std::|::)?(?:{names})\s*\(")


EVERYWHERE = [
    (re.compile(r"\bthrow\b(?!\s*;)"), "throw: errors are values"),
    (_call("abort|exit|_exit|quick_exit|terminate|atexit"), "ends the process"),
    (_call("printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror"), "writes to a stream"),
    (re.compile(r"\bstd::(cout|cerr|clog|cin)\b"), "writes to a stream"),
    (_call("getenv|setenv|secure_getenv"), "reads the environment"),
    (_call("rand|srand|random"), "entropy is an argument (crypto/rng.hpp)"),
    (_call("sprintf|strcpy|strcat|gets|alloca"), "unbounded"),
    (_call("assert"), "P2PA_ASSERT: on in release too"),
    # `unique_ptr<T> x(new T(...))` is how a private constructor is reached.
    (re.compile(r"(?<!operator )(?<![(<])\bnew\b(?!\s*\()"), "raw new: make_unique or a container"),
    (re.compile(r"(?<!operator )(?<!= )(?<!=)\bdelete\b"), "raw delete: somebody owns it"),
    (re.compile(r"\bco_(await|yield|return)\b"), "no coroutines in lib/"),
]
IN_LIB = [(re.compile(r"\bthrow\s*;"), "throw: errors are values")]
IN_CORE = [
    (_call("time|clock|clock_gettime|gettimeofday|localtime|gmtime|sleep|usleep|nanosleep"),
     "time is an argument"),
    (re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|this_thread)\b"),
     "time is an argument"),
    (re.compile(r"\bstd::(thread|jthread|mutex|async)\b"), "the core has one thread"),
]
OUTSIDE_IO = [
    (re.compile(r"\brandom_device\b"), "entropy is an argument (crypto/rng.hpp)"),
    (_call("getrandom|randombytes_buf|randombytes_random|gnutls_rnd"),
     "entropy is an argument (crypto/rng.hpp)"),
    (_call("socket|sendmsg|recvmsg|sendmmsg|recvmmsg|fopen|fork|pthread_create"),
     "the operating system is io's"),
]
IN_HEADERS = [(re.compile(r"\busing\s+namespace\b"), "using namespace in a header")]


def check(tree):
    for path in tree.under("lib/", "capi/"):
        in_io, in_lib = path.startswith("lib/io/"), path.startswith("lib/")
        rules = EVERYWHERE + in_lib * IN_LIB + (in_lib and not in_io) * IN_CORE + (not in_io) * OUTSIDE_IO
        yield from _find(tree, path, rules)
    for path in tree.under("lib/", "include/", "capi/", suffixes=(".hpp", ".h")):
        yield from _find(tree, path, IN_HEADERS)


def _find(tree, path, rules):
    for number, line in tree.code_lines(path):
        for pattern, why in rules:
            match = pattern.search(line)
            if match:
                yield Problem(path, number, f"`{match.group().strip()}`: {why}")
