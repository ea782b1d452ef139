#!/usr/bin/env python3
"""Measures the peers, one after the other within each run, and prints one JSON line per measurement.

The machine drifts, so only ratios between lines of the same run mean anything; see README.md.

Usage: measure.py --build-dir DIR [--ours PATH] [--peer NAME,...] [--case NAME,...] [--runs 6] [--pin same|apart]
"""
import argparse
import json
import pathlib
import select
import subprocess
import sys

START_TIMEOUT_S = 20
CLIENT_TIMEOUT_S = 120
STOP_TIMEOUT_S = 10
EXIT_UNKNOWN_CASE = 2

# What is measured, and the client's words for it.
MEASUREMENTS = {
    "bulk": ["bulk"],
    "pingpong-64": ["pingpong", "--size", "64"],
    "pingpong-1024": ["pingpong", "--size", "1024"],
    "pingpong-64-deep": ["pingpong", "--size", "64", "--depth", "64", "--rounds", "100000"],
    "pingpong-1024-deep": ["pingpong", "--size", "1024", "--depth", "64", "--rounds", "100000"],
    "connect": ["connect"],
    "idle": ["idle"],
}


# The CPUs of client and server.
PINS = {"same": (0, 0), "apart": (0, 1)}


class MeasureFailure(Exception):
    pass


class Peer:
    """A peer process, which tells its line and ends when its stdin does."""

    def __init__(self, *command):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def line(self, timeout_s):
        """The next line, or None if the process ended with EXIT_UNKNOWN_CASE instead."""
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            raise MeasureFailure(f"no answer within {timeout_s} s")
        if text := self._process.stdout.readline():
            return json.loads(text)
        if self._process.wait(STOP_TIMEOUT_S) == EXIT_UNKNOWN_CASE:
            return None
        raise MeasureFailure(f"exit code {self._process.returncode}")

    def ended(self, timeout_s):
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise MeasureFailure(f"does not end within {timeout_s} s of its stdin") from None

    def end_stdin(self):
        self._process.stdin.close()

    def memory_kib(self, name):
        """VmRSS (now) or VmHWM (at most so far). getrusage's ru_maxrss would count this driver, before exec, too."""
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(f"{name}:"))


def measure(program, words, pin, server_words=()):
    """One measurement with processes of its own; None if the peer does not know the case."""
    client_cpu, server_cpu = [["--cpu", str(cpu)] for cpu in PINS[pin]] if pin else ([], [])
    with Peer(program, "server", *server_cpu, *server_words) as server:
        if (listening := server.line(START_TIMEOUT_S)) is None:
            return None
        address = listening["address"]
        if words[0] == "idle" and not run_client(program, address, [*words, "--count", "1", *client_cpu]):
            return None  # what the first connection brings into memory is not the price of one more
        rss_before_kib = server.memory_kib("VmRSS")
        result = run_client(program, address, [*words, *client_cpu], lambda: server.memory_kib("VmRSS"))
        if result is None:
            return None
        rss_connected_kib = result.pop("meanwhile")
        if words[0] == "idle":
            result["server_kib_each"] = round((rss_connected_kib - rss_before_kib) / result["count"], 2)
        result["server_rss_kib_max"] = server.memory_kib("VmHWM")
        server.end_stdin()
        result["server_cpu_s"] = server.line(STOP_TIMEOUT_S)["cpu_s"]
        return result


def run_client(program, address, words, meanwhile=lambda: None):
    """The client's line, with what meanwhile() gives before the client goes; None if it does not know the case."""
    with Peer(program, "client", address, *words) as client:
        result = client.line(CLIENT_TIMEOUT_S)
        if result is not None:
            result["meanwhile"] = meanwhile()
            result["rss_kib_max"] = client.memory_kib("VmHWM")
            client.end_stdin()
            client.ended(STOP_TIMEOUT_S)
        return result


def names(text):
    return text.split(",")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True, help="where build.py put the peers")
    parser.add_argument("--ours", type=pathlib.Path, help="our peer program")
    parser.add_argument("--peer", type=names, default=["udp", "ours", "quinn", "go_libp2p", "grpc"])
    parser.add_argument("--case", type=names, default=list(MEASUREMENTS), help=f"of {', '.join(MEASUREMENTS)}")
    parser.add_argument("--runs", type=int, default=6, help="the first is a warm-up, to be dropped")
    parser.add_argument("--pin", choices=list(PINS), help="both ends on CPU 0 (the software's path, without wake-ups), or on "
                        "0 and 1; if not given the kernel chooses, and figures have two modes")
    arguments = parser.parse_args()
    if unknown := set(arguments.case) - set(MEASUREMENTS):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")

    programs = {name: arguments.build_dir.resolve() / f"{name}_peer" for name in arguments.peer if name != "ours"}
    if arguments.ours and "ours" in arguments.peer:
        programs["ours"] = arguments.ours.resolve()
    for name in [name for name, program in programs.items() if not program.exists()]:
        print(f"{name}: not built", file=sys.stderr)
        del programs[name]

    failed = False
    for run in range(arguments.runs):
        for case in arguments.case:
            for name, program in programs.items():
                try:
                    result = measure(program, MEASUREMENTS[case], arguments.pin)
                except MeasureFailure as failure:
                    print(f"{name} {case}: {failure}", file=sys.stderr)
                    failed = True
                    continue
                if result:
                    print(json.dumps({**result, "peer": name, "run": run, "pin": arguments.pin}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
