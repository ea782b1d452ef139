"""The programs of examples/python, as a user starts them."""
from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys
from collections.abc import Iterator

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples/python"
HANG_SECONDS = 100


@contextlib.contextmanager
def started(name: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program that prints its address first, until it is not needed any more."""
    with subprocess.Popen([sys.executable, EXAMPLES / name], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def run(name: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True,
                          timeout=HANG_SECONDS, check=False)
    return done.returncode, done.stdout, done.stderr


def test_hello_is_answered() -> None:
    with started("hello_server.py") as (_, address):
        assert run("hello_client.py", address) == (0, "hello, world\n", "")


def test_hello_is_four_lines_a_side() -> None:
    for program in EXAMPLES.glob("hello_*.py"):
        lines = [line for line in program.read_text().splitlines() if line.strip()]
        assert len(lines) <= 4, program.name


def test_a_stream_of_words_is_heard_until_it_is_enough_and_the_speaker_is_told() -> None:
    with started("streaming.py") as (speaker, address):
        code, heard, error = run("streaming.py", address, "why not")
        assert (code, heard.split(), error) == (0, ["why", "not"] * 5, "")
        assert speaker.stdout is not None
        assert speaker.stdout.readline() == "nobody listens any more\n"
