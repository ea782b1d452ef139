"""Who is told of what happens at a node."""
from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import _ffi as ffi
from ._values import Event, dial_attempts, peer_id
from ._waiting import Signal
from .errors import ApplicationError, P2PError, error_of

if TYPE_CHECKING:
    from ._core import Core

EVENTS_KEPT_MAX = 1024


def error_in(event: ffi.Event) -> P2PError | None:
    if event.status >= 0:
        return None
    who = peer_id(event.peer)
    if event.status == ffi.APPLICATION:
        return ApplicationError(event.text.text(), event.application_code, event.data.copy(), peer=who)
    error = error_of(event.status, event.text.text(), event.detail, who)
    if event.kind == ffi.EVENT_DIAL_DONE:
        error.attempts = dial_attempts(event)
    return error


class Subscription:
    """The events of some kinds, from now on; the oldest go when nobody takes them."""

    def __init__(self, core: Core, kinds: Iterable[str]) -> None:
        self._core = core
        self._kinds = frozenset(kinds)
        self._events: collections.deque[Event] = collections.deque()
        self._signal = Signal(core)
        self.over = core.closed
        self.dropped = 0
        core.subscriptions.add(self)

    def tell(self, event: Event) -> None:
        if self._kinds and event.kind not in self._kinds:
            return
        if len(self._events) == EVENTS_KEPT_MAX:
            self._events.popleft()
            self.dropped += 1
        self._events.append(event)
        self._signal.fire()

    def lost(self, kinds: set[str]) -> None:
        self.dropped += bool(kinds & self._kinds if self._kinds else kinds)

    def end(self) -> None:
        self.over = True
        self._core.subscriptions.discard(self)
        self._signal.fire()

    async def next(self) -> Event | None:
        """None: the node is closed, or the subscription."""
        while not self._events:
            if self.over:
                return None
            await self._signal.wait()
        return self._events.popleft()
