"""The memory of what is sent: shown to C where it lies, and lent to the library while it needs it."""
from __future__ import annotations

import ctypes
import itertools
from ctypes import byref, c_char_p, c_int, c_ssize_t, c_void_p
from typing import TYPE_CHECKING, Any, Union

from . import _ffi as ffi
from ._values import utf8

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._waiting import Pending

    Payload = Union[Buffer, str]
else:
    Payload = Union[bytes, bytearray, memoryview, str]
"""What can be sent: whatever has bytes in it, or text, which travels as UTF-8."""


class _PyBuffer(ctypes.Structure):
    """Py_buffer, which is stable since Python 3.11."""

    _fields_ = [("buf", c_void_p), ("obj", c_void_p), ("len", c_ssize_t), ("itemsize", c_ssize_t),
                ("readonly", c_int), ("ndim", c_int), ("format", c_char_p), ("shape", c_void_p),
                ("strides", c_void_p), ("suboffsets", c_void_p), ("internal", c_void_p)]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = [ctypes.py_object, ctypes.POINTER(_PyBuffer), c_int]
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes, _release_buffer.restype = [ctypes.POINTER(_PyBuffer)], None


class Memory:
    """The bytes of an object. They stay where they are as long as this lives. TypeError: it has none."""

    __slots__ = ("pointer", "size", "readonly", "immutable", "_owner", "_back")

    def __init__(self, data: Payload) -> None:
        if isinstance(data, str):
            data = utf8(data)
        self.pointer: Any  # for a parameter of type c_void_p
        self._back: Pending | None = None
        if isinstance(data, bytes):
            self._owner: Any = data
            self.pointer, self.size, self.readonly, self.immutable = data, len(data), True, True
        else:
            view = memoryview(data)
            copied = not view.c_contiguous
            self._owner = view.tobytes() if copied else view
            self.pointer, self.size = address(self._owner), view.nbytes
            self.readonly = copied or view.readonly
            self.immutable = copied or isinstance(view.obj, bytes)

    def address(self) -> int:
        return address(self._owner) if isinstance(self.pointer, bytes) else int(self.pointer)

    def lend(self, back: Pending) -> tuple[Any, int]:
        """The release function for the library and its ctx; `back` is told when it is called."""
        number = next(_numbers)
        self._back = back
        _lent[number] = self
        return _release, number

    async def back(self) -> None:
        """Until the library needs no longer what its owner might change."""
        if self._back is not None and not self.immutable:
            await self._back

    def given_back(self) -> None:
        if self._back is not None and not self._back.done():
            self._back.set_result(None)


def address(data: Any) -> int:
    """Where the bytes of an object begin; it must be kept from changing its size."""
    buffer = _PyBuffer()
    _get_buffer(data, byref(buffer), 0)
    try:
        return buffer.buf or 0
    finally:
        _release_buffer(byref(buffer))


_lent: dict[int, Memory] = {}
_numbers = itertools.count(1)


def _take_back(number: int) -> None:
    _lent.pop(number).given_back()


_release = ffi.DropFn(_take_back)
