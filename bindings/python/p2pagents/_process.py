"""No thread of the library outlives the interpreter, and no node survives a fork."""
from __future__ import annotations

import atexit
import os
import weakref
from typing import TYPE_CHECKING

from ._ffi import lib

if TYPE_CHECKING:
    from ._core import Core
    from ._log import Log

nodes: weakref.WeakSet[Core] = weakref.WeakSet()
orphans: list[tuple[int, Log | None]] = []
"""Nodes that could not be freed where they became garbage, and what they may still call."""


def _free_all() -> None:
    for core in list(nodes):
        core.free()
    for node, _ in orphans:
        lib.p2pa_node_free(node)
    orphans.clear()


def _after_fork() -> None:
    for core in list(nodes):
        core.forked = True


atexit.register(_free_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
