"""What the types must not let through; checked, not run."""
from __future__ import annotations

from p2pagents import Call, Node, aio


def takes_calls(call: Call) -> None:
    pass


def blocking(node: Node, call: Call) -> str:
    node.call("peer", "method", 5)  # a mistake
    node.call("peer", "method", timeout="soon")  # a mistake
    node.call(b"peer", "method")  # a mistake
    Node(worker=1)  # a mistake
    call.send(None)  # a mistake
    call.receive().decode()  # a mistake
    node.serve("length")(lambda request: len(request))  # a mistake
    node.serve("calls")(takes_calls)  # a mistake
    node.peer_id = "me"  # a mistake
    return node.call("peer", "method")  # a mistake


async def awaited(node: aio.Node) -> int:
    answer = await node.call("peer", "method")
    answer.encode()  # a mistake
    async with node.open_call("peer", "method"):  # a mistake
        pass
    for message in await node.open_call("peer", "method"):  # a mistake
        print(message)
    return await node.ping("peer")  # a mistake
