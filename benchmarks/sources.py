"""Where the numbers come from. Each source has take(programs), which gives one measurement as a dictionary."""
import dataclasses
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from peers import measure

ALONE_TIMEOUT_S = 120
IPERF3_START_S = 5


@dataclasses.dataclass(frozen=True)
class Pair:
    """A peer's client against its server, two processes; the contract is in peers/README.md."""
    peer: str
    words: str
    pin: str | None = None
    server_words: str = ""

    def take(self, programs):
        result = measure.measure(programs[self.peer], self.words.split(), self.pin, self.server_words.split())
        if result is None:
            raise measure.MeasureFailure(f"{self.peer} does not know `{self.words}`")
        return result


@dataclasses.dataclass(frozen=True)
class Iperf3:
    """TCP through iperf3, one stream."""
    peer = "iperf3"
    seconds: int  # it takes 0 for ever

    def take(self, _programs):
        port = free_port()
        with measure.Peer("iperf3", "--server", "--one-off", "--bind", "127.0.0.1", "--port", str(port)):
            end = time.monotonic() + IPERF3_START_S
            while not (told := self._client(port)) and time.monotonic() < end:
                time.sleep(0.05)  # the server tells nobody when it listens
        if not told:
            raise measure.MeasureFailure("iperf3 does not start")
        received, cpu = told["end"]["sum_received"], told["end"]["cpu_utilization_percent"]
        return {"peer": self.peer, "gbit_s": received["bits_per_second"] * 1e-9, "bytes": received["bytes"],
                "seconds": received["seconds"], "cpu_s": cpu["host_total"] / 100 * received["seconds"],
                "server_cpu_s": cpu["remote_total"] / 100 * received["seconds"]}

    def _client(self, port):
        """What it tells; None if it could not connect, which is no failure to its exit code."""
        done = subprocess.run(["iperf3", "--client", "127.0.0.1", "--port", str(port), "--time", str(self.seconds),
                               "--json"], capture_output=True, text=True, timeout=ALONE_TIMEOUT_S)
        told = json.loads(done.stdout)
        return told if "error" not in told else None


@dataclasses.dataclass(frozen=True)
class Alone:
    """A case of ours that needs no server. Its lines become one dictionary, by their "what" if they have one."""
    words: str
    peer = "ours"

    def take(self, programs):
        since = ["--since", str(time.clock_gettime_ns(time.CLOCK_MONOTONIC))] if self.words == "start" else []
        done = subprocess.run([programs["ours"], "alone", *self.words.split(), *since], capture_output=True, text=True,
                              timeout=ALONE_TIMEOUT_S)
        if done.returncode != 0:
            raise measure.MeasureFailure(f"`{self.words}`: {done.stderr.strip()}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[0] if len(lines) == 1 else {line["what"]: line for line in lines}


@dataclasses.dataclass(frozen=True)
class Messages:
    """Messages between two ends in one process, of sessions over UDP ("ours") or of ENet ("enet")."""
    peer: str
    kind: str
    size: int

    def take(self, programs):
        done = subprocess.run([programs["messages"], self.peer, self.kind, str(self.size)], capture_output=True, text=True,
                              timeout=ALONE_TIMEOUT_S)
        if done.returncode != 0:
            raise measure.MeasureFailure(done.stderr.strip())
        return json.loads(done.stdout)


@dataclasses.dataclass(frozen=True)
class IdleMemory:
    """Both ends of an idle connection. A node of ours dials a peer once, so one end at a time is the node with many:
    first the server, then the client. A peer whose client needs no node for each connection tells both at once."""
    peer: str
    count: int
    words: str = ""  # more of them, for both ends
    server_words: str = ""

    def take(self, programs):
        words = f"idle --count {self.count} {self.words}"
        server = f"{self.server_words} {self.words}"
        result = Pair(self.peer, words, None, server).take(programs)
        if "kib_each" not in result:
            result["kib_each"] = Pair(self.peer, words + " --outward 1", None, server).take(programs)["kib_each"]
        return result


@dataclasses.dataclass(frozen=True)
class LibrarySize:
    """Bytes of the shared library, stripped."""
    peer = "ours"

    def take(self, programs):
        with tempfile.TemporaryDirectory() as directory:
            stripped = pathlib.Path(directory) / "library"
            shutil.copyfile(programs["library"], stripped)
            subprocess.run(["strip", "--strip-unneeded", stripped], check=True)
            return {"bytes": stripped.stat().st_size}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
