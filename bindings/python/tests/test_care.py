"""Care of connections, rules, and roads other than QUIC."""
from __future__ import annotations

from typing import Any

import pytest

import p2pagents
from conftest import LOOPBACK, run
from p2pagents import aio

WEB = "/ip4/127.0.0.1/tcp/0/ws"
KEY = "/key/swarm/psk/1.0.0/\n/base16/\n" + "5a" * 32 + "\n"


def test_a_kept_peer_comes_back(server: p2pagents.Node, client: p2pagents.Node) -> None:
    with client.events("connected") as events, server.events("connected") as seen:
        client.keep(server.address)
        assert next(events).peer == server.peer_id
        assert next(seen).peer == client.peer_id
        server.disconnect(client.peer_id)
        assert next(events).peer == server.peer_id
    client.unkeep(server.peer_id)
    with pytest.raises(LookupError):
        client.unkeep(server.peer_id)
    with pytest.raises(p2pagents.InvalidArgument):
        client.keep(client.peer_id)


def test_a_kept_peer_comes_back_with_asyncio() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        async with client.events("connected") as events, server.events("connected") as seen:
            await client.keep(server.address)
            assert (await anext(events)).peer == server.peer_id
            assert (await anext(seen)).peer == client.peer_id
            await server.disconnect(client.peer_id)
            assert (await anext(events)).peer == server.peer_id
        assert await client.choose_peer([server.peer_id]) == server.peer_id

    run(main)


def test_tags_protect_until_the_last_is_gone(server: p2pagents.Node, client: p2pagents.Node) -> None:
    client.protect(server.peer_id, "a")
    client.protect(server.peer_id, "b")
    assert client.unprotect(server.peer_id, "a")
    assert not client.unprotect(server.peer_id, "b")
    client.set_value(server.peer_id, "useful", 7)


@pytest.mark.parametrize("rule", ["peer", "127.0.0.0/8"])
def test_whom_a_rule_names_is_refused(server: p2pagents.Node, client: p2pagents.Node, rule: str) -> None:
    rule = server.peer_id if rule == "peer" else rule
    client.deny(rule)
    with pytest.raises(p2pagents.Gated):
        client.dial(server.address)
    client.forget_rule(rule)
    client.dial(server.address)
    with pytest.raises(LookupError):
        client.forget_rule(rule)
    with pytest.raises(p2pagents.InvalidArgument):
        client.deny("no rule")


def test_who_is_refused_is_told_of(server: p2pagents.Node, client: p2pagents.Node) -> None:
    server.deny("127.0.0.0/8")
    with server.events("refused") as events:
        with pytest.raises(p2pagents.P2PError):
            client.dial(server.address)
        refused = next(events)
    assert isinstance(refused.error, p2pagents.Gated)
    assert refused.address == "/ip4/127.0.0.1"
    assert refused.peer is None and refused.count >= 1


def test_only_what_is_allowed_may_pass(server: p2pagents.Node, client: p2pagents.Node) -> None:
    client.allow_only()
    with pytest.raises(p2pagents.Gated):
        client.dial(server.address)
    client.allow(server.peer_id)
    client.dial(server.address)


def test_a_connection_tells_its_quality(server: p2pagents.Node, client: p2pagents.Node) -> None:
    client.dial(server.address)
    connection, = client.connections()
    assert connection.age > 0 and 0.5 < connection.score <= 1 and connection.loss >= 0


def test_a_private_network_over_websocket_has_no_strangers() -> None:
    with p2pagents.Node(WEB, network_key=KEY, workers=1) as server, \
            p2pagents.Node(network_key=KEY, security="tls") as client, p2pagents.Node() as stranger:
        server.serve("echo")(bytes)
        assert client.call(server.address, "echo", b"x") == b"x"
        with pytest.raises(p2pagents.P2PError):
            stranger.dial(server.address)


@pytest.mark.parametrize("options", [
    {"security": "ssl"}, {"security": ["tls", "tls"]}, {"web_trust": "some"}, {"high_water": -1}, {"heartbeat": -1},
    {"proxy": "ftp://127.0.0.1:1"}, {"dns_servers": "nowhere"}, {"low_water": 2, "high_water": 1},
    {"network_key": "not a key file"}])
def test_roads_that_lead_nowhere_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(p2pagents.P2PError):
        p2pagents.Node(LOOPBACK, **options)


def test_a_name_is_resolved_by_whom_was_named(server: p2pagents.Node) -> None:
    with p2pagents.Node(dns_servers=["127.0.0.1:1"]) as client:
        with pytest.raises(p2pagents.ConnectError) as failed:
            client.dial(f"/dns4/agent.test/udp/1/quic-v1/p2p/{server.peer_id}")
        assert [attempt.stage for attempt in failed.value.attempts] == ["resolving"]
