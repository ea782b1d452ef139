#!/usr/bin/env python3
"""Builds the benchmark peers into one directory. Installs nothing; says what is missing.

Usage: build.py --build-dir DIR [--only udp,grpc,quinn,go_libp2p]
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent
JOBS = str(min(2, os.cpu_count() or 1))


def missing_programs(*names_and_origins):
    return [f"{name} ({origin})" for name, origin in names_and_origins if not shutil.which(name)]


def missing_packages(*names_and_origins):
    if not shutil.which("pkg-config"):
        return ["pkg-config (Debian: pkg-config)"]
    return [f"{name} ({origin})" for name, origin in names_and_origins
            if subprocess.run(["pkg-config", "--exists", name]).returncode != 0]


CMAKE = (("cmake", "Debian: cmake"), ("cc", "Debian: gcc"), ("c++", "Debian: g++"))


def build_cmake(directory, target, with_grpc):
    work = directory / f"cmake-{target}"
    run("cmake", "-S", SOURCE, "-B", work, f"-DWITH_GRPC={'ON' if with_grpc else 'OFF'}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", work, "--target", target, "--parallel", JOBS)
    return work / target


def build_udp(directory):
    return missing_programs(*CMAKE) or build_cmake(directory, "udp_peer", False)


def build_grpc(directory):
    missing = missing_programs(*CMAKE, ("protoc", "Debian: protobuf-compiler"),
                               ("grpc_cpp_plugin", "Debian: protobuf-compiler-grpc"))
    missing += missing_packages(("grpc++", "Debian: libgrpc++-dev"), ("protobuf", "Debian: libprotobuf-dev"))
    return missing or build_cmake(directory, "grpc_peer", True)


def build_quinn(directory):
    if missing := missing_programs(("cargo", "Rust 1.95 or newer")):
        return missing
    work = directory / "quinn"
    run("cargo", "build", "--release", "--locked", "--jobs", JOBS, "--target-dir", work, cwd=SOURCE / "quinn")
    return work / "release" / "quinn_peer"


def build_go_libp2p(directory):
    if missing := missing_programs(("go", "Go 1.26 or newer")):
        return missing
    program = directory / "go_libp2p" / "go_libp2p_peer"
    run("go", "build", "-p", JOBS, "-o", program, ".", cwd=SOURCE / "go_libp2p")
    return program


PEERS = {"udp": build_udp, "grpc": build_grpc, "quinn": build_quinn, "go_libp2p": build_go_libp2p}


class BuildFailure(Exception):
    pass


def run(*command, cwd=SOURCE):
    done = subprocess.run([str(word) for word in command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace")
    if done.returncode != 0:
        raise BuildFailure(f"`{' '.join(map(str, command[:2]))}` failed:\n" + "\n".join(done.stdout.splitlines()[-20:]))


def build(name, directory):
    """Makes DIR/<name>_peer and tells whether it is there."""
    try:
        made = PEERS[name](directory)
    except BuildFailure as failure:
        print(f"{name}: {failure}")
        return False
    if isinstance(made, list):
        print(f"{name}: not built, missing {', '.join(made)}")
        return False
    program = directory / f"{name}_peer"
    program.unlink(missing_ok=True)
    program.symlink_to(made.relative_to(directory))
    print(f"{name}: {program}")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PEERS), help="e.g. udp,quinn")
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    directory = arguments.build_dir.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    return 0 if all([build(name, directory) for name in arguments.only]) else 1


if __name__ == "__main__":
    sys.exit(main())
