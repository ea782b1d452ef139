#!/usr/bin/env python3
"""killed.py P2PA DIE_AT: a node that is killed with SIGKILL starts again as who it was.

P2PA is the command, DIE_AT the library that kills a process at its n-th step on the disk.
"""
import json
import os
import pathlib
import select
import signal
import stat
import subprocess
import sys
import tempfile

TIMEOUT_S = 60
STEPS_MAX = 50
ROUNDS = 3
ATTEMPTS_MAX = 10
LOAD_BYTES = 10**12  # more than anybody waits for


class PortTaken(Exception):
    """Somebody else has the port at which a node was to start again."""


class Node:
    """`p2pa node` that listens; its first line says where."""

    def __init__(self, p2pa, key, address):
        self.process = subprocess.Popen([p2pa, "node", "--key", key, "--listen", address, "--perf", "--json"],
                                        stdout=subprocess.PIPE)
        try:
            self.address = self.wait_for("listening")["address"]
        except BaseException:
            self.kill()
            raise
        self.peer = self.address.rpartition("/")[2]

    def line(self):
        """The next one; an error when it ends or says nothing."""
        text = b""
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT_S)
            byte = os.read(self.process.stdout.fileno(), 1) if ready else b""
            assert byte, f"no line, only {text!r}"
            text += byte
        return text

    def wait_for(self, kind):
        while True:
            event = json.loads(self.line())
            if event["event"] == kind:
                return event
            if event["event"] == "listen_failed":
                raise PortTaken(event["error"])

    def kill(self):
        self.process.kill()
        self.process.stdout.close()
        return self.process.wait(TIMEOUT_S)


def peer_id(p2pa, key, environment=None):
    """What `p2pa id` prints, and how it ended."""
    done = subprocess.run([p2pa, "id", "--key", key], stdout=subprocess.PIPE, text=True, env=environment,
                          timeout=TIMEOUT_S, check=False)
    return done.stdout.strip(), done.returncode


def killed_while_it_makes_its_key(p2pa, die_at):
    """At each step: the next start works, and once there is a key it stays."""
    for n in range(1, STEPS_MAX):
        with tempfile.TemporaryDirectory() as folder:
            key = os.path.join(folder, "node.key")
            environment = {**os.environ, "LD_PRELOAD": die_at, "P2PA_DIE_AT": str(n),
                           "ASAN_OPTIONS": "verify_asan_link_order=0"}
            said, code = peer_id(p2pa, key, environment)
            there = os.path.exists(key)
            first, fine = peer_id(p2pa, key)
            again, fine_again = peer_id(p2pa, key)
            assert fine == 0 and fine_again == 0 and first == again and first, f"step {n}: {first} {again}"
            assert not said or said == first, f"step {n}: it said {said} and is {first}"
            assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
            for left in pathlib.Path(folder).iterdir():
                assert stat.S_IMODE(left.stat().st_mode) == 0o600, f"{left.name} is open to others"
            if code == 0:
                assert n > 4, "it was never killed"
                return f"{n - 1} steps"
            assert code == -signal.SIGKILL, f"step {n}: exit code {code}"
            assert there or not said
    raise AssertionError("it never came to its end")


def perf(p2pa, address, upload, download):
    return subprocess.Popen([p2pa, "perf", "--upload", str(upload), "--download", str(download), address],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check_echo(p2pa, node, text):
    answer = subprocess.run([p2pa, "call", node.address, "echo", text], stdout=subprocess.PIPE, text=True,
                            timeout=TIMEOUT_S, check=True)
    assert answer.stdout == text


def killed_in_the_midst(p2pa, key):
    """Bulk both ways and calls, killed, and started again at the same port. Who it was."""
    node = Node(p2pa, key, "/ip4/127.0.0.1/udp/0/quic-v1")
    load = []
    try:
        load = [perf(p2pa, node.address, LOAD_BYTES, 1), perf(p2pa, node.address, 1, LOAD_BYTES)]
        for _ in load:
            node.wait_for("identified")  # their streams are open, or about to
        check_echo(p2pa, node, "alive")
        assert node.kill() == -signal.SIGKILL
        again = Node(p2pa, key, node.address.rpartition("/p2p/")[0])
        assert again.peer == node.peer, f"{node.peer} became {again.peer}"
        node = again
        # Who talked to the dead one is told by the new one, which knows its key (stateless reset).
        for client in load:
            assert client.wait(TIMEOUT_S) not in (0, -signal.SIGKILL)
        check_echo(p2pa, node, "again")
        return node.peer
    finally:
        node.kill()
        for client in load:
            client.kill()
            client.wait()


def killed_under_load(p2pa):
    """Again and again, with one key. A round in which somebody else got the free port is played anew."""
    with tempfile.TemporaryDirectory() as folder:
        key = os.path.join(folder, "node.key")
        peers = []
        for _ in range(ATTEMPTS_MAX):
            try:
                peers.append(killed_in_the_midst(p2pa, key))
            except PortTaken as taken:
                print("the port was taken meanwhile:", taken, flush=True)
            if len(peers) == ROUNDS:
                break
        assert len(peers) == ROUNDS, "no port stayed free"
        assert len(set(peers)) == 1, peers
    return f"{ROUNDS} times"


def main(p2pa, die_at):
    print("killed while it makes its key:", killed_while_it_makes_its_key(p2pa, die_at), flush=True)
    print("killed under load:", killed_under_load(p2pa), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
