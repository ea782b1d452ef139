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
        try:
            self._waiting.append(pending)
            await pending
        finally:
            self._waiting.remove(pending)

    def fire(self) -> None:
        for pending in self._waiting:
            if not pending.done():
                pending.set_result(None)
