"""One call with messages, or one raw stream: what has arrived and is not taken, and what may be sent.

An event with data stays lent until it is taken here. So a reader that is slow slows the peer down,
and no byte is kept twice.
"""
from __future__ import annotations

import collections
import ctypes
from collections.abc import Callable
from ctypes import byref
from typing import TYPE_CHECKING, Any

from . import _ffi as ffi
from ._events import error_in
from ._ffi import lib
from ._memory import Memory, Payload
from ._values import PeerId, check, priority_of
from ._waiting import Signal
from .errors import P2PError, error_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._core import Core

_DATA = (ffi.EVENT_CALL_MESSAGE, ffi.EVENT_STREAM_DATA)
_FINISHED = (ffi.EVENT_CALL_FINISHED, ffi.EVENT_STREAM_FINISHED)
_WRITABLE = (ffi.EVENT_CALL_WRITABLE, ffi.EVENT_STREAM_WRITABLE)


class Channel:
    time_left: float | None = None  # of a call that came with a deadline

    def __init__(self, core: Core, handle: int, peer: PeerId, name: str) -> None:
        self.handle, self.peer, self.name = handle, peer, name
        self.over = False
        self.unwanted = False  # by this end
        self._core = core
        self._error: P2PError | None = None
        self._finished = False
        self._arrived: collections.deque[ffi.Event] = collections.deque()
        self._used = 0  # bytes of the first of them
        self._readable, self._writable = Signal(core), Signal(core)

    # --- what the node tells

    def tell(self, event: ffi.Event) -> bool:
        """True: the event is kept."""
        if event.kind in _DATA:
            if self.unwanted:
                return False
            if not self._arrived or self._arrived[-1] is not event:
                self._arrived.append(event)
            self._readable.fire()
            return True
        if event.kind in _WRITABLE:
            self._writable.fire()
        elif event.kind in _FINISHED:
            self._finished = True
            self._readable.fire()
        else:
            self.end(error_in(event))
        return False

    def end(self, error: P2PError | None) -> None:
        self.over = True
        self._error = self._error or error
        self._readable.fire()
        self._writable.fire()

    # --- reading

    async def receive(self) -> bytes | None:
        """What comes next; None: nothing more will. Raises why the other end did not finish."""
        event = await self._next()
        if event is None:
            return None
        data: bytes = event.data.copy(self._used)
        self._consume(event, len(data))
        return data

    async def receive_into(self, buffer: Buffer) -> int:
        """What comes next, or the part that there is room for. 0: nothing more will, or no room."""
        target = Memory(buffer)
        if target.readonly:
            raise TypeError("a buffer that can be written to is needed")
        event = await self._next()
        if event is None:
            return 0
        size: int = min(target.size, event.data.size - self._used)
        ctypes.memmove(target.address(), event.data.data + self._used, size)
        self._consume(event, size)
        return size

    async def _next(self) -> ffi.Event | None:
        while not self._arrived:
            if self._finished or (self.over and self._error is None):
                return None
            if self._error is not None:
                raise self._error
            self._core.usable()
            await self._readable.wait()
        if not self._core.node:  # which took back what it had lent
            raise error_of(ffi.CLOSED, peer=self.peer)
        return self._arrived[0]

    def _consume(self, event: ffi.Event, size: int) -> None:
        self._used += size
        if self._used == event.data.size:
            self._used = 0
            lib.p2pa_event_release(byref(self._arrived.popleft()))

    def discard(self) -> None:
        """What has arrived and what will is not wanted."""
        self.unwanted = True
        while self._arrived:
            lib.p2pa_event_release(byref(self._arrived.popleft()))

    # --- writing

    async def _check(self, status: int) -> None:
        """For functions that take a handle: one that is stale means that all is over. Why, says the
        last event, which may still be on its way."""
        if status == ffi.STALE_HANDLE:
            while not self.over:
                self._core.usable()
                await self._writable.wait()
            raise self._error or error_of(ffi.STREAM_FINISHED, "it has ended", peer=self.peer)
        check(status, self.peer)

    async def _give(self, memory: Memory, copy: Callable[..., int], take: Callable[..., int]) -> None:
        """Sends by `copy` or `take`, as the core likes; waits while there is no room."""
        while True:
            self._core.usable()
            status = self._core.give(self.handle, memory, copy, take)
            if status != ffi.WOULD_BLOCK:
                break
            await self._writable.wait()
        await self._check(status)
        await memory.back()

    async def finish(self) -> None:
        raise NotImplementedError

    async def finish_quietly(self) -> None:
        """At the end of a handler or a block: fine when it was said before or all is over."""
        if not self.over and self._core.node:
            try:
                await self.finish()
            except P2PError:
                pass

    def give_up(self) -> None:
        raise NotImplementedError


class CallChannel(Channel):
    def set_priority(self, priority: str) -> None:
        self._core.usable()
        check(lib.p2pa_call_set_priority(self.handle, priority_of(priority)), self.peer)

    async def send(self, data: Payload) -> None:
        await self._give(Memory(data), lib.p2pa_call_send, lib.p2pa_call_send_take)

    async def finish(self) -> None:
        self._core.usable()
        await self._check(lib.p2pa_call_finish(self.handle))

    def give_up(self) -> None:
        self.discard()
        if not self.over and self._core.node:
            lib.p2pa_call_cancel(self.handle)


class StreamChannel(Channel):
    def set_priority(self, priority: str) -> None:
        self._core.usable()
        check(lib.p2pa_stream_set_priority(self.handle, priority_of(priority)), self.peer)

    async def send(self, data: Payload) -> None:
        memory = Memory(data)
        begin, sent, taken = memory.address(), 0, ctypes.c_size_t()

        def write(handle: int, _: Any, size: int) -> int:
            """Copies what there is room for."""
            nonlocal sent
            status: int = lib.p2pa_stream_write(handle, begin + sent, size - sent, byref(taken))
            if status == ffi.OK:
                sent += taken.value
            return ffi.WOULD_BLOCK if status == ffi.OK and sent < size else status

        await self._give(memory, write, lib.p2pa_stream_write_take)

    async def finish(self) -> None:
        self._core.usable()
        await self._check(lib.p2pa_stream_finish(self.handle))

    def give_up(self, code: int = 0) -> None:
        self.discard()
        if not self.over and self._core.node:
            lib.p2pa_stream_reset(self.handle, code)
