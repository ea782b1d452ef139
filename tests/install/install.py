#!/usr/bin/env python3
"""install.py {prefix,cmake,pkgconfig,headers} ...: what a user does with the installed package.

    prefix BUILD PREFIX             installs the build tree
    cmake PREFIX WORK c|cpp|sim     builds and runs the consumer through find_package; sim: runs the
                                    example that the installed sim.hpp shows
    pkgconfig PREFIX WORK c|cpp     the same through pkg-config
    headers PREFIX                  compiles every installed header alone, seeing nothing else of ours

CC, CXX and CXXFLAGS (with which the library was built) come from the environment.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

CONSUMER = pathlib.Path(__file__).resolve().parent / "consumer"
PACKAGES = {"c": "p2pagents", "cpp": "p2pagents-cpp"}
CC, CXX = os.environ.get("CC", "cc"), os.environ.get("CXX", "c++")
FLAGS = shlex.split(os.environ.get("CXXFLAGS", ""))
STRICT = ["-Wall", "-Wextra", "-Werror"]


def run(*command, **options):
    print("+", *command, flush=True)
    subprocess.run([str(c) for c in command], check=True, **options)


def prefix(build, target):
    shutil.rmtree(target, ignore_errors=True)
    run("cmake", "--install", build, "--prefix", target)


def example(installed):
    """The code in the comment at the beginning of sim.hpp."""
    header = (pathlib.Path(installed) / "include/p2pagents/sim.hpp").read_text()
    code = re.findall(r"^//   (.*)$", header.split("#include")[0], re.MULTILINE)
    assert code, "sim.hpp shows no example"
    return "\n".join(code) + "\n"


def cmake(installed, work, component):
    build = pathlib.Path(work) / f"cmake-{component}"
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir(parents=True)
    if component == "sim":
        (build / "example.inc").write_text(example(installed))
    run("cmake", "-G", "Ninja", "-S", CONSUMER, "-B", build, f"-DCOMPONENT={component}",
        f"-DCMAKE_PREFIX_PATH={installed}", f"-DCMAKE_C_COMPILER={CC}", f"-DCMAKE_CXX_COMPILER={CXX}",
        f"-DCMAKE_CXX_FLAGS={' '.join(FLAGS)}", f"-DCMAKE_C_FLAGS={' '.join(FLAGS)}")
    run("cmake", "--build", build)
    run(build / "consumer")


def pkgconfig(installed, work, component):
    package_files = next(pathlib.Path(installed).rglob("p2pagents.pc")).parent
    paths = f"{package_files}:{os.environ.get('PKG_CONFIG_PATH', '')}"
    answer = subprocess.run(["pkg-config", "--cflags", "--libs", PACKAGES[component]], check=True,
                            capture_output=True, text=True, env={**os.environ, "PKG_CONFIG_PATH": paths})
    options = shlex.split(answer.stdout)
    program = pathlib.Path(work) / f"pkgconfig-{component}"
    program.parent.mkdir(parents=True, exist_ok=True)
    compiler = [CC, "-std=c99", "-pedantic"] if component == "c" else [CXX, "-std=c++23"]
    source = CONSUMER / ("consumer.c" if component == "c" else "consumer.cpp")
    run(*compiler, *STRICT, *FLAGS, source, *options, "-o", program)
    run(program, env={**os.environ, "LD_LIBRARY_PATH": str(package_files.parent)})


def headers(installed):
    folder = pathlib.Path(installed) / "include"
    found = sorted(folder.rglob("*.h")) + sorted(folder.rglob("*.hpp"))
    languages = {".h": [[CC, "-x", "c", "-std=c99", "-pedantic"], [CXX, "-x", "c++", "-std=c++23"]],
                 ".hpp": [[CXX, "-x", "c++", "-std=c++23"]]}
    for header in found:
        for compiler in languages[header.suffix]:
            run(*compiler, *STRICT, "-fsyntax-only", f"-I{folder}", "-", text=True,
                input=f'#include "{header.relative_to(folder)}"\n')
    if not found:
        sys.exit("no header was installed")


if __name__ == "__main__":
    {"prefix": prefix, "cmake": cmake, "pkgconfig": pkgconfig, "headers": headers}[sys.argv[1]](*sys.argv[2:])
