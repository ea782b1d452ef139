"""The asyncio face: the same, awaited; and what only it has, cancellation of tasks."""
from __future__ import annotations

import array
import asyncio
import errno
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import LOOPBACK, run

import p2pagents
from p2pagents import Request, _ffi, _memory, aio


def test_a_call_is_answered_by_a_coroutine_or_a_function() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.serve
        async def later(text: bytes) -> bytes:
            await asyncio.sleep(0)
            return text.upper()

        server.serve("now")(lambda text: text.lower())
        assert await client.call(server.address, "later", b"Hey") == b"HEY"
        assert await client.call(server.address, "now", b"Hey") == b"hey"
        assert await client.ping(server.peer_id) > 0

    run(main)


def test_a_node_can_be_awaited_and_closed_twice() -> None:
    async def main() -> None:
        node = await aio.Node(LOOPBACK)
        assert node.address.endswith(node.peer_id)
        await node.close()
        await node.close()
        with pytest.raises(p2pagents.Closed):
            await node.ping(node.peer_id)

    asyncio.run(main())


def test_before_it_is_open_a_node_does_nothing() -> None:
    async def main() -> None:
        node = aio.Node(LOOPBACK)
        with pytest.raises(p2pagents.Closed, match="not open"):
            await node.dial(p2pagents.peer_id_of(p2pagents.generate_key()))

    asyncio.run(main())


def test_a_thousand_calls_at_once() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        server.serve("echo")(lambda data: data)
        asked = [str(number).encode() for number in range(1000)]
        gate = asyncio.Semaphore(100)

        async def ask(data: bytes) -> bytes:
            async with gate:
                return await client.call(server.address, "echo", data)

        assert await asyncio.gather(*map(ask, asked)) == asked

    run(main)


def test_all_of_it_happens_in_the_thread_of_the_loop() -> None:
    before = threading.active_count()

    async def main(server: aio.Node, client: aio.Node) -> None:
        threads = set()
        server.serve("where")(lambda _: threads.add(threading.current_thread()))
        await client.call(server.address, "where")
        assert threads == {threading.current_thread()}
        assert threading.active_count() == before

    run(main)


def test_a_cancelled_task_cancels_its_call_and_the_method() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        begun, cancelled = asyncio.Event(), asyncio.Event()

        @server.serve
        async def forever(_: bytes) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        task = asyncio.create_task(client.call(server.address, "forever", timeout=None))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await cancelled.wait()

    run(main)


def test_asyncio_timeouts_work() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.serve
        async def forever(_: bytes) -> None:
            await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.call(server.address, "forever")

    run(main)


def test_a_deadline_passes() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.serve
        async def forever(_: bytes) -> None:
            await asyncio.Event().wait()

        with pytest.raises(p2pagents.DeadlineExceeded):
            await client.call(server.address, "forever", timeout=0.05)

    run(main)


def test_the_methods_own_error_and_its_accidents(caplog: pytest.LogCaptureFixture) -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.serve
        async def refuse(_: Request) -> None:
            raise p2pagents.ApplicationError("no", 3)

        @server.serve
        async def stumble(_: Request) -> None:
            raise KeyError("secret")

        with pytest.raises(p2pagents.ApplicationError, match="no"):
            await client.call(server.address, "refuse")
        with pytest.raises(p2pagents.ApplicationError, match="KeyError"):
            await client.call(server.address, "stumble")

    run(main)
    assert "secret" in caplog.text


def test_whatever_a_method_raises_is_answered_and_ends_no_loop() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.serve
        async def leave(_: Request) -> None:
            raise SystemExit(3)

        @server.serve
        async def refuse(_: Request) -> None:
            raise p2pagents.ApplicationError("x" * (17 << 20))

        for method, kind in (("leave", "SystemExit"), ("refuse", "ApplicationError")):
            with pytest.raises(p2pagents.ApplicationError, match=kind):
                await client.call(server.address, method, timeout=None)

    run(main)


def test_messages_go_both_ways() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.serve("double", streaming=True)
        async def double(call: aio.Call) -> None:
            async for message in call:
                await call.send(message * 2)

        async with await client.open_call(server.address, "double") as call:
            for text in (b"a", b"b"):
                await call.send(text)
                assert await call.receive() == text * 2
            await call.finish()
            assert [message async for message in call] == []

    run(main)


def test_a_slow_reader_slows_the_sender_down() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        sent, full = 0, 32 << 20

        @server.serve("pour", streaming=True)
        async def pour(call: aio.Call) -> None:
            nonlocal sent
            for _ in range(full >> 16):
                await call.send(bytes(1 << 16))
                sent += 1 << 16

        async with await client.open_call(server.address, "pour") as call:
            got = len(await call.receive() or b"")
            await client.ping(server.address)
            assert sent < full
            async for message in call:
                got += len(message)
        assert got == full

    run(main)


@pytest.fixture
def never_copied(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The functions of the library that copy are out of reach; afterwards nothing is lent any more."""
    for name in ("p2pa_call_send", "p2pa_call_reply", "p2pa_stream_write"):
        monkeypatch.setattr(_ffi.lib, name, None)
    yield
    assert not _memory._lent


BIG = bytes(range(256)) * 1024


@pytest.mark.usefixtures("never_copied")
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: array.array("Q", data)])
def test_what_is_big_is_sent_from_where_it_lies(kind: Callable[[bytes], Any]) -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        server.serve("answer")(lambda _: kind(BIG))

        @server.serve("echo", streaming=True)
        async def echo(call: aio.Call) -> None:
            async for message in call:
                await call.send(kind(message))

        @server.handle("/echo/1")
        async def echo_bytes(stream: aio.Stream) -> None:
            await stream.write(kind(b"".join([data async for data in stream])))

        assert await client.call(server.address, "answer") == BIG
        async with await client.open_call(server.address, "echo") as call:
            await call.send(kind(BIG))
            assert await call.receive() == BIG
        async with await client.open_stream(server.address, "/echo/1") as stream:
            await stream.write(kind(BIG))
            await stream.finish()
            assert b"".join([data async for data in stream]) == BIG

    run(main)


@pytest.mark.usefixtures("never_copied")
def test_a_buffer_is_its_owner_s_again_when_sending_returns() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.serve("echo", streaming=True)
        async def echo(call: aio.Call) -> None:
            async for message in call:
                await call.send(message)

        buffer = bytearray(1 << 16)
        async with await client.open_call(server.address, "echo") as call:
            for turn in range(32):  # more than fits in all the buffers on the way
                buffer[:] = bytes([turn]) * len(buffer)
                await call.send(buffer)
            buffer.clear()  # which a buffer that is still used refuses
            for turn in range(32):
                assert await call.receive() == bytes([turn]) * (1 << 16)

    run(main)


@pytest.mark.usefixtures("never_copied")
def test_what_is_lent_comes_back_when_its_sender_is_cancelled() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        server.serve("deaf", streaming=True)(lambda call: asyncio.Event().wait())

        async def pour(call: aio.Call) -> None:
            while True:
                await call.send(bytearray(1 << 20))

        async with await client.open_call(server.address, "deaf", timeout=None) as call:
            task = asyncio.create_task(pour(call))
            while not _memory._lent:
                await client.ping(server.address)
            await client.ping(server.address)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main)


def test_a_served_call_is_cancelled_when_its_caller_goes() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        begun, cancelled = asyncio.Event(), asyncio.Event()

        @server.serve("elsewhere", streaming=True)
        async def elsewhere(call: aio.Call) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()  # neither sends nor receives
            except asyncio.CancelledError:
                cancelled.set()
                raise

        async with await client.open_call(server.address, "elsewhere"):
            await begun.wait()
        await cancelled.wait()

    run(main)


def test_a_served_call_that_gives_itself_up_goes_on_to_its_end() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        ended = asyncio.Event()

        @server.serve("no", streaming=True)
        async def no(call: aio.Call) -> None:
            call.cancel()
            await server.ping(call.peer)
            ended.set()

        async with await client.open_call(server.address, "no") as call:
            with pytest.raises(p2pagents.Cancelled):
                await call.receive()
        await ended.wait()

    run(main)


def test_raw_streams() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        @server.handle("/echo/1")
        async def echo(stream: aio.Stream) -> None:
            async for data in stream:
                await stream.write(data)

        async with await client.open_stream(server.address, "/echo/1") as stream:
            await stream.write(b"abc")
            await stream.finish()
            piece = bytearray(10)
            assert await stream.readinto(piece) > 0 and piece[:1] == b"a"
            assert (piece.rstrip(b"\0") + b"".join([data async for data in stream])) == b"abc"

    run(main)


def test_a_cancelled_opening_leaves_no_stream() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        server.handle("/quiet/1")(lambda stream: None)
        task = asyncio.create_task(client.open_stream(server.address, "/quiet/1"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await client.ping(server.address) > 0

    run(main)


def test_datagrams_and_events() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        async with server.events("connected", "datagram") as events:
            await client.dial(server.address)
            assert (await anext(events)).kind == "connected"
            await client.send_datagram(server.peer_id, "dot")
            assert (await anext(events)).data == b"dot"
        assert [event async for event in events] == []

    run(main)


def test_closing_cancels_the_methods_that_still_run() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        begun = asyncio.Event()
        ended: list[str] = []

        @server.serve
        async def forever(_: bytes) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("forever")

        task: asyncio.Task[Any] = asyncio.create_task(client.call(server.address, "forever"))
        await begun.wait()
        await server.close()
        assert ended == ["forever"]
        with pytest.raises(p2pagents.P2PError):
            await task

    run(main)


def test_nothing_is_kept_of_what_is_over() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        server.serve("echo")(lambda data: data)

        @server.serve
        async def never(_: bytes) -> None:
            await asyncio.Event().wait()

        server.serve("quiet", streaming=True)(lambda call: call.receive())
        server.handle("/quiet/1")(lambda stream: stream.read())
        for _ in range(20):
            await client.call(server.address, "echo", b"x")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await client.call(server.address, "never")
            async with await client.open_call(server.address, "quiet"):
                pass
            async with await client.open_stream(server.address, "/quiet/1"):
                pass
        for node in (client, server):
            engine = node._engine
            while engine._completions or engine._channels or engine._tasks:
                await client.ping(server.address)  # what ends is told before the answer to this

    run(main)


def test_a_method_may_close_its_own_node() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        server.serve("die")(lambda _: server.close())
        await client.notify(server.address, "die")
        await server.run()

    run(main)


def test_a_listener_that_fails_is_an_error_of_opening() -> None:
    async def main() -> None:
        async with aio.Node(LOOPBACK) as node:
            port = node.address.split("/")[4]
            with pytest.raises(p2pagents.SystemRefused) as caught:
                async with aio.Node(f"/ip4/127.0.0.1/udp/{port}/quic-v1"):
                    pass
            assert isinstance(caught.value, OSError) and caught.value.errno == errno.EADDRINUSE

    asyncio.run(main())


def test_an_answer_that_nobody_waits_for_is_not_that_of_the_next_listener() -> None:
    async def main(server: aio.Node, client: aio.Node) -> None:
        port = server.address.split("/")[4]
        task = asyncio.create_task(client.listen(f"/ip4/127.0.0.1/udp/{port}/quic-v1"))
        await asyncio.sleep(0)
        task.cancel()
        await client.listen(LOOPBACK)
        assert len(client.addresses) == 1
        assert task.cancelled()

    run(main)
