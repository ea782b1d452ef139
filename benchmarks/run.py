#!/usr/bin/env python3
"""Builds ours and its peers, measures them side by side, prints a table and writes a JSON file.

Usage: benchmarks/run.py [--quick] [--only NAME,...] [--runs 5] [--out FILE]

Each run takes every figure once, its references right before it, and a first run is dropped. Values are median (least
to most) of the runs, ratios are formed within a run. What is missed is printed as MISSED. Latency is measured with both
ends on one CPU; all else is not pinned. --quick is a smoke test: one run, small sizes, of the peers to be built raw UDP
alone; its figures mean nothing. Peers that are missing: `scripts/setup --bench`; quinn needs Rust, go-libp2p needs Go.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time

import figures
import report
from peers import build, measure

ROOT = pathlib.Path(__file__).resolve().parents[1]
RELEASE = ROOT / "build" / "release"
PEERS = ROOT / "build" / "peers"
HAS_ENET = subprocess.run(["pkg-config", "--exists", "libenet"], check=False).returncode == 0
QUIET_MACHINE_CORES = 0.35  # what others may use before figures are worth little


def build_ours():
    targets = ["p2pa_bench_peer", "p2pagents_c", *(["bench_messages"] if HAS_ENET else [])]
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", RELEASE, "--parallel", build.JOBS, "--target", *targets]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"ours does not build:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    messages = RELEASE / "benchmarks" / "messages" / "bench_messages"
    return {"ours": RELEASE / "benchmarks" / "ours" / "p2pa_bench_peer",
            "library": (RELEASE / "capi" / "libp2pagents.so").resolve(),
            **({"messages": messages, "enet": messages} if HAS_ENET else {})}


def make_certificate():
    """For the listener of WSS."""
    figures.WEB_FILES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", figures.WEB_FILES / "key.pem",
                    "-out", figures.WEB_FILES / "certificate.pem"], check=True, capture_output=True)


def programs(quick):
    """By name, those that could be had."""
    found = build_ours()
    make_certificate()
    PEERS.mkdir(parents=True, exist_ok=True)
    for name in ["udp"] if quick else build.PEERS:
        if build.build(name, PEERS):
            found[name] = PEERS / f"{name}_peer"
    if not HAS_ENET:
        print("ENet: missing (Debian: libenet-dev)")
    if iperf3 := shutil.which("iperf3"):
        found["iperf3"] = iperf3
    else:
        print("iperf3: missing (Debian: iperf3)")
    return found


class Measuring:
    """Takes groups, and notes who else used the machine meanwhile."""

    def __init__(self, found):
        self._found = found
        self.failures = []
        self.foreign_cores = []

    def take(self, group):
        """{peer: measurement}, without what failed."""
        results = {}
        before = cpu_usage()
        for source in [*group.references, group.ours]:
            if source.peer not in self._found:
                continue
            try:
                results[source.peer] = source.take(self._found)
            except (measure.MeasureFailure, subprocess.SubprocessError) as failure:
                self.failures.append(f"{group.name}, {source.peer}: {failure}")
                print(f"failed: {self.failures[-1]}", file=sys.stderr, flush=True)
        self.foreign_cores.append(foreign_cores(before, cpu_usage()))
        return results

    def take_at_once(self, group, count):
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.take(group), range(count)))


def cpu_usage():
    """(now, CPU seconds of everybody, CPU seconds of ours and of the children that ended)."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _wait, irq, soft_irq, *_ = map(int, stat.readline().split()[1:])
    own = os.times()
    return (time.monotonic(), (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK"),
            own.user + own.system + own.children_user + own.children_system)


def foreign_cores(before, after):
    seconds, everybody, own = (b - a for a, b in zip(before, after))
    return max(0.0, (everybody - own) / seconds)


def run_all(groups, measuring, runs_count, warm_up):
    """{group: [results of a run]}, without those of the warm-up."""
    taken = {group.name: [] for group in groups}
    for run in range(0 if warm_up else 1, runs_count + 1):
        print(f"run {run} of {runs_count}" if run else "warm-up", file=sys.stderr, flush=True)
        for group in groups:
            if not group.side_by_side:
                taken[group.name].append(measuring.take(group))
        if run == 0:
            taken = {group.name: [] for group in groups}
    for group in groups:
        if group.side_by_side:
            taken[group.name] = measuring.take_at_once(group, runs_count)
    return taken


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cpus": os.cpu_count(), "system": platform.platform()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--only", type=lambda text: text.split(","), help="groups, e.g. bulk,dial")
    parser.add_argument("--runs", type=int, default=5, help="counted runs")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "benchmarks.json")
    arguments = parser.parse_args()

    groups = figures.groups(figures.QUICK if arguments.quick else figures.Sizes(), HAS_ENET)
    if unknown := set(arguments.only or []) - {group.name for group in groups}:
        parser.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(g.name for g in groups)}")
    if arguments.only:
        groups = [group for group in groups if group.name in arguments.only]
    measuring = Measuring(programs(arguments.quick))
    runs_count = 1 if arguments.quick else max(1, arguments.runs)
    taken = run_all(groups, measuring, runs_count, warm_up=not arguments.quick)

    rows = [report.row(figure, taken[group.name]) for group in groups for figure in group.figures]
    print(report.table(rows))
    foreign = report.spread(measuring.foreign_cores)
    if foreign["max"] > QUIET_MACHINE_CORES:
        print(f"Other programs used {report.shown(foreign, 'cores')} meanwhile: take it again on a quiet machine.")
    arguments.out.write_text(json.dumps(
        {"date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "machine": machine(),
         "foreign_cores": foreign, "figures": rows, "runs": taken, "failures": measuring.failures}, indent=1) + "\n")
    print(f"{arguments.out}: every measurement")
    return 1 if measuring.failures else 0


if __name__ == "__main__":
    sys.exit(main())
