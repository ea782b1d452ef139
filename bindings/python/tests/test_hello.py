"""The programs of examples/python, as a user starts them."""
from __future__ import annotations

import pathlib
import subprocess
import sys

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples/python"


def test_hello_is_answered() -> None:
    with subprocess.Popen([sys.executable, EXAMPLES / "hello_server.py"], stdout=subprocess.PIPE,
                          text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            done = subprocess.run([sys.executable, EXAMPLES / "hello_client.py", address],
                                  capture_output=True, text=True, timeout=60, check=False)
        finally:
            server.kill()
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello, world\n", "")


def test_hello_is_four_lines_a_side() -> None:
    for program in EXAMPLES.glob("hello_*.py"):
        lines = [line for line in program.read_text().splitlines() if line.strip()]
        assert len(lines) <= 4, program.name
