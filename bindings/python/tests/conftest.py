"""Two nodes of each face that know each other. Nothing here waits for time to pass, and nothing hangs:
what takes HANG_SECONDS has failed."""
from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

import p2pagents
from p2pagents import aio

LOOPBACK = "/ip4/127.0.0.1/udp/0/quic-v1"
HANG_SECONDS = 120


@pytest.fixture(autouse=True)
def hang() -> Iterator[None]:
    """Fails a test that hangs; ends Python when it hangs where no exception reaches it."""
    def fail(*_: object) -> None:
        pytest.fail(f"it hung for {HANG_SECONDS} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(HANG_SECONDS)
    faulthandler.dump_traceback_later(HANG_SECONDS + 20, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def server() -> Iterator[p2pagents.Node]:
    with p2pagents.Node(LOOPBACK, workers=2) as node:
        yield node


@pytest.fixture
def client() -> Iterator[p2pagents.Node]:
    with p2pagents.Node() as node:
        yield node


def run(main: Callable[[aio.Node, aio.Node], Coroutine[Any, Any, None]]) -> None:
    """Runs main(server, client) in a loop of its own."""
    async def body() -> None:
        async with pair() as nodes:
            await main(*nodes)

    asyncio.run(body())


@contextlib.asynccontextmanager
async def pair() -> AsyncIterator[tuple[aio.Node, aio.Node]]:
    async with aio.Node(LOOPBACK) as server, aio.Node() as client:
        yield server, client


class Told:
    """A value that another thread will tell."""

    def __init__(self) -> None:
        self._event, self._value = threading.Event(), None

    def tell(self, value: Any = None) -> None:
        self._value = value
        self._event.set()

    def wait(self) -> Any:
        self._event.wait()
        return self._value
