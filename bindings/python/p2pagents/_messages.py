"""The sending end of a channel of messages that may be lost."""
from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import _ffi as ffi
from ._ffi import lib
from ._memory import Memory, Payload
from ._values import MessageStats, PeerId, check
from .errors import P2PError, error_of

if TYPE_CHECKING:
    from ._core import Core


class MessageSender:
    def __init__(self, core: Core, handle: int, peer: PeerId) -> None:
        self.handle, self.peer = handle, peer
        self._core = core
        self._over = False
        self._error: P2PError | None = None

    def ended(self, error: P2PError | None) -> None:
        self._over, self._error = True, error

    async def send(self, data: Payload) -> None:
        message = Memory(data)
        await self._core.submit(self._guarded(lib.p2pa_channel_send), message.pointer, message.size, peer=self.peer)

    def stats(self) -> MessageStats:
        self._core.usable()
        stats = ffi.ChannelStats()
        check(self._guarded(lib.p2pa_channel_info)(0, ctypes.byref(stats)), self.peer)
        return MessageStats(stats.messages, stats.packets, stats.repairs, stats.size_max, stats.loss, stats.burst)

    def close(self) -> None:
        """Said twice, or when all is over, it is fine."""
        if not self._over and self._core.node:
            lib.p2pa_channel_close(self.handle)

    def _guarded(self, function: Callable[..., int]) -> Callable[..., int]:
        """The function for this channel, whatever node it is given. Of one that has ended it raises why."""
        def call(_: Any, *arguments: Any) -> int:
            status = function(self.handle, *arguments)
            if status == ffi.STALE_HANDLE:
                raise self._error or error_of(ffi.STREAM_FINISHED, "the channel has ended", peer=self.peer)
            return status

        return call
