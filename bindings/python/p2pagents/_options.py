"""How a node is opened."""
from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import _ffi as ffi
from ._values import utf8
from .errors import InvalidArgument

_CONGESTION = {"cubic": ffi.CONGESTION_CUBIC, "bbr": ffi.CONGESTION_BBR}
_DIAL_PRIVATE = {"same_subnet": ffi.DIAL_PRIVATE_SAME_SUBNET, "all": ffi.DIAL_PRIVATE_ALL,
                 "none": ffi.DIAL_PRIVATE_NONE}
_LIMITS = {name: 256 ** ctypes.sizeof(kind) - 1 for name, kind, *_ in ffi.Limits._fields_[1:]}
"""And the greatest number of each."""
_TIMES = ("idle_timeout", "keep_alive", "handshake_timeout")
_SECONDS_MAX = 24 * 3600  # as the library has it, which sees nothing of what 64 bits do not hold


@dataclasses.dataclass
class Options:
    listen: Sequence[str] = ()
    key: bytes | None = None
    key_file: str | os.PathLike[str] | None = None
    agent_version: str | None = None
    limits: Mapping[str, int] | None = None
    idle_timeout: float | None = None
    keep_alive: float | None = None
    handshake_timeout: float | None = None
    congestion: str = "cubic"
    serve_perf: bool = False
    qlog_directory: str | os.PathLike[str] | None = None
    log_level: int | None = None  # the library's; None: by the logger
    dial_private: str = "same_subnet"

    def __post_init__(self) -> None:
        if isinstance(self.listen, str):
            self.listen = (self.listen,)
        if self.congestion not in _CONGESTION:
            raise InvalidArgument(f"congestion is one of {', '.join(_CONGESTION)}")
        if self.dial_private not in _DIAL_PRIVATE:
            raise InvalidArgument(f"dial_private is one of {', '.join(_DIAL_PRIVATE)}")
        unknown = sorted(set(self.limits or ()) - set(_LIMITS))
        if unknown:
            raise InvalidArgument(f"no such limit: {', '.join(unknown)}; "
                                  f"there are {', '.join(sorted(_LIMITS))}")
        for name, bound in (self.limits or {}).items():
            if not 0 <= operator.index(bound) <= _LIMITS[name]:
                raise InvalidArgument(f"the limit {name} is from 0 to {_LIMITS[name]}, not {bound}")
        for name in _TIMES:
            seconds = getattr(self, name)
            if seconds is not None and not 0 <= seconds <= _SECONDS_MAX:
                raise InvalidArgument(f"{name} is from 0 to {_SECONDS_MAX} seconds, not {seconds}")

    @contextlib.contextmanager
    def lent(self, log: Any) -> Iterator[ffi.NodeOptions]:
        """The C struct; what it points to lives as long as the block."""
        options = ffi.NodeOptions(
            serve_perf=self.serve_perf, congestion_control=_CONGESTION[self.congestion],
            idle_timeout_us=_microseconds(self.idle_timeout),
            keep_alive_us=_microseconds(self.keep_alive, zero=-1),
            handshake_timeout_us=_microseconds(self.handshake_timeout),
            dial_private=_DIAL_PRIVATE[self.dial_private])
        texts = {"key": self.key, "key_file": _bytes(self.key_file),
                 "listen": utf8("\n".join(self.listen)), "agent_version": _bytes(self.agent_version),
                 "qlog_directory": _bytes(self.qlog_directory)}
        for name, value in texts.items():
            if value:
                setattr(options, name, value)
                setattr(options, f"{name}_size", len(value))
        limits = ffi.Limits(**(self.limits or {}))
        options.limits = ctypes.pointer(limits)
        if log is not None:
            options.log, options.log_level = log, self.log_level
        yield options
        del limits, texts


def _microseconds(seconds: float | None, zero: int = 1) -> int:
    """For C, where 0 means the default."""
    return 0 if seconds is None else int(seconds * 1e6) or zero


def _bytes(text: str | os.PathLike[str] | None) -> bytes | None:
    return None if text is None else os.fsencode(text)
