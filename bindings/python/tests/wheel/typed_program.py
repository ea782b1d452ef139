"""What a user may write, with all its types; checked, not run."""
from __future__ import annotations

import array

from p2pagents import ApplicationError, Call, Node, P2PError, PeerId, Request, Stream, aio


def blocking(address: str) -> bytes:
    with Node("/ip4/127.0.0.1/udp/0/quic-v1", workers=2, limits={"calls_max": 10}) as node:
        @node.serve
        def upper(request: Request) -> bytes:
            if request.time_left is not None and request.time_left < 1.0:
                raise ApplicationError("too late", 7)
            return request.upper()

        @node.serve("double", streaming=True)
        def double(call: Call) -> None:
            for message in call:
                call.send(message * 2)

        @node.handle("/echo/1")
        def echo(stream: Stream) -> None:
            for data in stream:
                stream.write(data)

        peer: PeerId = node.dial(address)
        seconds: float = node.ping(peer)
        with node.open_stream(peer, "/echo/1") as stream:
            read: int = stream.readinto(bytearray(10))
        with node.open_call(peer, "double", timeout=None) as call:
            call.send(memoryview(b"a"))
            message: bytes | None = call.receive()
        for event in node.events("connected"):
            who: PeerId | None = event.peer
            print(who, event.error, seconds, read, message, upper(Request(b"", peer, "", None)), double, echo)
        node.send_datagram(peer, array.array("f", [1.0]))
        return node.call(peer, "upper", "text", timeout=5, replay_safe=True)


async def awaited(address: str) -> bytes:
    async with aio.Node(key_file="agent.key") as node:
        @node.serve("count", streaming=True)
        async def count(call: aio.Call) -> None:
            async for message in call:
                await call.send(str(len(message)))

        async with await node.open_call(address, "count") as call:
            await call.send(b"abc")
            await call.finish()
            answers: list[bytes] = [answer async for answer in call]
        try:
            return await node.call(address, "upper", b"".join(answers))
        except P2PError as error:
            code, name, detail, peer = error.code, error.name, error.detail, error.peer
            return f"{code + detail} {name.upper()} {peer}".encode()
