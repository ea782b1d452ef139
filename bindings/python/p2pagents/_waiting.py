"""What the coroutines of both faces wait for."""
from __future__ import annotations

import weakref
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Protocol

from .errors import Closed

if TYPE_CHECKING:
    from ._core import Core


class Pending(Protocol):
    """A result that will come; asyncio.Future is one."""

    def done(self) -> bool: ...
    def set_result(self, value: Any, /) -> None: ...
    def __await__(self) -> Generator[Any, None, Any]: ...


class Signal:
    """Something to wait for, again and again."""

    def __init__(self, core: Core) -> None:
        self._core = weakref.ref(core)
        self._waiting: list[Pending] = []

    async def wait(self, seconds: float | None = None) -> None:
        core = self._core()
        if core is None:
            raise Closed()
        pending = core.pending(seconds)
        self._waiting.append(pending)
        try:
            await pending
        finally:
            if pending in self._waiting:
                self._waiting.remove(pending)

    def fire(self) -> None:
        waiting, self._waiting = self._waiting, []
        for pending in waiting:
            if not pending.done():
                pending.set_result(None)
