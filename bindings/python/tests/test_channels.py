"""Calls with messages, raw streams, datagrams, and what one sees of connections."""
from __future__ import annotations

import socket
import time

import pytest
from conftest import LOOPBACK, Told, run

import p2pagents
from p2pagents import Call, Node, Stream, aio


def test_messages_go_both_ways(server: Node, client: Node) -> None:
    @server.serve("double", streaming=True)
    def double(call: Call) -> None:
        for message in call:
            call.send(message * 2)

    with client.open_call(server.address, "double") as call:
        for text in (b"a", b"b"):
            call.send(text)
            assert call.receive() == text * 2
        call.finish()
        assert list(call) == []
        assert (call.peer, call.method) == (server.peer_id, "double")


def test_a_stream_of_answers(server: Node, client: Node) -> None:
    @server.serve("count", streaming=True)
    def count(call: Call) -> None:
        for number in range(int(call.receive() or 0)):
            call.send(str(number))

    with client.open_call(server.address, "count") as call:
        call.send("500")
        call.finish()
        assert [int(message) for message in call] == list(range(500))


def test_a_slow_reader_slows_the_sender_down(server: Node, client: Node) -> None:
    sent, full = [0], 64 << 20

    @server.serve("pour", streaming=True)
    def pour(call: Call) -> None:
        block = bytes(1 << 16)
        for _ in range(full >> 16):
            call.send(block)
            sent[0] += len(block)

    with client.open_call(server.address, "pour") as call:
        assert len(call.receive() or b"") == 1 << 16
        client.ping(server.address)
        assert sent[0] < full  # it could not run ahead
        assert sum(map(len, call)) == full - (1 << 16)


def test_a_served_call_fails_with_the_methods_own_error(server: Node, client: Node) -> None:
    @server.serve("fail", streaming=True)
    def fail(call: Call) -> None:
        call.receive()
        raise p2pagents.ApplicationError("enough", 7)

    with client.open_call(server.address, "fail") as call:
        call.send(b"x")
        with pytest.raises(p2pagents.ApplicationError, match="enough"):
            list(call)


def test_leaving_a_call_gives_it_up(server: Node, client: Node) -> None:
    told = Told()

    @server.serve("endless", streaming=True)
    def endless(call: Call) -> None:
        try:
            while True:
                call.send(bytes(10_000))
        except p2pagents.P2PError as error:
            told.tell(error)
            raise

    with client.open_call(server.address, "endless") as call:
        assert call.receive() == bytes(10_000)
    assert isinstance(told.wait(), p2pagents.Cancelled)


def test_a_deadline_ends_a_call_with_messages(server: Node, client: Node) -> None:
    @server.serve("silent", streaming=True)
    def silent(call: Call) -> None:
        call.receive()

    with client.open_call(server.address, "silent", timeout=0.05) as call:
        with pytest.raises(p2pagents.DeadlineExceeded):
            call.receive()


def test_after_finishing_nothing_can_be_sent(server: Node, client: Node) -> None:
    server.serve("drain", streaming=True)(list)
    with client.open_call(server.address, "drain") as call:
        call.finish()
        with pytest.raises(p2pagents.StreamError):
            call.send(b"late")


def test_a_raw_stream_carries_megabytes_both_ways(server: Node, client: Node) -> None:
    @server.handle("/echo/1")
    def echo(stream: Stream) -> None:
        for data in stream:
            stream.write(data)

    data = bytes(range(256)) * 16_384
    back = bytearray()
    with client.open_stream(server.address, "/echo/1") as stream:
        for begin in range(0, len(data), 1 << 20):
            stream.write(memoryview(data)[begin:begin + (1 << 20)])
            while len(back) < begin + (1 << 20):
                back += stream.read()
        stream.finish()
        assert stream.read() == b""
        assert (stream.peer, stream.protocol) == (server.peer_id, "/echo/1")
    assert back == data


def test_a_raw_stream_is_read_into_a_buffer_of_the_reader_s(server: Node, client: Node) -> None:
    @server.handle("/echo/1")
    def echo(stream: Stream) -> None:
        for data in stream:
            stream.write(data)

    data = bytes(range(256)) * 1000
    back = bytearray(len(data) + 10)
    with client.open_stream(server.address, "/echo/1") as stream:
        stream.write(data)
        stream.finish()
        with pytest.raises(TypeError, match="written"):
            stream.readinto(bytes(10))
        got = stream.readinto(memoryview(back)[:7])
        assert got == 7
        rest_of_the_piece = stream.read()
        back[got:got + len(rest_of_the_piece)] = rest_of_the_piece
        got += len(rest_of_the_piece)
        while count := stream.readinto(memoryview(back)[got:]):
            got += count
    assert got == len(data) and back[:got] == data


def test_a_reset_stream_says_the_code(server: Node, client: Node) -> None:
    @server.handle("/reset/1")
    def reset(stream: Stream) -> None:
        stream.read()
        stream.reset(77)

    with client.open_stream(server.address, "/reset/1") as stream:
        stream.write(b"x")
        with pytest.raises(p2pagents.StreamReset) as caught:
            stream.read()
    assert caught.value.detail == 77 and isinstance(caught.value, ConnectionResetError)


def test_a_protocol_that_nobody_speaks_is_unsupported(server: Node, client: Node) -> None:
    with pytest.raises(p2pagents.ProtocolUnsupported):
        with client.open_stream(server.address, "/none/1") as stream:
            stream.write(b"x")
            stream.read()


def test_a_protocol_begins_with_a_slash(server: Node, client: Node) -> None:
    with pytest.raises(p2pagents.InvalidArgument):
        client.open_stream(server.address, "none")


def test_datagrams_arrive_as_events(server: Node, client: Node) -> None:
    with server.events("datagram") as events:
        client.dial(server.address)
        told = Told()
        server.serve("ready")(told.tell)
        client.call(server.address, "ready")
        client.send_datagram(server.address, b"ping")
        event = next(events)
    assert (event.kind, event.data, event.peer) == ("datagram", b"ping", client.peer_id)


def test_events_that_nobody_takes_are_lost_and_counted(client: Node) -> None:
    with Node(LOOPBACK, limits={"events_max": 16}) as idle:
        datagrams, connections = idle.events("datagram"), idle.events("connected")
        for _ in range(16):
            client.dial(idle.address)
            client.send_datagram(idle.address, b"unseen")
        client.ping(idle.address)  # it came after all of them
        assert next(datagrams).data == b"unseen"
        while not datagrams.dropped:
            client.send_datagram(idle.address, b"seen")
            assert next(datagrams).data in (b"unseen", b"seen")
        assert connections.dropped == 0


def test_connections_come_and_go(server: Node, client: Node) -> None:
    with client.events("connected", "disconnected") as events:
        client.dial(server.address)
        connected = next(events)
        assert (connected.kind, connected.peer) == ("connected", server.peer_id)
        (connection,) = client.connections()
        assert connection.peer == server.peer_id and connection.outbound
        assert connection.number == connected.connection and connection.address in server.address
        client.disconnect(server.peer_id)
        gone = next(events)
        assert gone.kind == "disconnected" and gone.last
    assert client.connections() == []


def test_events_end_when_the_node_closes(client: Node) -> None:
    events = client.events()
    client.close()
    assert list(events) == []


def test_a_peer_says_what_it_is(client: Node) -> None:
    with Node("/ip4/127.0.0.1/udp/0/quic-v1", agent_version="robot/7") as server:
        with client.events("identified") as events:
            client.dial(server.address)
            assert next(events).peer == server.peer_id
        info = client.peer_info(server.peer_id)
        assert info.agent_version == "robot/7" and "/ipfs/ping/1.0.0" in info.protocols
        with pytest.raises(LookupError):
            client.peer_info(p2pagents.peer_id_of(p2pagents.generate_key()))


def test_a_ping_takes_time(server: Node, client: Node) -> None:
    assert 0 < client.ping(server.address) < 60


def test_perf_moves_what_was_asked(client: Node) -> None:
    with Node("/ip4/127.0.0.1/udp/0/quic-v1", serve_perf=True) as server:
        measured = client.perf(server.address, 1000, 2000)
    assert (measured.bytes_up, measured.bytes_down) == (1000, 2000)


def test_refusals_are_counted_by_name(client: Node) -> None:
    assert client.refusals() and set(client.refusals().values()) == {0}


def test_what_came_to_nothing_is_counted_by_reason(server: Node) -> None:
    host, port = server.address.split("/")[2], int(server.address.split("/")[4])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\x00nobody speaks like this, and nobody answers", (host, port))
    deadline = time.monotonic() + 20
    while server.drops()["unknown"] + server.drops()["malformed"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_in_use_is_told_by_name(client: Node) -> None:
    usage = client.usage()
    assert usage["connections"] == len(client.connections())
    assert {"handshakes", "streams", "calls", "events", "memory", "event_bytes"} < set(usage)


def test_messages_of_many_packets_arrive(server: p2pagents.Node, client: p2pagents.Node) -> None:
    with server.events("message") as events:
        with client.open_channel(server.address, deadline=0.05) as channel:
            channel.send(b"m" * 4000)
            event = next(events)
            assert (event.peer, event.data) == (client.peer_id, b"m" * 4000)
            assert channel.peer == server.peer_id and channel.stats().messages == 1
            with pytest.raises(p2pagents.MessageTooLarge):
                channel.send(bytes(channel.stats().size_max + 1))
        with pytest.raises(p2pagents.P2PError):
            channel.send(b"after the end")
    with pytest.raises(p2pagents.InvalidArgument):
        client.open_channel(server.peer_id, repair=2)


def test_messages_of_many_packets_arrive_with_asyncio() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        async with server.events("message") as events:
            async with await client.open_channel(server.address, repair=0) as channel:
                await channel.send(b"m" * 4000)
                assert (await anext(events)).data == b"m" * 4000
                assert channel.stats().repairs == 0

    run(main)
