"""How a node is opened."""
from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from . import _ffi as ffi
from ._values import utf8
from .errors import InvalidArgument

_CONGESTION = {"cubic": ffi.CONGESTION_CUBIC, "bbr": ffi.CONGESTION_BBR}
_DIAL_PRIVATE = {"same_subnet": ffi.DIAL_PRIVATE_SAME_SUBNET, "all": ffi.DIAL_PRIVATE_ALL,
                 "none": ffi.DIAL_PRIVATE_NONE}
_LIMITS = {name: 256 ** ctypes.sizeof(kind) - 1 for name, kind, *_ in ffi.Limits._fields_[1:]}
"""And the greatest number of each."""
_SECURITY = {("noise", "tls"): ffi.SECURITY_NOISE_TLS, ("tls", "noise"): ffi.SECURITY_TLS_NOISE,
             ("noise",): ffi.SECURITY_NOISE, ("tls",): ffi.SECURITY_TLS}
_WEB_TRUST = {"roots": ffi.WEB_TRUST_ROOTS, "all": ffi.WEB_TRUST_ALL}
_TIMES = ("idle_timeout", "keep_alive", "handshake_timeout", "heartbeat", "grace", "idle_close", "open_timeout")
_COUNTS = ("high_water", "low_water", "connections_kept_per_peer")
_SECONDS_MAX = 24 * 3600  # as the library has it, which sees nothing of what 64 bits do not hold


class Roads(TypedDict, total=False):
    """What else a node can be opened with: over which roads it goes, and how it cares for its connections."""

    security: Sequence[str]
    """Of TCP and WebSocket, the preferred first: "noise", "tls"."""
    network_key: str | bytes
    """The text of a key file (swarm.key): of a private network, over TCP and WebSocket only."""
    proxy: str
    """"http://host:port" or "socks5://host:port": every dial goes through it."""
    web_certificate_file: str | os.PathLike[str]
    """For listeners at /tls/ws: PEM, looked at again every minute; with `web_key_file`."""
    web_key_file: str | os.PathLike[str]
    web_roots_file: str | os.PathLike[str]
    """Whom dials to /tls/ws believe; otherwise the system's."""
    web_trust: str
    """"roots", or "all": everybody, since the peer proves who it is above that."""
    dns_servers: Sequence[str]
    """Who resolves names, "192.0.2.53" or "127.0.0.1:5353"; otherwise the system's."""
    dial_private: str
    """Which private addresses that others told of are dialed, "same_subnet", "all" or "none"."""
    heartbeat: float
    """Seconds of silence after which a near peer is asked whether it lives; 0: never."""
    high_water: int
    """Connections over which the least valuable close; 0: never."""
    low_water: int
    """Until so many are left."""
    grace: float
    """Seconds for which new ones are spared."""
    idle_close: float
    """Seconds after which a connection that nobody uses closes; 0: never."""
    connections_kept_per_peer: int
    """0: all."""
    open_timeout: float
    """Seconds that a stream or a call waits for the peer to take one more."""
    lan_application: str
    """Only nodes that say the same here are heard on the local network."""
    lan_port: int
    """UDP's, the same at all of them."""
    lan_broadcast: bool
    """Over IPv4 to all hosts of a subnet, where multicast does not pass."""


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
    security: Sequence[str] = ("noise", "tls")
    network_key: str | bytes | None = None
    proxy: str | None = None
    web_certificate_file: str | os.PathLike[str] | None = None
    web_key_file: str | os.PathLike[str] | None = None
    web_roots_file: str | os.PathLike[str] | None = None
    web_trust: str = "roots"
    dns_servers: Sequence[str] = ()
    heartbeat: float | None = None
    high_water: int = 0
    low_water: int = 0
    grace: float | None = None
    idle_close: float = 0
    connections_kept_per_peer: int = 1
    open_timeout: float | None = None
    lan_application: str = ""
    lan_port: int = 4010
    lan_broadcast: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.listen, str):
            self.listen = (self.listen,)
        if self.congestion not in _CONGESTION:
            raise InvalidArgument(f"congestion is one of {', '.join(_CONGESTION)}")
        if self.dial_private not in _DIAL_PRIVATE:
            raise InvalidArgument(f"dial_private is one of {', '.join(_DIAL_PRIVATE)}")
        if self.web_trust not in _WEB_TRUST:
            raise InvalidArgument(f"web_trust is one of {', '.join(_WEB_TRUST)}")
        if isinstance(self.security, str):
            self.security = (self.security,)
        if tuple(self.security) not in _SECURITY:
            raise InvalidArgument('security is "noise", "tls", or both in the order of preference')
        if isinstance(self.dns_servers, str):
            self.dns_servers = (self.dns_servers,)
        for name in _COUNTS:
            if not 0 <= operator.index(getattr(self, name)) < ffi.UNLIMITED:
                raise InvalidArgument(f"{name} is from 0 to {ffi.UNLIMITED - 1}")
        if not 0 < operator.index(self.lan_port) < 65536:
            raise InvalidArgument("lan_port is from 1 to 65535")
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
            dial_private=_DIAL_PRIVATE[self.dial_private],
            security=_SECURITY[tuple(self.security)], web_trust=_WEB_TRUST[self.web_trust],
            heartbeat_us=_microseconds(self.heartbeat, zero=-1), grace_us=_microseconds(self.grace, zero=-1),
            idle_close_us=int(self.idle_close * 1e6), high_water=self.high_water, low_water=self.low_water,
            connections_kept_per_peer=self.connections_kept_per_peer or ffi.UNLIMITED,
            open_timeout_us=_microseconds(self.open_timeout), lan_port=self.lan_port,
            lan_broadcast=self.lan_broadcast)
        texts = {"key": self.key, "key_file": _bytes(self.key_file),
                 "listen": utf8("\n".join(self.listen)), "agent_version": _bytes(self.agent_version),
                 "qlog_directory": _bytes(self.qlog_directory),
                 "network_key": utf8(self.network_key) if isinstance(self.network_key, str) else self.network_key,
                 "proxy": _bytes(self.proxy), "web_certificate_file": _bytes(self.web_certificate_file),
                 "web_key_file": _bytes(self.web_key_file), "web_roots_file": _bytes(self.web_roots_file),
                 "dns_servers": utf8("\n".join(self.dns_servers)), "lan_application": utf8(self.lan_application)}
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
