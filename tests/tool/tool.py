"""Runs the p2pa command that the environment names, and nodes that outlive one test."""
import json
import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("P2PA", "p2pa")
TIMEOUT_S = 120
LOOPBACK = "/ip4/127.0.0.1/udp/0/quic-v1"
STRANGER = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"  # nobody who runs here

DONE, FAILED, USAGE, UNREACHABLE, APPLICATION, TIMED_OUT, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


def p2pa(*arguments, stdin=b"", text=True, inside=()):
    """The finished process; its output as text, or as bytes. `inside`: the command that runs it elsewhere."""
    done = subprocess.run([*inside, PROGRAM, *arguments], input=stdin, capture_output=True, timeout=TIMEOUT_S, check=False)
    if text:
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


class Running:
    """A p2pa that goes on; leaving the `with` block kills it."""
    program = PROGRAM

    def __init__(self, *arguments, inside=(), **options):
        self.process = subprocess.Popen([*inside, self.program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self):
        """The next line of its standard output; an error when it ends or says nothing."""
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT_S)
            byte = os.read(self.process.stdout.fileno(), 1) if ready else b""
            if not byte:
                raise AssertionError(f"no line, only {text!r}")
            text += byte
        return text.decode().rstrip("\n")

    def has_line(self, seconds):
        """Does its standard output say something within this time?"""
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def stop(self, number):
        """Its exit code, and what else it said, after this signal."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, output.decode(), errors.decode()


class Node(Running):
    """A `p2pa node --json` that listens on loopback."""

    def __init__(self, *arguments, listen=LOOPBACK, inside=()):
        super().__init__("node", "--json", "--listen", listen, *arguments, inside=inside)

    def __enter__(self):
        try:
            self.listening = self.event("listening")
        except BaseException:
            self.__exit__()
            raise
        self.address, self.peer = self.listening["address"], self.listening["peer"]
        return self

    def event(self, name):
        """The next event of this name; all before it must be JSON objects too."""
        while True:
            event = json.loads(self.line())
            if event["event"] == name:
                return event

    def end(self):
        return self.stop(signal.SIGTERM)


class Silence:
    """An address at which nobody answers."""

    def __enter__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"/ip4/127.0.0.1/udp/{self._socket.getsockname()[1]}/quic-v1/p2p/{STRANGER}"
        return self

    def __exit__(self, *_):
        self._socket.close()

    def await_packet(self):
        self._socket.settimeout(TIMEOUT_S)
        self._socket.recv(2048)


class OnTerminal:
    """A p2pa whose output and errors go to a terminal."""

    def __init__(self, *arguments, term="xterm"):
        self._screen, slave = pty.openpty()
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave,
                                        env={**os.environ, "TERM": term})
        os.close(slave)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._screen)

    def _read(self):
        ready, _, _ = select.select([self._screen], [], [], TIMEOUT_S)
        if not ready:
            raise AssertionError(f"the terminal stays at {self.shown!r}")
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # Linux' way to say that the other end is closed
            piece = b""
        self.shown += piece.decode(errors="replace")
        return bool(piece)

    def await_text(self, text):
        while text not in self.shown:
            if not self._read():
                raise AssertionError(f"{text!r} never came: {self.shown!r}")

    def end(self):
        """The exit code, once all that it says has been read."""
        while self._read():
            pass
        return self.process.wait(TIMEOUT_S)


class TestCase(unittest.TestCase):
    """What several of the tests say."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def check_failure(self, done, code, *texts):
        """It ended with this code, said so with a hint on standard error, and nothing on standard output."""
        self.assertEqual(done.stdout, "")
        self.check_complaint(done, code, *texts)

    def check_complaint(self, done, code, *texts):
        """It ended with this code, and said so with a hint on standard error."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertRegex(done.stderr, r"\Ap2pa: .+\nhint: .+\n\Z")
        for text in texts:
            self.assertIn(text, done.stderr)
