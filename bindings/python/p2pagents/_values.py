"""Values that both faces speak of."""
from __future__ import annotations

import ctypes
import dataclasses
import functools
from typing import TYPE_CHECKING, NamedTuple

from . import _ffi as ffi
from ._ffi import lib
from .errors import InvalidArgument, P2PError, error_of

if TYPE_CHECKING:
    from typing_extensions import Buffer


_PRIORITIES = {"control": ffi.PRIORITY_CONTROL, "interactive": ffi.PRIORITY_INTERACTIVE, "bulk": ffi.PRIORITY_BULK}


class PeerId(str):
    """Who a peer is: the hash of its public key, as text. Everywhere a plain str will do as well."""

    __slots__ = ()


class Request(bytes):
    """The bytes of a request, and where they come from."""

    peer: PeerId
    """Who asks."""
    method: str
    """What for."""
    time_left: float | None
    """The seconds in which the caller wants its answer, from when it came; None: no deadline."""
    cancelled: bool
    """The caller has given up: whatever is answered, nobody reads it."""

    def __new__(cls, data: Buffer, peer: PeerId, method: str, time_left: float | None) -> Request:
        request = super().__new__(cls, data)
        request.peer, request.method, request.time_left = peer, method, time_left
        request.cancelled = False
        return request

    def __getnewargs__(self) -> tuple[bytes, PeerId, str, float | None]:  # type: ignore[override]
        """For copies and pickles."""
        return bytes(self), self.peer, self.method, self.time_left


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened at a node, as p2pagents.h describes it by the same name."""

    kind: str
    """"listening", "listen_failed", "connected", "disconnected", "identified", "path_changed",
    "datagram", "message", "session_message", "refused", "lan_message"."""
    peer: PeerId | None
    address: str
    """Of "listening", "listen_failed", "connected", "path_changed" and "refused"."""
    connection: int
    data: bytes
    """Of "datagram", "message", "session_message" and "lan_message"."""
    error: P2PError | None
    """Why, of "listen_failed", "disconnected" and "refused"."""
    last: bool
    """"disconnected": it was the last connection to this peer."""
    delivery: str = ""
    """Of "session_message": "unreliable", "sequenced", "reliable" or "ordered"."""
    channel: int = 0
    """Of "session_message"."""
    count: int = 0
    """Of "refused": so many were refused for this since the last such event; this is the newest."""
    topic: str = ""
    """Of "lan_message", whose peer is who signed it."""


class RateLimit(NamedTuple):
    """How many bytes may move."""

    bytes_per_second: int
    burst_bytes: int
    """At once after a pause; 0: what moves in 50 ms, and 16 KiB at least."""


class DialAttempt(NamedTuple):
    """One address of a dial; times in seconds."""

    address: str
    stage: str
    """How far it got: "connected", "resolving", "connecting", "securing", "muxing"; or why it was not tried:
    "skipped: back-off" and others, as p2pa_dial_stage_name has them."""
    started: float
    """Since the dial began."""
    took: float
    error: P2PError | None
    """None: this one won."""


class DialedPeer(PeerId):
    """Whom a dial reached, and how."""

    __slots__ = ("attempts",)
    attempts: tuple[DialAttempt, ...]
    """In the order in which they began; none when it was connected already."""

    def __new__(cls, peer: str, attempts: tuple[DialAttempt, ...] = ()) -> DialedPeer:
        dialed = super().__new__(cls, peer)
        dialed.attempts = attempts
        return dialed

    def __getnewargs__(self) -> tuple[str, tuple[DialAttempt, ...]]:  # type: ignore[override]
        """For copies and pickles."""
        return str(self), self.attempts


class PeerInfo(NamedTuple):
    """What a peer said of itself."""

    agent_version: str
    protocol_version: str
    protocols: list[str]
    addresses: list[str]
    observed_address: str


class Connection(NamedTuple):
    """A connection and what it has done so far."""

    peer: PeerId
    address: str
    outbound: bool
    rtt: float
    """Seconds."""
    bytes_sent: int
    bytes_received: int
    packets_sent: int
    packets_received: int
    streams: int
    number: int
    jitter: float
    """Mean deviation of the round trip, seconds."""
    age: float
    """Seconds."""
    loss: float
    """Share of our packets that had to be repeated, of late; TCP does not tell."""
    throughput: float
    """Bytes per second of late, both directions together."""
    score: float
    """1 is perfect; 0.5 is what an exchange of 100 ms has."""


class MessageStats(NamedTuple):
    """What a channel of messages has done since it was opened."""

    messages: int
    packets: int
    """That they were cut into."""
    repairs: int
    """Packets more."""
    size_max: int
    """Of one message, bytes."""
    loss: float
    """Of packets, as the other end sees it of late, 0 to 1."""
    burst: float
    """Packets lost in a row, the mean."""


class Perf(NamedTuple):
    """What p2pagents.Node.perf measured; times in seconds."""

    bytes_up: int
    bytes_down: int
    upload: float
    download: float


def check(status: int, peer: PeerId | None = None, info: ffi.ErrorInfo | None = None) -> int:
    """Raises what a negative status stands for."""
    if status >= 0:
        return status
    if info is not None and info.code == status:
        raise error_of(status, info.text.decode("utf-8", "replace"), info.detail, peer)
    raise error_of(status, peer=peer)


def choice(what: str, given: str, choices: dict[str, int]) -> int:
    """The library's number for a word."""
    if given not in choices:
        raise InvalidArgument(f"{what} is one of {', '.join(choices)}")
    return choices[given]


def priority_of(name: str) -> int:
    """The library's number for a class."""
    return choice("priority", name, _PRIORITIES)


def utf8(text: str) -> bytes:
    """How text travels."""
    try:
        return text.encode()
    except UnicodeEncodeError as why:
        raise InvalidArgument(f"no UTF-8 can be made of {text!r}") from why


def counted(text: str) -> tuple[bytes, int]:
    """A text for C, and its size."""
    encoded = utf8(text)
    return encoded, len(encoded)


@functools.lru_cache(4096)
def peer_struct(text: str) -> ffi.Peer:
    """The peer that a peer id or an address names."""
    peer, encoded = ffi.Peer(), utf8(text)
    parse = lib.p2pa_address_peer if text.startswith("/") else lib.p2pa_peer_parse
    status = parse(encoded, len(encoded), ctypes.byref(peer))
    if status == ffi.NOT_FOUND:
        raise error_of(-1, f"the address names no peer: {text}")
    if status < 0:
        raise error_of(status, f"neither a peer id nor an address: {text!r}")
    return peer


def peer_name(peer: ffi.Peer) -> PeerId:
    return _peer_text(bytes(peer))


def peer_id(peer: ffi.Peer) -> PeerId | None:
    """None: nobody."""
    return peer_name(peer) if peer.size else None


@functools.lru_cache(4096)
def _peer_text(raw: bytes) -> PeerId:
    buffer, size = ctypes.create_string_buffer(64), ctypes.c_size_t(64)
    check(lib.p2pa_peer_text(ctypes.byref(ffi.Peer.from_buffer_copy(raw)), buffer, ctypes.byref(size)))
    return PeerId(buffer.value.decode())


def dial_attempts(event: ffi.Event) -> tuple[DialAttempt, ...]:
    """What became of the addresses of a dial that has ended."""
    attempts: list[DialAttempt] = []
    told = ffi.DialAttempt()
    while lib.p2pa_event_dial_attempt(ctypes.byref(event), len(attempts), ctypes.byref(told)) == ffi.OK:
        stage: bytes = lib.p2pa_dial_stage_name(told.stage)
        error = error_of(told.status, told.text.text(), told.detail) if told.status < 0 else None
        attempts.append(DialAttempt(told.address.text(), stage.decode(), told.started_ns / 1e9,
                                    told.took_ns / 1e9, error))
    return tuple(attempts)


def generate_key() -> bytes:
    """A fresh private key, for Node(key=...). Keep it secret."""
    buffer, size = ctypes.create_string_buffer(128), ctypes.c_size_t(128)
    check(lib.p2pa_key_generate(buffer, ctypes.byref(size)))
    return buffer.raw[:size.value]


def peer_id_of(key: bytes) -> PeerId:
    """The peer id that belongs to a private key."""
    peer = ffi.Peer()
    check(lib.p2pa_key_peer(key, len(key), ctypes.byref(peer)))
    return _peer_text(bytes(peer))


def version() -> str:
    """The version of the library that is loaded."""
    text: bytes = lib.p2pa_version()
    return text.decode()
