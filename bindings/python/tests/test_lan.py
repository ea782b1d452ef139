"""Messages on the local network: over this host's loopback interface, whatever else it has."""
from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import p2pagents
from p2pagents import aio


@pytest.fixture
def network() -> dict[str, Any]:
    """A port that is free, and an application that no other run of this test has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("0.0.0.0", 0))
        return {"lan_port": free.getsockname()[1], "lan_application": secrets.token_hex(16)}


@contextlib.contextmanager
def saying(speaker: p2pagents.Node, data: bytes) -> Iterator[None]:
    """Says it again and again: nobody knows when the other has opened its sockets."""
    over = threading.Event()

    def say() -> None:
        while not over.wait(0.02):
            speaker.send_lan("another", data)
            speaker.send_lan("poses", data)

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_message_is_an_event_of_those_who_joined_its_topic(network: dict[str, Any]) -> None:
    with p2pagents.Node(**network) as speaker, p2pagents.Node(**network) as hearer, \
            hearer.events("lan_message") as events:
        hearer.join_lan("poses")
        with saying(speaker, b"x=1"):
            heard = [next(events) for _ in range(3)]
        for event in heard:
            assert (event.peer, event.topic, event.data) == (speaker.peer_id, "poses", b"x=1")
        drops = hearer.lan_drops()
        assert drops["not_joined"] > 0
        assert drops["bad_signature"] == drops["unproven"] == 0
        hearer.leave_lan("poses")
        with pytest.raises(LookupError):
            hearer.leave_lan("poses")


def test_what_cannot_be_said_is_refused(client: p2pagents.Node) -> None:
    for topic, data in (("", b""), ("t" * 65, b"")):
        with pytest.raises(p2pagents.InvalidArgument):
            client.send_lan(topic, data)
    with pytest.raises(p2pagents.P2PError, match="960|large|long"):
        client.send_lan("t", bytes(961))
    with pytest.raises(p2pagents.InvalidArgument):
        client.join_lan("")
    wrong: list[dict[str, Any]] = [{"lan_port": 0}, {"lan_port": 65536}, {"lan_application": "a" * 256}]
    for options in wrong:
        with pytest.raises(p2pagents.InvalidArgument):
            p2pagents.Node(**options)


def test_the_same_with_asyncio(network: dict[str, Any]) -> None:
    async def main() -> None:
        async with aio.Node(**network) as speaker, aio.Node(**network) as hearer:
            async with hearer.events("lan_message") as events:
                hearer.join_lan("t")

                async def say() -> None:
                    while True:
                        speaker.send_lan("t", b"hello")
                        await asyncio.sleep(0.02)

                saying_it = asyncio.create_task(say())
                async for event in events:
                    assert (event.peer, event.topic, event.data) == (speaker.peer_id, "t", b"hello")
                    break
                saying_it.cancel()

    asyncio.run(main())
