"""The library's log goes to the logger "p2pagents" and its children, in a thread of the user's."""
from __future__ import annotations

import collections
import logging
from typing import Any

from . import _ffi as ffi

RECORDS_KEPT_MAX = 1024

logger = logging.getLogger("p2pagents")
_LEVELS = {ffi.LOG_ERROR: logging.ERROR, ffi.LOG_WARNING: logging.WARNING, ffi.LOG_INFO: logging.INFO,
           ffi.LOG_DEBUG: logging.DEBUG, ffi.LOG_TRACE: logging.DEBUG - 5}


class Log:
    """Takes the library's records on its thread and keeps them for a thread of the user's."""

    def __init__(self) -> None:
        records: collections.deque[tuple[int, str, str]] = collections.deque(maxlen=RECORDS_KEPT_MAX)

        def take(_: Any, record: Any) -> None:
            shown = record.contents
            records.append((shown.level, shown.subsystem.text(), shown.text.text()))

        self.records = records
        self.function = ffi.LogFn(take)

    @staticmethod
    def level() -> int:
        """The library's counterpart to how much the logger lets through; 0: nothing."""
        wanted = logger.getEffectiveLevel()
        return max((level for level, number in _LEVELS.items() if number >= wanted), default=0)

    def show(self) -> None:
        while self.records:
            try:
                level, subsystem, text = self.records.popleft()
            except IndexError:  # another thread was faster
                return
            logger.getChild(subsystem).log(_LEVELS.get(level, logging.DEBUG), "%s", text)
