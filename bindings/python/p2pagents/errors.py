"""What can go wrong, as a tree. Each error has `code` (a P2PA_E_* number), `name` (its symbol),
`detail` (the number that belongs to it) and `peer` (whose doing it was, if anybody's)."""
from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Union

from ._ffi import lib

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ._values import DialAttempt, PeerId

    Data = Union[Buffer, str]


class P2PError(Exception):
    """Whatever this package raises about the network, the node or the library."""

    default_code = -2
    attempts: tuple[DialAttempt, ...] = ()
    """Of a dial that failed: what became of each address."""

    def __init__(self, text: str = "", *, code: int | None = None, detail: int = 0,
                 peer: PeerId | None = None) -> None:
        self.code = self.default_code if code is None else code
        self.detail = detail
        self.peer = peer
        self.text = text or lib.p2pa_status_text(self.code).decode()
        super().__init__(self.text)

    @property
    def name(self) -> str:
        """The symbol of the code, "peer_id_mismatch"."""
        symbol: bytes = lib.p2pa_status_name(self.code)
        return symbol.decode()

    def __str__(self) -> str:
        about = f", {self.detail}" if self.detail else ""
        by = f" ({self.peer})" if self.peer else ""
        return f"{self.text}{by} [{self.name}{about}]"


class InvalidArgument(P2PError, ValueError):
    """An argument can never work."""

    default_code = -1


class Malformed(InvalidArgument):
    """A text or bytes that are not what they should be."""

    default_code = -11


class NotFound(P2PError, LookupError):
    """There is no such thing."""

    default_code = -3


class Timeout(P2PError, TimeoutError):
    """Time is up."""

    default_code = -4


class Cancelled(P2PError):
    """It was given up, by this end or the other."""

    default_code = -5


class Closed(P2PError):
    """The node is closed."""

    default_code = -13


class Forked(P2PError):
    """The node belongs to the process that opened it. Open another one after the fork."""


class SystemRefused(P2PError, OSError):
    """The operating system refused; `errno` says why, as does `detail`."""

    default_code = -10

    def __init__(self, text: str = "", *, code: int | None = None, detail: int = 0,
                 peer: PeerId | None = None) -> None:
        super().__init__(text, code=code, detail=detail, peer=peer)
        self.errno = detail or None


class ConnectError(P2PError, ConnectionError):
    """There is no connection to the peer: it could not be made, or was lost."""

    default_code = -104


class DialTimeout(ConnectError, TimeoutError):
    """No address of the peer answered in time."""

    default_code = -100


class NoAddress(ConnectError):
    """No address of the peer is known."""

    default_code = -101


class Unresolved(ConnectError):
    """The name in an address stands for no address."""

    default_code = -108


class PeerIdMismatch(ConnectError):
    """Another peer answered than the one that was asked for."""

    default_code = -102


class Refused(ConnectError, ConnectionRefusedError):
    """The peer refused."""

    default_code = -106


class Gated(ConnectError, PermissionError):
    """A rule of this node forbids it."""

    default_code = -110


class StreamError(P2PError):
    """A stream or a call ended early, or cannot be used so."""

    default_code = -203


class StreamReset(StreamError, ConnectionResetError):
    """The peer aborted the stream; `detail` is its code."""

    default_code = -200


class ProtocolUnsupported(StreamError):
    """The peer does not speak this protocol."""

    default_code = -201


class MessageTooLarge(StreamError, ValueError):
    """A message is over the bound, which is `detail`."""

    default_code = -204


class CallError(P2PError):
    """A call was not answered as it should be."""

    default_code = -303


class ApplicationError(CallError):
    """The method's own error. Raise it in a method to answer with it; the caller gets it raised.

    application_code: 32 bits with a sign. data: bytes, or text, which travels as UTF-8.
    """

    default_code = -300

    def __init__(self, text: str = "", application_code: int = 0, data: Data = b"", *,
                 peer: PeerId | None = None) -> None:
        if not isinstance(text, str):
            raise TypeError(f"the text of an error is a str, not {type(text).__name__}")
        super().__init__(text, peer=peer)
        self.text = text
        self.application_code = operator.index(application_code)
        if not -2**31 <= self.application_code < 2**31:
            raise InvalidArgument(f"application_code has 32 bits: {application_code}")
        self.data = data.encode() if isinstance(data, str) else bytes(memoryview(data))


class NoSuchMethod(CallError, LookupError):
    """The peer does not serve this method."""

    default_code = -301


class DeadlineExceeded(CallError, TimeoutError):
    """The call's deadline passed."""

    default_code = -302


class IdentityError(P2PError):
    """A key, a key file, a signature or a certificate is wrong."""

    default_code = -400


class LimitReached(P2PError):
    """A bound refused it; `detail` is the bound."""

    default_code = -507


_EXACT: dict[int, type[P2PError]] = {kind.default_code: kind for kind in (
    InvalidArgument, Malformed, NotFound, Timeout, Cancelled, Closed, SystemRefused, DialTimeout,
    NoAddress, Unresolved, PeerIdMismatch, Refused, Gated, StreamReset, ProtocolUnsupported,
    MessageTooLarge, NoSuchMethod, DeadlineExceeded)}
_RANGES: dict[int, type[P2PError]] = {
    1: ConnectError, 2: StreamError, 3: CallError, 4: IdentityError, 5: LimitReached}


def error_of(code: int, text: str = "", detail: int = 0, peer: PeerId | None = None) -> P2PError:
    """The exception that stands for a negative status."""
    kind = _EXACT.get(code) or _RANGES.get(-code // 100, P2PError)
    return kind(text, code=code, detail=detail, peer=peer)
