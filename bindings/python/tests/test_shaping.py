"""Classes, limits, packed calls, and messages over sessions."""
from __future__ import annotations

from typing import Any

import pytest

import p2pagents
from conftest import run
from p2pagents import aio

SESSION = "/ip4/127.0.0.1/udp/0/p2pa-udp"


def test_a_limit_is_what_was_set(client: p2pagents.Node) -> None:
    client.set_rate_limit("in", 1_000_000, scope="/a/1")
    assert client.rate_limit("in", scope="/a/1") is not None
    client.set_rate_limit("in", 2_000_000, 70_000, scope="/a/1")
    assert client.rate_limit("in", scope="/a/1") == (2_000_000, 70_000)
    assert client.rate_limit("out", scope="/a/1") is None
    client.clear_rate_limit("in", scope="/a/1")
    with pytest.raises(LookupError):
        client.clear_rate_limit("in", scope="/a/1")
    for direction, rate, scope in (("up", 1, ""), ("in", 0, ""), ("in", 1, "nobody")):
        with pytest.raises(p2pagents.InvalidArgument):
            client.set_rate_limit(direction, rate, scope=scope)


def test_calls_have_a_class_and_may_go_packed(server: p2pagents.Node, client: p2pagents.Node) -> None:
    server.serve("echo")(bytes)
    text = b"x" * 100_000
    assert client.call(server.address, "echo", text, priority="bulk", compress=True) == text
    with client.open_call(server.peer_id, "echo", priority="control", compress=True) as call:
        call.set_priority("bulk")
        with pytest.raises(p2pagents.InvalidArgument):
            call.set_priority("urgent")
    with pytest.raises(p2pagents.InvalidArgument):
        client.call(server.peer_id, "echo", priority="urgent")


@pytest.mark.parametrize("delivery", ["unreliable", "sequenced", "reliable", "ordered"])
def test_messages_go_over_a_session(delivery: str) -> None:
    with p2pagents.Node(SESSION) as server, p2pagents.Node() as client, server.events("session_message") as events:
        client.dial(server.address)
        client.send_session_message(server.peer_id, b"move", delivery=delivery, channel=7, lifetime=10)
        client.send_session_message(server.peer_id, b"move", delivery=delivery, channel=8, lifetime=10, correction=True)
        for channel in (7, 8):
            event = next(events)
            assert (event.peer, event.data, event.delivery) == (client.peer_id, b"move", delivery)
            assert event.channel == channel
        wrong: list[dict[str, Any]] = [{"channel": 64}, {"delivery": "soon"}, {"priority": 128}, {"lifetime": 0},
                                       {"delivery": "reliable", "correction": True}]
        for options in wrong:
            with pytest.raises(p2pagents.InvalidArgument):
                client.send_session_message(server.peer_id, b"x", **options)


def test_the_same_with_asyncio() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        client.set_rate_limit("out", 1_000_000, scope=server.peer_id)
        assert client.rate_limit("out", scope=server.peer_id) is not None
        stream = await client.open_stream(server.address, "/none/1")
        stream.set_priority("bulk")
        stream.reset()

    run(main)
