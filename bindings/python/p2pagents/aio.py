"""The asyncio face: the same names as p2pagents.Node, awaited.

There is no thread: the node's descriptor and its next deadline are watched by the event loop, and
everything, also what is served, runs there. A task that is cancelled cancels what it waited for; a
method whose caller has gone is cancelled.
"""
from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

from ._asyncio import Engine
from ._channel import CallChannel, StreamChannel
from ._events import Subscription
from ._memory import Payload
from ._messages import MessageSender
from ._options import Options, Roads
from ._values import Connection, DialedPeer, Event, MessageStats, PeerId, PeerInfo, Perf, RateLimit, Request
from .errors import NotFound

if TYPE_CHECKING:
    from typing_extensions import Buffer

Unary = Callable[[Request], "Payload | Awaitable[Payload | None] | None"]
"""A method that is given a request and returns its answer."""
U = TypeVar("U", bound=Unary)
C = TypeVar("C", bound="Callable[[Call], object]")
S = TypeVar("S", bound="Callable[[Stream], object]")


class Node:
    """A peer-to-peer node: one identity, its connections, what it serves and what it asks of others.

    Wherever a peer is named, its peer id will do, or an address that ends in /p2p/<peer id>. Belongs
    to the event loop in which it was opened.
    """

    def __init__(self, listen: str | Sequence[str] = (), *,
                 methods: Mapping[str, Unary] | None = None,
                 key: bytes | None = None, key_file: str | os.PathLike[str] | None = None,
                 agent_version: str | None = None, limits: Mapping[str, int] | None = None,
                 idle_timeout: float | None = None, keep_alive: float | None = None,
                 handshake_timeout: float | None = None, congestion: str = "cubic",
                 serve_perf: bool = False,
                 qlog_directory: str | os.PathLike[str] | None = None,
                 **roads: Unpack[Roads]) -> None:
        """Describes a node; `async with` opens it, or `await`.

        listen: multiaddrs, "/ip4/0.0.0.0/udp/4001/quic-v1". methods: what to serve from the first
        moment on, as `serve` does. key: a private key; key_file: where it is read from, or
        created; neither: a fresh one. limits: bounds by their names in p2pagents.h. Times are in
        seconds, None is the library's default; keep_alive=0: none. What else there is stands in
        `Roads`.
        """
        self._engine = Engine(Options(
            listen, key, key_file, agent_version, limits, idle_timeout, keep_alive,
            handshake_timeout, congestion, serve_perf, qlog_directory, **roads), _shown)
        for method, handler in (methods or {}).items():
            self._engine.serve(method, handler, False)

    # --- its life

    async def open(self) -> Node:
        """Opens the node, which listens when this returns. `async with` and `await` do it too."""
        await self._engine.open()
        return self

    async def close(self) -> None:
        """Ends calls and connections in good order. Closing twice is fine."""
        await self._engine.close()
        await self._engine.end_tasks()
        self._engine.show_log()

    async def run(self, seconds: float | None = None) -> None:
        """Waits until the time is up or the node is closed. What is served runs anyway."""
        self._engine.usable()
        await self._engine.until_closed(seconds)

    def __await__(self) -> Generator[Any, None, Node]:
        return self.open().__await__()

    async def __aenter__(self) -> Node:
        return await self.open()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    def __del__(self) -> None:
        engine = getattr(self, "_engine", None)
        if engine is not None:
            engine.discarded(self)

    def __repr__(self) -> str:
        return f"<p2pagents.aio.Node {self._engine.peer_id() if self._engine.node else 'not open'}>"

    # --- who and where

    @property
    def peer_id(self) -> PeerId:
        """Who this node is."""
        return self._engine.peer_id()

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

    async def listen(self, address: str) -> None:
        """Listens at one more address."""
        await self._engine.listen(address)

    async def add_address(self, peer: str, address: str) -> None:
        """Remembers where a peer may be found."""
        await self._engine.add_address(peer, address)

    async def dial(self, peer: str) -> DialedPeer:
        """Connects to a peer, if that is not so already, and says who it is; `attempts` of the answer, or of
        the error, has what became of each address."""
        return await self._engine.dial(peer)

    async def disconnect(self, peer: str) -> None:
        """Closes every connection to a peer."""
        await self._engine.disconnect(peer)

    async def keep(self, peer: str) -> None:
        """Stays connected to a peer: dials it now, and again whenever it is lost."""
        await self._engine.keep(peer)

    async def unkeep(self, peer: str) -> None:
        """The connection stays, but is dialed no more. LookupError: it was not kept."""
        await self._engine.unkeep(peer)

    async def protect(self, peer: str, tag: str) -> None:
        """A peer with any such tag is neither closed over high_water nor for idleness."""
        await self._engine.protect(peer, tag)

    async def unprotect(self, peer: str, tag: str) -> bool:
        """Takes a tag back. True: another one protects the peer still."""
        return await self._engine.unprotect(peer, tag)

    async def set_value(self, peer: str, tag: str, value: int) -> None:
        """What the peer is worth to whom names the tag: those with the least sum close first. 0 takes it back."""
        await self._engine.set_value(peer, tag, value)

    async def choose_peer(self, peers: Sequence[str]) -> PeerId:
        """Of peers that offer the same the one to ask next, by quality and load of their connections."""
        return await self._engine.choose_peer(peers)

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

    async def ping(self, peer: str) -> float:
        """The seconds of one round trip."""
        return await self._engine.ping(peer)

    async def perf(self, peer: str, upload: int, download: int) -> Perf:
        """Sends and then receives so many bytes."""
        return await self._engine.perf(peer, upload, download)

    def events(self, *kinds: str) -> Events:
        """What happens from now on; all kinds when none is named."""
        return Events(Subscription(self._engine, kinds))

    # --- asking

    async def call(self, peer: str, method: str, data: Payload = b"", *, timeout: float | None = 30.0,
                   replay_safe: bool = False, priority: str = "interactive", compress: bool = False) -> bytes:
        """Calls a method of a peer and returns its answer. The timeout travels with the call.
        replay_safe: it may be executed twice without harm, so may travel before the handshake ends.
        priority: "control", "interactive" or "bulk". compress: messages go smaller where that helps; not for
        secrets beside what a stranger may choose, since the size tells of the content.

        ApplicationError: the method's own. DeadlineExceeded, NoSuchMethod, ConnectError...
        """
        return await self._engine.call(peer, method, data, timeout, replay_safe, priority, compress)

    async def notify(self, peer: str, method: str, data: Payload = b"") -> None:
        """Sends a message that has no answer."""
        await self._engine.notify(peer, method, data)

    async def open_call(self, peer: str, method: str, *, timeout: float | None = 30.0,
                        priority: str = "interactive", compress: bool = False) -> Call:
        """Opens a call in which both ends send any number of messages."""
        return Call(await self._engine.open_call(peer, method, timeout, priority, compress))

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a raw stream of a protocol of one's own, "/my-game/1"."""
        return Stream(await self._engine.open_stream(peer, protocol))

    async def open_channel(self, peer: str, *, deadline: float = 0.0, repair: float = 0.25) -> MessageChannel:
        """Opens a channel of messages that may be lost, in no order; at the other end each is an event "message".
        deadline: the seconds that a message is of use, 0: a round trip. repair: how much may be sent beside to
        make losses good, 0: nothing."""
        return MessageChannel(self._engine, await self._engine.open_channel(peer, deadline, repair))

    async def send_datagram(self, peer: str, data: Payload) -> None:
        """Sends to a connected peer what may be lost; 1,000 bytes always fit."""
        await self._engine.send_datagram(peer, data)

    async def send_session_message(self, peer: str, data: Payload, *, delivery: str = "unreliable", channel: int = 0,
                                   priority: int = 0, lifetime: float | None = None, correction: bool = False) -> None:
        """Sends to a peer that is connected over a session ("/udp/<port>/p2pa-udp"); there it is an event
        "session_message". delivery: "unreliable", "sequenced" (the newest of its channel wins), "reliable" or
        "ordered". priority: higher goes first. lifetime: the seconds after which it is sent no more.
        correction: what is lost is repaired from packets sent beside; "reliable" and "ordered" need a lifetime
        for it."""
        await self._engine.send_session_message(peer, data, delivery, channel, priority, lifetime, correction)

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
            self._engine.serve(method.__name__, method, False)
            return method

        def decorate(handler: Any) -> Any:
            self._engine.serve(method, handler, streaming)
            return handler

        return decorate

    def stop_serving(self, method: str) -> None:
        """Serves a method no more."""
        self._engine.stop_serving(method)

    def handle(self, protocol: str, /) -> Callable[[S], S]:
        """Accepts raw streams of a protocol, a decorator. The function is given each Stream."""
        def decorate(handler: S) -> S:
            self._engine.handle(protocol, handler)
            return handler

        return decorate


class Call:
    """A call in which both ends send any number of messages. Iterate over it for those that come.

    Leaving its `async with` block gives the call up, unless it has ended.
    """

    def __init__(self, channel: CallChannel) -> None:
        self._channel = channel

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

    async def send(self, data: Payload) -> None:
        """Sends one message; waits while the other end is slower."""
        await self._channel.send(data)

    async def receive(self) -> bytes | None:
        """The next message; None: the other end has finished."""
        return await self._channel.receive()

    def set_priority(self, priority: str) -> None:
        """How urgent what this end sends is from now on: "control", "interactive" or "bulk"."""
        self._channel.set_priority(priority)

    async def finish(self) -> None:
        """No more messages from this end."""
        await self._channel.finish()

    def cancel(self) -> None:
        """Gives the call up."""
        self._channel.give_up()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self.receive()) is not None:
            yield message

    async def __aenter__(self) -> Call:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._channel.give_up()


class Stream:
    """Bytes in both directions. Iterate over it for what comes.

    Leaving its `async with` block finishes it, or resets it when an exception leaves.
    """

    def __init__(self, channel: StreamChannel) -> None:
        self._channel = channel

    @property
    def peer(self) -> PeerId:
        """The other end."""
        return self._channel.peer

    @property
    def protocol(self) -> str:
        """What is spoken."""
        return self._channel.name

    async def write(self, data: Payload) -> None:
        """Sends bytes; waits while the other end is slower."""
        await self._channel.send(data)

    async def read(self) -> bytes:
        """The bytes that come next, as many as there are; b"": the other end has finished."""
        return await self._channel.receive() or b""

    async def readinto(self, buffer: Buffer) -> int:
        """Writes the bytes that come next into a buffer, as many as there are and fit; returns how
        many, 0: the other end has finished."""
        return await self._channel.receive_into(buffer)

    def set_priority(self, priority: str) -> None:
        """How urgent what this end sends is from now on: "control", "interactive" or "bulk"."""
        self._channel.set_priority(priority)

    async def finish(self) -> None:
        """No more bytes from this end."""
        await self._channel.finish()

    def reset(self, code: int = 0) -> None:
        """Aborts both directions with a code of the application's."""
        self._channel.give_up(code)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    async def __aenter__(self) -> Stream:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if error is not None:
            self._channel.give_up()
            return
        self._channel.discard()
        await self._channel.finish_quietly()


class MessageChannel:
    """The sending end of a channel of messages that may be lost. Leaving its `with` block closes it."""

    def __init__(self, engine: Engine, sender: MessageSender) -> None:
        self._engine, self._sender = engine, sender

    @property
    def peer(self) -> PeerId:
        """The other end."""
        return self._sender.peer

    async def send(self, data: Payload) -> None:
        """Sends one message, lost when the path carries no more."""
        await self._sender.send(data)

    def stats(self) -> MessageStats:
        """What it has done so far."""
        return self._sender.stats()

    def close(self) -> None:
        """Ends the channel after what was sent. Closing twice is fine."""
        self._sender.close()

    async def __aenter__(self) -> MessageChannel:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.close()


class Events:
    """What happens at a node, to iterate over; ends when the node closes."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    @property
    def dropped(self) -> int:
        """At least so many were lost because nobody took them in time."""
        return self._subscription.dropped

    def close(self) -> None:
        """Wants no more."""
        self._subscription.end()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self._subscription.next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def __aenter__(self) -> Events:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def _shown(channel: CallChannel | StreamChannel) -> Call | Stream:
    return Call(channel) if isinstance(channel, CallChannel) else Stream(channel)
