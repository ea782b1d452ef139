"""Two nodes of each face that know each other. Nothing here waits for time to pass."""
from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

import p2pagents
from p2pagents import aio

LOOPBACK = "/ip4/127.0.0.1/udp/0/quic-v1"
HANG_SECONDS = 60.0


@pytest.fixture
def server() -> Iterator[p2pagents.Node]:
    with p2pagents.Node(LOOPBACK, workers=2) as node:
        yield node


@pytest.fixture
def client() -> Iterator[p2pagents.Node]:
    with p2pagents.Node() as node:
        yield node


def run(main: Callable[[aio.Node, aio.Node], Coroutine[Any, Any, None]]) -> None:
    """Runs main(server, client) in a loop of its own; one that hangs fails."""
    async def body() -> None:
        async with asyncio.timeout(HANG_SECONDS), pair() as nodes:
            await main(*nodes)

    asyncio.run(body())


@contextlib.asynccontextmanager
async def pair() -> AsyncIterator[tuple[aio.Node, aio.Node]]:
    async with aio.Node(LOOPBACK) as server, aio.Node() as client:
        yield server, client


class Told:
    """A value that another thread will tell; waiting for it without end is a failure."""

    def __init__(self) -> None:
        self._event, self._value = threading.Event(), None

    def tell(self, value: Any = None) -> None:
        self._value = value
        self._event.set()

    def wait(self) -> Any:
        assert self._event.wait(HANG_SECONDS), "nothing was told"
        return self._value
