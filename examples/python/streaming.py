"""An agent that thinks aloud, word by word, and one that listens until it has heard enough.

    python streaming.py                   the one that thinks; prints its address
    python streaming.py ADDRESS QUESTION  the one that asks
"""
import asyncio
import itertools
import sys

from p2pagents import aio

ENOUGH = 10


async def think() -> None:
    async with aio.Node("/ip4/127.0.0.1/udp/0/quic-v1") as node:
        @node.serve("think", streaming=True)
        async def aloud(call: aio.Call) -> None:
            question = await call.receive() or b""
            try:
                for word in itertools.cycle(question.split()):
                    await call.send(word)  # waits while the other end is slower
                    await asyncio.sleep(0)  # where a model would be asked for the next word
            except asyncio.CancelledError:
                print("nobody listens any more", flush=True)
                raise

        print(node.address, flush=True)
        await node.run()


async def ask(address: str, question: str) -> None:
    async with aio.Node() as node, await node.open_call(address, "think", timeout=60) as call:
        await call.send(question)
        await call.finish()
        heard = 0
        async for word in call:
            print(word.decode())
            heard += 1
            if heard == ENOUGH:
                break  # leaving the block gives the call up, and cancels the task at the other end


if __name__ == "__main__":
    asyncio.run(ask(*sys.argv[1:]) if len(sys.argv) > 1 else think())
