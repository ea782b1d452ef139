"""p2pagents: a peer-to-peer node for agents, that speaks libp2p over QUIC and TCP.

    with p2pagents.Node() as node:
        print(node.call(address, "hello", b"world"))

`Node` blocks; `p2pagents.aio.Node` is awaited; the names are the same. Logs go to the logger
"p2pagents".
"""
from . import aio
from ._memory import Payload
from ._options import Roads
from ._values import (Connection, DialAttempt, DialedPeer, Event, MessageStats, PeerId, PeerInfo, Perf,
                      RateLimit, Request, generate_key, peer_id_of, version)
from .errors import (ApplicationError, CallError, Cancelled, Closed, ConnectError, DeadlineExceeded,
                     DialTimeout, Forked, Gated, IdentityError, InvalidArgument, LimitReached, Malformed,
                     MessageTooLarge, NoAddress, NoSuchMethod, NotFound, P2PError, PeerIdMismatch,
                     ProtocolUnsupported, Refused, StreamError, StreamReset, SystemRefused, Timeout,
                     Unresolved)
from .node import Call, Events, MessageChannel, Node, Stream

__version__ = "0.1.0"
__all__ = [
    "ApplicationError", "Call", "CallError", "Cancelled", "Closed", "ConnectError", "Connection",
    "DeadlineExceeded", "DialAttempt", "DialTimeout", "DialedPeer", "Event", "Events", "Forked", "Gated",
    "IdentityError", "InvalidArgument", "LimitReached", "Malformed", "MessageChannel", "MessageStats", "MessageTooLarge", "NoAddress", "NoSuchMethod",
    "Node", "NotFound", "P2PError", "Payload", "PeerId", "PeerIdMismatch", "PeerInfo", "Perf",
    "ProtocolUnsupported", "RateLimit", "Refused", "Request", "Roads", "Stream", "StreamError", "StreamReset",
    "SystemRefused", "Timeout", "Unresolved", "aio", "generate_key", "peer_id_of", "version",
]
