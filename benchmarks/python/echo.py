"""How long a call from Python to Python takes: 64 bytes to another process on loopback and back, for
each face at each end.

    build/release/tests/python/python benchmarks/python/echo.py [CALLS]
"""
from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from p2pagents import Node, aio

LOOPBACK = "/ip4/127.0.0.1/udp/0/quic-v1"
METHODS = {"echo": lambda data: data}
DATA = bytes(64)
WARM_UP = 200
FACES = ("blocking", "asyncio")


def serve_blocking() -> None:
    with Node(LOOPBACK, methods=METHODS) as node:
        print(node.address, flush=True)
        node.run()


async def serve_asyncio() -> None:
    async with aio.Node(LOOPBACK, methods=METHODS) as node:
        print(node.address, flush=True)
        await node.run()


@contextlib.contextmanager
def server(face: str) -> Iterator[str]:
    """The address of one in a process of its own."""
    with subprocess.Popen([sys.executable, __file__, "serve", face], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def call_blocking(address: str, calls: int) -> list[float]:
    with Node() as node:
        times = [time.perf_counter()]
        for _ in range(WARM_UP + calls):
            node.call(address, "echo", DATA)
            times.append(time.perf_counter())
    return times


async def call_asyncio(address: str, calls: int) -> list[float]:
    async with aio.Node() as node:
        times = [time.perf_counter()]
        for _ in range(WARM_UP + calls):
            await node.call(address, "echo", DATA)
            times.append(time.perf_counter())
    return times


def main(calls: int) -> None:
    print(f"{'client':9} {'server':9} {'p50':>9} {'p99':>9}")
    for client, face in itertools.product(FACES, FACES):
        with server(face) as address:
            times = (call_blocking(address, calls) if client == "blocking"
                     else asyncio.run(call_asyncio(address, calls)))
        trips = [after - before for before, after in itertools.pairwise(times[WARM_UP:])]
        p50, p99 = (1000 * statistics.quantiles(trips, n=100)[percent - 1] for percent in (50, 99))
        print(f"{client:9} {face:9} {p50:6.3f} ms {p99:6.3f} ms", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve_blocking() if sys.argv[2] == "blocking" else asyncio.run(serve_asyncio())
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
