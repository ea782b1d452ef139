"""One call with messages, or one raw stream: what has arrived and is not taken, and what may be sent.

An event with data stays lent until it is taken here. So a reader that is slow slows the peer down,
and no byte is kept twice.
"""
from __future__ import annotations

import collections
import ctypes
from ctypes import byref
from typing import TYPE_CHECKING

from . import _ffi as ffi
from ._ffi import lib
from ._values import Payload, PeerId, check, payload
from .errors import P2PError, error_of

if TYPE_CHECKING:
    from ._core import Core

_DATA = (ffi.EVENT_CALL_MESSAGE, ffi.EVENT_STREAM_DATA)
_FINISHED = (ffi.EVENT_CALL_FINISHED, ffi.EVENT_STREAM_FINISHED)
_WRITABLE = (ffi.EVENT_CALL_WRITABLE, ffi.EVENT_STREAM_WRITABLE)


class Channel:
    time_left: float | None = None  # of a call that came with a deadline

    def __init__(self, core: Core, handle: int, peer: PeerId, name: str) -> None:
        from ._core import Signal
        self.handle, self.peer, self.name = handle, peer, name
        self.over = False
        self._core = core
        self._error: P2PError | None = None
        self._finished = False
        self._discarding = False
        self._arrived: collections.deque[ffi.Event] = collections.deque()
        self._readable, self._writable = Signal(core), Signal(core)

    # --- what the node tells

    def tell(self, event: ffi.Event) -> bool:
        """True: the event is kept."""
        if event.kind in _DATA:
            if self._discarding:
                return False
            self._arrived.append(event)
            self._readable.fire()
            return True
        if event.kind in _WRITABLE:
            self._writable.fire()
        elif event.kind in _FINISHED:
            self._finished = True
            self._readable.fire()
        else:
            from ._core import _error_in
            self.end(_error_in(event))
        return False

    def end(self, error: P2PError | None) -> None:
        self.over = True
        self._error = self._error or error
        self._readable.fire()
        self._writable.fire()

    # --- reading

    async def receive(self) -> bytes | None:
        """What comes next; None: nothing more will. Raises why the other end did not finish."""
        while not self._arrived:
            if self._finished or (self.over and self._error is None):
                return None
            if self._error is not None:
                raise self._error
            self._core.usable()
            await self._readable.wait()
        event = self._arrived.popleft()
        data = event.data.copy() if self._core.node else b""
        lib.p2pa_event_release(byref(event))
        self._core.submitted()
        return data

    def discard(self) -> None:
        """What has arrived and what will is not wanted."""
        self._discarding = True
        while self._arrived:
            lib.p2pa_event_release(byref(self._arrived.popleft()))

    # --- writing

    def _check(self, status: int) -> None:
        """For functions that take a handle: one that is stale means that all is over."""
        if status == ffi.STALE_HANDLE:
            raise self._error or error_of(ffi.STREAM_FINISHED, "it has ended", peer=self.peer)
        check(status, self.peer)

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
    async def send(self, data: Payload) -> None:
        message = payload(data)
        while True:
            self._core.usable()
            status = lib.p2pa_call_send(self.handle, message, len(message))
            if status != ffi.WOULD_BLOCK:
                break
            await self._writable.wait()
        self._check(status)
        self._core.submitted()

    async def finish(self) -> None:
        self._core.usable()
        self._check(lib.p2pa_call_finish(self.handle))
        self._core.submitted()

    def give_up(self) -> None:
        self.discard()
        if not self.over and self._core.node:
            lib.p2pa_call_cancel(self.handle)
            self._core.submitted()


class StreamChannel(Channel):
    async def send(self, data: Payload) -> None:
        message = payload(data)
        begin = ctypes.cast(ctypes.c_char_p(message), ctypes.c_void_p).value or 0
        sent, taken = 0, ctypes.c_size_t()
        while True:
            self._core.usable()
            status = lib.p2pa_stream_write(self.handle, begin + sent, len(message) - sent, byref(taken))
            if status != ffi.WOULD_BLOCK:
                self._check(status)
                sent += taken.value
                self._core.submitted()
                if sent == len(message):
                    return
            await self._writable.wait()

    async def finish(self) -> None:
        self._core.usable()
        self._check(lib.p2pa_stream_finish(self.handle))
        self._core.submitted()

    def give_up(self, code: int = 0) -> None:
        self.discard()
        if not self.over and self._core.node:
            lib.p2pa_stream_reset(self.handle, code)
            self._core.submitted()
