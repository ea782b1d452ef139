#!/usr/bin/env python3
"""killed.py P2PA DIE_AT: a node that is killed with SIGKILL starts again as who it was.

P2PA is the command, DIE_AT the library that kills a process at its n-th step on the disk.
"""
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile

TIMEOUT_S = 60
STEPS_MAX = 50
ROUNDS = 3
LOAD_BYTES = 10**12  # more than anybody waits for


class Node:
    """`p2pa node` that listens; its first line says where."""

    def __init__(self, p2pa, key, address):
        self.process = subprocess.Popen([p2pa, "node", "--key", key, "--listen", address, "--perf", "--json"],
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.wait_for("listening")["address"]
        self.peer = self.address.rpartition("/")[2]

    def wait_for(self, kind):
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == kind:
                return event
        raise AssertionError(f"the node ended before it was {kind}")

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


def killed_under_load(p2pa):
    """Bulk both ways and calls; killed in the midst of it, again and again, on one port with one key."""
    with tempfile.TemporaryDirectory() as folder:
        key = os.path.join(folder, "node.key")
        address, peer = "/ip4/127.0.0.1/udp/0/quic-v1", None
        for _ in range(ROUNDS):
            node = Node(p2pa, key, address)
            assert peer in (None, node.peer), f"{peer} became {node.peer}"
            peer, address = node.peer, node.address.rpartition("/p2p/")[0]
            load = [subprocess.Popen([p2pa, "perf", "--upload", str(LOAD_BYTES), "--download", "1", node.address],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
                    subprocess.Popen([p2pa, "perf", "--upload", "1", "--download", str(LOAD_BYTES), node.address],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
            try:
                for _ in load:
                    node.wait_for("identified")  # their streams are open, or about to
                answer = subprocess.run([p2pa, "call", node.address, "echo", "alive"], stdout=subprocess.PIPE,
                                        text=True, timeout=TIMEOUT_S, check=True)
                assert answer.stdout == "alive"
                assert node.kill() == -signal.SIGKILL
                node = Node(p2pa, key, address)
                assert node.peer == peer
                # Who talked to the dead one is told by the new one, which knows its key (stateless reset).
                for client in load:
                    assert client.wait(TIMEOUT_S) not in (0, -signal.SIGKILL)
                answer = subprocess.run([p2pa, "call", node.address, "echo", "again"], stdout=subprocess.PIPE,
                                        text=True, timeout=TIMEOUT_S, check=True)
                assert answer.stdout == "again"
            finally:
                node.kill()
                for client in load:
                    client.kill()
                    client.wait()
    return f"{ROUNDS} times"


def main(p2pa, die_at):
    print("killed while it makes its key:", killed_while_it_makes_its_key(p2pa, die_at), flush=True)
    print("killed under load:", killed_under_load(p2pa), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
