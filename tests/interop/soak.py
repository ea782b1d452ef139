#!/usr/bin/env python3
"""Lets streams come and go between our peer and each of the others for a while, and looks whether our memory stays flat and
no stream gets stuck.

Usage: soak.py --build-dir DIR --ours PATH [--seconds 600] [--parallel 4] [--only go,js] [--road NAME,...] [--require-all]
"""
import argparse
import collections
import dataclasses
import functools
import os
import pathlib
import statistics
import sys
import threading
import time

import builds
from harness import Child, Skip, Tally, exit_on_signals, parse_json_line, require, run_all
from keys import Keys
from roads import ROADS
from run import Listener, await_end, await_result, names

SOAKED = ("quic", "tcp-noise", "ws-noise")
# js keeps a stream that the other side reset among the 256 that it lets be open, until its garbage is collected.
KEEP_RESET_STREAMS = {("js", "quic")}
END_TIMEOUT_S = 30  # for the streams that are open when the time is up, and the ping behind them
SAMPLES = 200  # of memory, in all
STREAMS_MIN_PER_S = 1  # far below what the slowest pair does on the busiest machine
# What our process may have grown by between the second and the last quarter of the time: the load is the same, so nothing
# but the allocator's chance moves its memory. The least block of glibc's malloc is 32 bytes: a leak of one for each stream
# shows after 32,768 of them, and whatever is leaked once in a while, in the run of ten minutes.
GROWTH_BYTES_MAX = 1 << 20


class Counts:
    """Takes the lines of a peer as a list does, and keeps how many events of each kind there were: millions may come."""

    def __init__(self):
        self.first, self.of = None, collections.Counter()

    def append(self, line):
        if self.first is None:
            self.first = line
        else:
            self.of[parse_json_line(line).get("event")] += 1

    def __len__(self):
        return self.of.total() + (self.first is not None)

    def __getitem__(self, index):
        require(index == 0, "only the first line is kept")
        return self.first


class Memory:
    """Looks at a process's resident memory until the `with` block is left."""

    def __init__(self, process, seconds):
        self._path, self._pause_s = f"/proc/{process.pid}/statm", seconds / SAMPLES
        self._over = threading.Event()
        self.samples = []

    def __enter__(self):
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        while not self._over.wait(self._pause_s):
            with open(self._path, encoding="ascii") as statm:
                self.samples.append(int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))

    def quarters(self):
        """The median of the second quarter and that of the last, in bytes; the first quarter is for warming up."""
        quarter = len(self.samples) // 4
        require(quarter > 2, f"only {len(self.samples)} looks at the memory")
        return statistics.median(self.samples[quarter:2 * quarter]), statistics.median(self.samples[-quarter:])


@dataclasses.dataclass(frozen=True)
class Pair:
    """Who dials whom, on which road."""
    road: str
    dialer: str
    listener: str

    def __str__(self):
        return f"{self.road}  {self.dialer} -> {self.listener}  soak"


def soak(pair, commands, keys, arguments):
    flags = ROADS[pair.road].flags(keys)
    counts = Counts()
    with Listener(pair.listener, commands[pair.listener], pair.road, flags, counts) as listener:
        resets = 0 if (pair.listener, pair.road) in KEEP_RESET_STREAMS else 10
        dialer = Child([*commands[pair.dialer], "dial", listener.address, "soak", *flags,
                        "--seconds", str(arguments.seconds), "--timeout", str(arguments.seconds + 2 * END_TIMEOUT_S),
                        "--parallel", str(arguments.parallel), "--reset-every", str(resets), "--pings-first", "1"])
        with dialer:
            ours = dialer if pair.dialer == "ours" else listener.child
            await_count(counts, "connected", 1)
            with Memory(ours.process, arguments.seconds) as memory:
                result = await_result(dialer, "soak", arguments.seconds + END_TIMEOUT_S)
            require(result.get("pass") is True, f"{result.get('error_kind')}: {result.get('error')}")
            streams = result["streams"]
            require(streams >= STREAMS_MIN_PER_S * arguments.seconds, f"only {streams} streams")
            await_count(counts, "echo", streams)  # the listener, too, has seen each of them end
            require(counts.of["echo"] == streams, f"{counts.of['echo']} streams ended at the listener")
            await_end(dialer, 0)
    before, after = memory.quarters()
    figures = (f"{streams} streams ({result['resets']} reset), {before / 2**20:.2f} -> {after / 2**20:.2f} MiB, "
               f"most {max(memory.samples) / 2**20:.2f}")
    require(after - before <= GROWTH_BYTES_MAX, f"memory grew: {figures}")
    print(f"{pair}: {figures}", flush=True)


def await_count(counts, event, count):
    deadline = time.monotonic() + END_TIMEOUT_S
    while counts.of[event] < count and time.monotonic() < deadline:
        time.sleep(0.1)
    require(counts.of[event] >= count, f"{counts.of[event]} of {count} {event!r} of the listener")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True, help="where the peers are built")
    parser.add_argument("--ours", type=pathlib.Path, required=True, help="our peer program")
    parser.add_argument("--seconds", type=int, default=600, help="for each pair; all run at once")
    parser.add_argument("--parallel", type=int, default=4, help="streams at a time of each pair")
    parser.add_argument("--only", type=names, default=["go", "js"], help="implementations")
    parser.add_argument("--road", type=names, default=list(SOAKED), help="e.g. quic,wss-tls")
    parser.add_argument("--require-all", action="store_true", help="what would be skipped fails")
    arguments = parser.parse_args()

    exit_on_signals()
    arguments.build_dir = arguments.build_dir.resolve()
    tally = Tally(arguments.require_all)
    commands = {"ours": [str(arguments.ours.resolve())]}
    for name, build in (("go", builds.build_go), ("js", builds.build_js)):
        if name in arguments.only:
            try:
                commands[name] = build(arguments.build_dir)
            except Skip as skip:
                tally.skip(f"all of {name}", str(skip))
    pairs = [Pair(road, *both) for road in arguments.road for name in commands if name != "ours"
             for both in (("ours", name), (name, "ours"))]
    with Keys() as keys:
        run_all(([functools.partial(tally.run, str(pair), soak, pair, commands, keys, arguments) for pair in pairs],
                 len(pairs)))
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
