"""Every header compiles alone, and the C header as C99 too, pedantically.

A header that its own source file includes first is proven by the build and not compiled again.
"""
import concurrent.futures
import os
import re
import shlex
import subprocess

from tree import Problem

FLAGS = ["-Iinclude", "-Ilib", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
CXX = ["-x", "c++", "-std=c++23"]
C99 = ["-x", "c", "-std=c99", "-pedantic"]


def check(tree):
    headers = tree.under("include/", "lib/", "capi/", suffixes=(".hpp", ".h"))
    jobs = [(h, os.environ.get("CXX", "c++"), CXX) for h in headers if not _proven(tree, h)]
    for header in headers:
        if not re.search(r"^#(pragma once|ifndef \w+_H$)", tree.text(header), re.MULTILINE):
            yield Problem(header, 1, "has no include guard")
        if header.endswith(".h") and header.startswith("include/"):
            jobs.append((header, os.environ.get("CC", "cc"), C99))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for problems in pool.map(lambda job: _compile(tree, *job), jobs):
            yield from problems


def _proven(tree, header):
    source = re.sub(r"\.hpp$", ".cpp", header)
    if source == header or not tree.has(source):
        return False
    first = re.search(r'^#include [<"]([^">]+)', tree.text(source), re.MULTILINE)
    return bool(first) and header.endswith("/" + first[1])


def _compile(tree, header, compiler, language):
    # Through a one-line file, not by itself: #pragma once in a main file is a warning.
    source = f'#include "{tree.root / header}"\n'
    command = [*shlex.split(compiler), *language, *FLAGS, f"-I{tree.root / 'capi'}", "-"]
    done = subprocess.run(command, cwd=tree.root, input=source, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        first = next((l for l in done.stderr.splitlines() if "error" in l), done.stderr.strip())
        yield Problem(header, 1, f"does not compile alone as {language[2].split('=')[1]}: {first}")
