"""Whom a node keeps, values and deals with, and how much it may use: what is said of it while it runs, and done
at once."""
from __future__ import annotations

import abc
import ctypes
from collections.abc import Callable, Sequence
from ctypes import byref
from typing import Any

from . import _ffi as ffi
from ._ffi import lib
from ._values import PeerId, RateLimit, check, choice, counted, peer_name, peer_struct

DIRECTIONS = {"out": ffi.DIRECTION_OUTBOUND, "in": ffi.DIRECTION_INBOUND}


class Care(abc.ABC):
    """A part of Core."""

    @abc.abstractmethod
    def usable(self) -> int:
        """The handle of the open node."""

    @abc.abstractmethod
    async def _known(self, peer: str) -> tuple[Any, PeerId]:
        """The peer for C, after the node was told its address if that is how it was named."""

    # --- connections

    async def keep(self, peer: str) -> None:
        who, name = await self._known(peer)
        check(lib.p2pa_node_keep(self.usable(), who), peer=name)

    async def unkeep(self, peer: str) -> None:
        who, name = await self._known(peer)
        check(lib.p2pa_node_unkeep(self.usable(), who), peer=name)

    async def protect(self, peer: str, tag: str) -> None:
        who, name = await self._known(peer)
        check(lib.p2pa_node_protect(self.usable(), who, *counted(tag)), peer=name)

    async def unprotect(self, peer: str, tag: str) -> bool:
        who, name = await self._known(peer)
        return check(lib.p2pa_node_unprotect(self.usable(), who, *counted(tag)), peer=name) == ffi.NONE

    async def set_value(self, peer: str, tag: str, value: int) -> None:
        who, name = await self._known(peer)
        check(lib.p2pa_node_set_value(self.usable(), who, *counted(tag), value), peer=name)

    async def choose_peer(self, peers: Sequence[str]) -> PeerId:
        for peer in peers:
            await self._known(peer)
        among, chosen = (ffi.Peer * len(peers))(*map(peer_struct, peers)), ffi.Peer()
        check(lib.p2pa_node_choose_peer(self.usable(), among, len(peers), byref(chosen)))
        return peer_name(chosen)

    def rule(self, what: str, rule: str) -> None:
        check(getattr(lib, f"p2pa_node_{what}")(self.usable(), *counted(rule)))

    def allow_only(self, allowed_only: bool) -> None:
        check(lib.p2pa_node_allow_only(self.usable(), allowed_only))

    # --- limits

    def set_rate_limit(self, direction: str, scope: str, bytes_per_second: int, burst_bytes: int) -> None:
        check(lib.p2pa_node_set_rate_limit(self.usable(), *counted(scope), choice("direction", direction, DIRECTIONS),
                                           bytes_per_second, burst_bytes))

    def clear_rate_limit(self, direction: str, scope: str) -> None:
        check(lib.p2pa_node_clear_rate_limit(self.usable(), *counted(scope),
                                             choice("direction", direction, DIRECTIONS)))

    def rate_limit(self, direction: str, scope: str) -> RateLimit | None:
        rate, burst = ctypes.c_uint64(), ctypes.c_uint64()
        status = lib.p2pa_node_rate_limit(self.usable(), *counted(scope), choice("direction", direction, DIRECTIONS),
                                          byref(rate), byref(burst))
        if status == ffi.NOT_FOUND:
            return None
        check(status)
        return RateLimit(rate.value, burst.value)

    def usage(self) -> dict[str, int]:
        usage = ffi.Usage()
        check(lib.p2pa_node_usage(self.usable(), byref(usage)))
        return {name: getattr(usage, name) for name, *_ in usage._fields_ if name != "struct_size"}

    def refusals(self) -> dict[str, int]:
        return self._counted(lib.p2pa_node_limit_refusals, lib.p2pa_limit_name)

    def drops(self) -> dict[str, int]:
        return self._counted(lib.p2pa_node_drops, lib.p2pa_drop_name)

    def _counted(self, count: Callable[..., int], name: Callable[..., bytes]) -> dict[str, int]:
        found: dict[str, int] = {}
        times = ctypes.c_uint64()
        while True:
            status = count(self.usable(), len(found), byref(times))
            if status == ffi.NOT_FOUND:
                return found
            check(status)
            found[name(len(found)).decode()] = times.value
