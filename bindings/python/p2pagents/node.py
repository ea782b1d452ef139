"""The blocking face. What its node serves runs in `Node.run`, or in the workers."""
from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from ._blocking import LOOK_UP_SECONDS, Engine
from ._channel import CallChannel, StreamChannel
from ._events import Subscription
from ._memory import Payload
from ._messages import MessageSender
from ._options import Options, Roads
from ._values import Connection, DialedPeer, Event, MessageStats, PeerId, PeerInfo, Perf, RateLimit, Request
from .errors import NotFound

if TYPE_CHECKING:
    from typing_extensions import Buffer

Unary = Callable[[Request], "Payload | None"]
"""A method that is given a request and returns its answer."""
U = TypeVar("U", bound=Unary)
C = TypeVar("C", bound="Callable[[Call], object]")
S = TypeVar("S", bound="Callable[[Stream], object]")


class Node:
    """A peer-to-peer node: one identity, its connections, what it serves and what it asks of others.

    Wherever a peer is named, its peer id will do, or an address that ends in /p2p/<peer id>. All
    methods may be called from any thread.
    """

    def __init__(self, listen: str | Sequence[str] = (), *,
                 methods: Mapping[str, Unary] | None = None, workers: int = 0,
                 key: bytes | None = None, key_file: str | os.PathLike[str] | None = None,
                 agent_version: str | None = None, limits: Mapping[str, int] | None = None,
                 idle_timeout: float | None = None, keep_alive: float | None = None,
                 handshake_timeout: float | None = None, congestion: str = "cubic",
                 serve_perf: bool = False,
                 qlog_directory: str | os.PathLike[str] | None = None,
                 **roads: Unpack[Roads]) -> None:
        """Opens a node, which listens when this returns.

        listen: multiaddrs, "/ip4/0.0.0.0/udp/4001/quic-v1". methods: what to serve from the first
        moment on, as `serve` does. workers: threads that serve, besides `run`. key: a private key;
        key_file: where it is read from, or created; neither: a fresh one. limits: bounds by their
        names in p2pagents.h. Times are in seconds, None is the library's default; keep_alive=0:
        none. What else there is stands in `Roads`.
        """
        self._engine = Engine(Options(
            listen, key, key_file, agent_version, limits, idle_timeout, keep_alive,
            handshake_timeout, congestion, serve_perf, qlog_directory, **roads), _shown)
        for method, handler in (methods or {}).items():
            self._engine.serve(method, handler, False)
        self._engine.drive(self._engine.open())
        self._peer_id = self._engine.peer_id()
        self._engine.start_workers(workers)

    # --- its life

    def close(self) -> None:
        """Ends calls and connections in good order. Closing twice is fine."""
        if self._engine.forked:
            return
        self._engine.drive(self._engine.close())
        self._engine.show_log()
        for worker in self._engine.workers:
            if worker is not threading.current_thread():
                worker.join(LOOK_UP_SECONDS * 20)

    def run(self, seconds: float | None = None) -> None:
        """Runs what is served, until the time is up, the node is closed, or Ctrl-C is pressed."""
        self._engine.usable()
        end = None if seconds is None else time.monotonic() + seconds
        try:
            while self._engine.serve_one(end):
                pass
        except KeyboardInterrupt:
            pass

    def __enter__(self) -> Node:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        engine = getattr(self, "_engine", None)
        if engine is not None:
            engine.discarded(self)

    def __repr__(self) -> str:
        return f"<p2pagents.Node {getattr(self, '_peer_id', 'unopened')}>"

    # --- who and where

    @property
    def peer_id(self) -> PeerId:
        """Who this node is."""
        return self._peer_id

    @property
    def addresses(self) -> list[str]:
        """Where it listens, with its peer id: what others may dial."""
        return self._engine.addresses()

    @property
    def address(self) -> str:
        """The first of the addresses. LookupError: it does not listen."""
        for address in self.addresses:
            return address
        raise NotFound("this node does not listen")

    def listen(self, address: str) -> None:
        """Listens at one more address."""
        self._engine.drive(self._engine.listen(address))

    def add_address(self, peer: str, address: str) -> None:
        """Remembers where a peer may be found."""
        self._engine.drive(self._engine.add_address(peer, address))

    def dial(self, peer: str) -> DialedPeer:
        """Connects to a peer, if that is not so already, and says who it is; `attempts` of the answer, or of
        the error, has what became of each address."""
        return self._engine.drive(self._engine.dial(peer))

    def disconnect(self, peer: str) -> None:
        """Closes every connection to a peer."""
        self._engine.drive(self._engine.disconnect(peer))

    def keep(self, peer: str) -> None:
        """Stays connected to a peer: dials it now, and again whenever it is lost."""
        self._engine.drive(self._engine.keep(peer))

    def unkeep(self, peer: str) -> None:
        """The connection stays, but is dialed no more. LookupError: it was not kept."""
        self._engine.drive(self._engine.unkeep(peer))

    def protect(self, peer: str, tag: str) -> None:
        """A peer with any such tag is neither closed over high_water nor for idleness."""
        self._engine.drive(self._engine.protect(peer, tag))

    def unprotect(self, peer: str, tag: str) -> bool:
        """Takes a tag back. True: another one protects the peer still."""
        return self._engine.drive(self._engine.unprotect(peer, tag))

    def set_value(self, peer: str, tag: str, value: int) -> None:
        """What the peer is worth to whom names the tag: those with the least sum close first. 0 takes it back."""
        self._engine.drive(self._engine.set_value(peer, tag, value))

    def choose_peer(self, peers: Sequence[str]) -> PeerId:
        """Of peers that offer the same the one to ask next, by quality and load of their connections."""
        return self._engine.drive(self._engine.choose_peer(peers))

    def deny(self, rule: str) -> None:
        """Whom or what the rule names passes no more: a peer id, an IP address or range, or a protocol id."""
        self._engine.rule("deny", rule)

    def allow(self, rule: str) -> None:
        """Whom the rule names may pass when only that may; see `allow_only`."""
        self._engine.rule("allow", rule)

    def forget_rule(self, rule: str) -> None:
        """Takes back `deny` and `allow`. LookupError: neither was said."""
        self._engine.rule("forget_rule", rule)

    def allow_only(self, allowed_only: bool = True) -> None:
        """From now on a connection passes only when `allow` named its peer or its address."""
        self._engine.allow_only(allowed_only)

    def connections(self) -> list[Connection]:
        """The connections there are now, with their numbers."""
        return self._engine.connections()

    def peer_info(self, peer: str) -> PeerInfo:
        """What a peer said of itself. LookupError: nothing yet; see the event "identified"."""
        return self._engine.peer_info(peer)

    def usage(self) -> dict[str, int]:
        """What is in use now of what the bounds bound; memory and event_bytes are bytes."""
        return self._engine.usage()

    def refusals(self) -> dict[str, int]:
        """How often each bound has refused something."""
        return self._engine.refusals()

    def drops(self) -> dict[str, int]:
        """How much of what others sent came to nothing, by reason; see p2pagents/drops.hpp."""
        return self._engine.drops()

    def ping(self, peer: str) -> float:
        """The seconds of one round trip."""
        return self._engine.drive(self._engine.ping(peer))

    def perf(self, peer: str, upload: int, download: int) -> Perf:
        """Sends and then receives so many bytes."""
        return self._engine.drive(self._engine.perf(peer, upload, download))

    def events(self, *kinds: str) -> Events:
        """What happens from now on; all kinds when none is named."""
        return Events(self._engine, self._engine.exclusively(Subscription, self._engine, kinds))

    # --- asking

    def call(self, peer: str, method: str, data: Payload = b"", *, timeout: float | None = 30.0,
             replay_safe: bool = False, priority: str = "interactive", compress: bool = False) -> bytes:
        """Calls a method of a peer and returns its answer. The timeout travels with the call.
        replay_safe: it may be executed twice without harm, so may travel before the handshake ends.
        priority: "control", "interactive" or "bulk". compress: messages go smaller where that helps; not for
        secrets beside what a stranger may choose, since the size tells of the content.

        ApplicationError: the method's own. DeadlineExceeded, NoSuchMethod, ConnectError...
        """
        return self._engine.drive(self._engine.call(peer, method, data, timeout, replay_safe, priority, compress))

    def notify(self, peer: str, method: str, data: Payload = b"") -> None:
        """Sends a message that has no answer."""
        self._engine.drive(self._engine.notify(peer, method, data))

    def open_call(self, peer: str, method: str, *, timeout: float | None = 30.0,
                  priority: str = "interactive", compress: bool = False) -> Call:
        """Opens a call in which both ends send any number of messages."""
        return Call(self._engine, self._engine.drive(self._engine.open_call(peer, method, timeout, priority, compress)))

    def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a raw stream of a protocol of one's own, "/my-game/1"."""
        return Stream(self._engine, self._engine.drive(self._engine.open_stream(peer, protocol)))

    def open_channel(self, peer: str, *, deadline: float = 0.0, repair: float = 0.25) -> MessageChannel:
        """Opens a channel of messages that may be lost, in no order; at the other end each is an event "message".
        deadline: the seconds that a message is of use, 0: a round trip. repair: how much may be sent beside to
        make losses good, 0: nothing."""
        return MessageChannel(self._engine, self._engine.drive(self._engine.open_channel(peer, deadline, repair)))

    def send_datagram(self, peer: str, data: Payload) -> None:
        """Sends to a connected peer what may be lost; 1,000 bytes always fit."""
        self._engine.drive(self._engine.send_datagram(peer, data))

    def send_session_message(self, peer: str, data: Payload, *, delivery: str = "unreliable", channel: int = 0,
                             priority: int = 0, lifetime: float | None = None, correction: bool = False) -> None:
        """Sends to a peer that is connected over a session ("/udp/<port>/p2pa-udp"); there it is an event
        "session_message". delivery: "unreliable", "sequenced" (the newest of its channel wins), "reliable" or
        "ordered". priority: higher goes first. lifetime: the seconds after which it is sent no more.
        correction: what is lost is repaired from packets sent beside; "reliable" and "ordered" need a lifetime
        for it."""
        self._engine.drive(self._engine.send_session_message(peer, data, delivery, channel, priority, lifetime,
                                                             correction))

    # --- the local network

    def join_lan(self, topic: str) -> None:
        """Hears what others on the local network send on a topic, each an event "lan_message"."""
        self._engine.topic("join", topic)

    def leave_lan(self, topic: str) -> None:
        """LookupError: it was not joined."""
        self._engine.topic("leave", topic)

    def send_lan(self, topic: str, data: Payload) -> None:
        """Sends at most 960 bytes, signed, to all on the local network that joined the topic; they may be lost. At most
        200 a second, and at once."""
        self._engine.send_lan(topic, data)

    def lan_drops(self) -> dict[str, int]:
        """How much of what came from the local network was dropped, by reason."""
        return self._engine.lan_drops()

    # --- how fast

    def set_rate_limit(self, direction: str, bytes_per_second: int, burst_bytes: int = 0, *, scope: str = "") -> None:
        """Limits what moves "in" or "out" from now on: of a peer, of a protocol ("/my-game/1"), or of the node."""
        self._engine.set_rate_limit(direction, scope, bytes_per_second, burst_bytes)

    def clear_rate_limit(self, direction: str, *, scope: str = "") -> None:
        """Takes a limit back. LookupError: none was set."""
        self._engine.clear_rate_limit(direction, scope)

    def rate_limit(self, direction: str, *, scope: str = "") -> RateLimit | None:
        """The limit that is set."""
        return self._engine.rate_limit(direction, scope)

    # --- serving

    @overload
    def serve(self, method: U, /) -> U: ...
    @overload
    def serve(self, method: str, /, *, streaming: Literal[False] = False) -> Callable[[U], U]: ...
    @overload
    def serve(self, method: str, /, *, streaming: Literal[True]) -> Callable[[C], C]: ...

    def serve(self, method: Any, /, *, streaming: bool = False) -> Any:
        """Serves a method, a decorator: `@node.serve`, `@node.serve("name")`.

        The function is given the Request, which is bytes, and returns the answer: bytes, or a str,
        or None. An ApplicationError that it raises is its answer too. With streaming=True it is
        given a Call instead, and what it returns is not looked at.
        """
        if callable(method):
            self._engine.exclusively(self._engine.serve, method.__name__, method, False)
            return method

        def decorate(handler: Any) -> Any:
            self._engine.exclusively(self._engine.serve, method, handler, streaming)
            return handler

        return decorate

    def stop_serving(self, method: str) -> None:
        """Serves a method no more."""
        self._engine.exclusively(self._engine.stop_serving, method)

    def handle(self, protocol: str, /) -> Callable[[S], S]:
        """Accepts raw streams of a protocol, a decorator. The function is given each Stream."""
        def decorate(handler: S) -> S:
            self._engine.exclusively(self._engine.handle, protocol, handler)
            return handler

        return decorate


class Call:
    """A call in which both ends send any number of messages. Iterate over it for those that come.

    Leaving its `with` block gives the call up, unless it has ended.
    """

    def __init__(self, engine: Engine, channel: CallChannel) -> None:
        self._engine, self._channel = engine, channel

    @property
    def peer(self) -> PeerId:
        """The other end."""
        return self._channel.peer

    @property
    def method(self) -> str:
        """What is called."""
        return self._channel.name

    @property
    def time_left(self) -> float | None:
        """Of a call that is served: the seconds it had when it came; None: no deadline."""
        return self._channel.time_left

    def send(self, data: Payload) -> None:
        """Sends one message; waits while the other end is slower."""
        self._engine.drive(self._channel.send(data))

    def receive(self) -> bytes | None:
        """The next message; None: the other end has finished."""
        return self._engine.drive(self._channel.receive())

    def set_priority(self, priority: str) -> None:
        """How urgent what this end sends is from now on: "control", "interactive" or "bulk"."""
        self._engine.exclusively(self._channel.set_priority, priority)

    def finish(self) -> None:
        """No more messages from this end."""
        self._engine.drive(self._channel.finish())

    def cancel(self) -> None:
        """Gives the call up."""
        self._engine.exclusively(self._channel.give_up)

    def __iter__(self) -> Iterator[bytes]:
        while (message := self.receive()) is not None:
            yield message

    def __enter__(self) -> Call:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._engine.exclusively(self._channel.give_up)


class Stream:
    """Bytes in both directions. Iterate over it for what comes.

    Leaving its `with` block finishes it, or resets it when an exception leaves.
    """

    def __init__(self, engine: Engine, channel: StreamChannel) -> None:
        self._engine, self._channel = engine, channel

    @property
    def peer(self) -> PeerId:
        """The other end."""
        return self._channel.peer

    @property
    def protocol(self) -> str:
        """What is spoken."""
        return self._channel.name

    def write(self, data: Payload) -> None:
        """Sends bytes; waits while the other end is slower."""
        self._engine.drive(self._channel.send(data))

    def read(self) -> bytes:
        """The bytes that come next, as many as there are; b"": the other end has finished."""
        return self._engine.drive(self._channel.receive()) or b""

    def readinto(self, buffer: Buffer) -> int:
        """Writes the bytes that come next into a buffer, as many as there are and fit; returns how
        many, 0: the other end has finished."""
        return self._engine.drive(self._channel.receive_into(buffer))

    def set_priority(self, priority: str) -> None:
        """How urgent what this end sends is from now on: "control", "interactive" or "bulk"."""
        self._engine.exclusively(self._channel.set_priority, priority)

    def finish(self) -> None:
        """No more bytes from this end."""
        self._engine.drive(self._channel.finish())

    def reset(self, code: int = 0) -> None:
        """Aborts both directions with a code of the application's."""
        self._engine.exclusively(self._channel.give_up, code)

    def __iter__(self) -> Iterator[bytes]:
        while data := self.read():
            yield data

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error is not None:
            self._engine.exclusively(self._channel.give_up)
            return
        self._engine.exclusively(self._channel.discard)
        self._engine.drive(self._channel.finish_quietly())


class MessageChannel:
    """The sending end of a channel of messages that may be lost. Leaving its `with` block closes it."""

    def __init__(self, engine: Engine, sender: MessageSender) -> None:
        self._engine, self._sender = engine, sender

    @property
    def peer(self) -> PeerId:
        """The other end."""
        return self._sender.peer

    def send(self, data: Payload) -> None:
        """Sends one message, lost when the path carries no more."""
        self._engine.drive(self._sender.send(data))

    def stats(self) -> MessageStats:
        """What it has done so far."""
        return self._sender.stats()

    def close(self) -> None:
        """Ends the channel after what was sent. Closing twice is fine."""
        self._sender.close()

    def __enter__(self) -> MessageChannel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


class Events:
    """What happens at a node, to iterate over; ends when the node closes."""

    def __init__(self, engine: Engine, subscription: Subscription) -> None:
        self._engine, self._subscription = engine, subscription

    @property
    def dropped(self) -> int:
        """At least so many were lost because nobody took them in time."""
        return self._subscription.dropped

    def close(self) -> None:
        """Wants no more."""
        self._engine.exclusively(self._subscription.end)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        event = self._engine.drive(self._subscription.next())
        if event is None:
            raise StopIteration
        return event

    def __enter__(self) -> Events:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def _shown(engine: Engine, channel: CallChannel | StreamChannel) -> Call | Stream:
    return Call(engine, channel) if isinstance(channel, CallChannel) else Stream(engine, channel)
