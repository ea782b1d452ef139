"""The package as `pip install ./bindings/python` leaves it: for the Python that runs this, in which it
was installed and in which mypy is."""
from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import p2pagents

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parents[3] / "examples/python"
INSTALLED = pathlib.Path(p2pagents.__file__).parent
CLEAN = {name: value for name, value in os.environ.items()
         if name not in ("P2PAGENTS_LIBRARY", "PYTHONPATH", "MYPYPATH")}


def python(*arguments: str | pathlib.Path, cwd: pathlib.Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=CLEAN, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    return done.returncode, done.stdout


def mypy(program: str, cwd: pathlib.Path) -> tuple[int, str]:
    return python("-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull, HERE / program,
                  cwd=cwd)


def test_the_library_lies_in_the_package_that_was_installed() -> None:
    assert pathlib.Path(sys.prefix) in INSTALLED.parents
    assert (INSTALLED / "libp2pagents.so").is_file() and (INSTALLED / "py.typed").is_file()


def test_hello_works_from_another_folder(tmp_path: pathlib.Path) -> None:
    with subprocess.Popen([sys.executable, EXAMPLES / "hello_server.py"], cwd=tmp_path, env=CLEAN,
                          stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            answer = python(EXAMPLES / "hello_client.py", address, cwd=tmp_path)
        finally:
            server.kill()
    assert answer == (0, "hello, world\n")


def test_a_typed_program_of_a_user_passes_mypy_strict(tmp_path: pathlib.Path) -> None:
    assert mypy("typed_program.py", tmp_path) == (0, "")


def test_the_types_find_every_mistake_that_is_marked(tmp_path: pathlib.Path) -> None:
    lines = (HERE / "mistaken_program.py").read_text().splitlines()
    mistakes = {number for number, line in enumerate(lines, start=1) if line.endswith("# a mistake")}
    code, output = mypy("mistaken_program.py", tmp_path)
    found = {int(number) for number in re.findall(r"mistaken_program\.py:(\d+): error", output)}
    assert code == 1 and len(mistakes) > 5 and found == mistakes, output


def test_asyncio_may_be_run_by_uvloop(tmp_path: pathlib.Path) -> None:
    program = f"""
import asyncio, pytest, sys, uvloop
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", {str(HERE.parent / "test_aio.py")!r}]))
"""
    code, output = python("-c", program, cwd=tmp_path)
    assert code == 0, output
