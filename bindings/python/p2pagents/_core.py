"""What both faces share: a node's handle, what is asked of it, and where its events go.

Everything that waits is written once, as coroutines that await `Pending`s. asyncio runs them as they
are; the blocking face drives them by waiting for each Pending itself. Nothing here blocks, and no
code of the user runs here: requests are handed to the face.

Who gives a coroutine up (a cancelled task, Ctrl-C) cancels the operation that it waited for.
"""
from __future__ import annotations

import abc
import collections
import ctypes
import logging
import math
import time
import warnings
import weakref
from collections.abc import Callable
from ctypes import byref
from typing import Any, TypeVar

from . import _ffi as ffi
from ._care import Care
from ._channel import CallChannel, Channel, StreamChannel
from ._events import Subscription, error_in
from ._ffi import lib
from ._log import Log, logger
from ._memory import Memory, Payload
from ._messages import MessageSender
from ._options import Options
from ._values import (Connection, DialedPeer, Event, PeerId, PeerInfo, Perf, Request, check, choice, counted,
                      dial_attempts, peer_id, peer_name, peer_struct, priority_of)
from ._process import nodes, orphans
from ._waiting import Pending, Signal
from .errors import (ApplicationError, Closed, DeadlineExceeded, Forked, InvalidArgument, P2PError,
                     error_of)

CLOSE_SECONDS_MAX = 3.0
ADDRESSES_REMEMBERED_MAX = 4096
TIMEOUT_SECONDS_MAX = 1e9  # three decades: what is longer has no end
ROOM_SECONDS_MAX = 30.0  # for what has no deadline of its own to be queued
LENT_BYTES_MIN = 1 << 16  # a smaller copy is cheaper than a call back into Python
UNHANDLED = -1  # the application code of an exception that a method did not mean to raise

DELIVERIES = {"unreliable": ffi.DELIVERY_UNRELIABLE, "sequenced": ffi.DELIVERY_SEQUENCED,
              "reliable": ffi.DELIVERY_RELIABLE, "ordered": ffi.DELIVERY_ORDERED}
_DELIVERY_NAMES = {number: name for name, number in DELIVERIES.items()}

T = TypeVar("T")


class Incoming:
    """A call that a served method, or a stream that a handled protocol, has to take care of."""

    __slots__ = ("handler", "handle", "request", "channel", "name")

    def __init__(self, handler: Callable[[Any], Any], name: str, handle: int,
                 request: Request | None = None,
                 channel: CallChannel | StreamChannel | None = None) -> None:
        self.handler, self.name, self.handle = handler, name, handle
        self.request, self.channel = request, channel


class Core(Care):
    """A node. A face says how it waits and who runs what is served."""

    node = 0  # the handle; 0 before open and after free
    lends = False  # memory is given back on a thread that may wait for the GIL

    def __init__(self, options: Options) -> None:
        self.options = options
        self.closed = False
        self.forked = False
        self.subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._closing = False
        self._closed_signal = Signal(self)
        self._room = Signal(self)
        self._listening: collections.deque[Pending] = collections.deque()  # in the order of the answers
        self._completions: dict[int, tuple[Pending | None, Callable[[ffi.Event, bool], Any]]] = {}
        self._channels: dict[int, Channel] = {}
        self._senders: dict[int, MessageSender] = {}
        self._methods: dict[str, tuple[Callable[[Any], Any], int]] = {}
        self._protocols: dict[str, Callable[[Any], Any]] = {}
        self._addresses: set[tuple[str, str]] = set()
        self._log: Log | None = None

    # --- what a face provides

    @abc.abstractmethod
    def pending(self, seconds: float | None = None) -> Pending:
        """A result to await. After so many seconds it is None, if it did not come before."""

    @abc.abstractmethod
    def incoming(self, work: Incoming) -> None:
        """Somebody wants to be served."""

    @abc.abstractmethod
    def caller_left(self, handle: int) -> None:
        """Nobody waits any more for what this call is answered, if it is one that came."""

    @abc.abstractmethod
    def start(self) -> None:
        """Begins to run the node that was opened."""

    @abc.abstractmethod
    def stop(self) -> None:
        """Runs it no more."""

    # --- from open to closed

    async def open(self) -> None:
        if self.node or self.closed:
            return
        self._open()
        answers = [self._expect_listening() for _ in self.options.listen]
        try:
            self.start()
            for method, (_, mode) in list(self._methods.items()):
                await self.submit(lib.p2pa_node_serve, *counted(method), mode)
            for protocol in list(self._protocols):
                await self.submit(lib.p2pa_node_handle_protocol, *counted(protocol))
            for answer in answers:
                await self._listens(answer)
        except BaseException:
            self.free()
            raise

    def _open(self) -> None:
        if self.options.log_level is None:
            self.options.log_level = Log.level()
        self._log = Log() if self.options.log_level else None
        handle, info = ffi.Handle(), ffi.ErrorInfo()
        with self.options.lent(self._log.function if self._log else None) as options:
            check(lib.p2pa_node_open(byref(options), byref(handle), byref(info)), info=info)
        self.node = handle.value
        nodes.add(self)

    async def close(self) -> None:
        """The orderly end; what does not end in time is cut off."""
        if self.closed or self.forked:
            return
        if self.node and not self._closing:
            self._closing = True
            lib.p2pa_node_close(self.node)
        try:
            if self.node:
                await self.until_closed(CLOSE_SECONDS_MAX)
        finally:
            self.free()

    async def until_closed(self, seconds: float | None) -> None:
        if not self.closed:
            await self._closed_signal.wait(seconds)

    def free(self) -> None:
        """The end, at once."""
        if self.forked:
            return
        self.ended()
        if self.node:
            self.stop()
            node, self.node = self.node, 0
            if lib.p2pa_node_free(node) == ffi.WRONG_THREAD:
                # The garbage collector came by on the library's own thread.
                orphans.append((node, self._log))
        nodes.discard(self)

    def ended(self) -> None:
        """No more events come: everybody who waits is told. Twice is fine."""
        self.closed = True
        for handle in list(self._completions):
            self._complete(handle, None, error_of(ffi.CLOSED))
        for channel in list(self._channels.values()):
            channel.end(error_of(ffi.CLOSED))
        self._channels.clear()
        for subscription in list(self.subscriptions):
            subscription.end()
        while self._listening:
            self._answer_listen(error_of(ffi.CLOSED))
        for signal in (self._closed_signal, self._room):
            signal.fire()

    def show_log(self) -> None:
        if self._log is not None:
            self._log.show()

    def usable(self) -> int:
        """The handle of the open node."""
        if self.forked:
            raise Forked("this node belongs to the process that forked; open another one here")
        if self.closed or not self.node:
            raise Closed("the node is closed" if self.closed else "the node is not open yet")
        return self.node

    # --- asking for work

    def give(self, handle: int, memory: Memory, copy: Callable[..., int], take: Callable[..., int]) -> int:
        """Has the library send: from where the memory lies, when that pays, or a copy of its own."""
        if self.lends and memory.size >= LENT_BYTES_MIN:
            return take(handle, memory.pointer, memory.size, *memory.lend(self.pending()))
        return copy(handle, memory.pointer, memory.size)

    async def submit(self, function: Callable[..., int], *arguments: Any, peer: PeerId | None = None,
                      info: ffi.ErrorInfo | None = None, options: ffi.CallOptions | None = None) -> None:
        """Has the node's next turn do something. Waits while there is no room for it, which may be
        for ever, so at most for the time of the call that `options` are for."""
        microseconds = ROOM_SECONDS_MAX * 1e6 if options is None else options.deadline_us
        end = time.monotonic() + (microseconds / 1e6 if microseconds >= 0 else math.inf)
        while (status := function(self.usable(), *arguments)) == ffi.WOULD_BLOCK:
            left = end - time.monotonic()
            if left <= 0:
                raise error_of(ffi.TIMEOUT if options is None else ffi.DEADLINE_EXCEEDED,
                               "there was no room for it all the time", peer=peer)
            await self._room.wait(min(left, 0.01))
            if options is not None and options.deadline_us >= 0:
                options.deadline_us = max(1, int((end - time.monotonic()) * 1e6))
        check(status, peer, info)

    async def _operate(self, convert: Callable[[ffi.Event, bool], T], function: Callable[..., int],
                       *arguments: Any, peer: PeerId | None = None, info: ffi.ErrorInfo | None = None,
                       options: ffi.CallOptions | None = None) -> T:
        """Begins an operation and waits for its completion, as `convert` made it a value."""
        op = ffi.Handle()
        extra = () if info is None else (byref(info),)
        await self.submit(function, *arguments, byref(op), *extra, peer=peer, info=info, options=options)
        pending = self.pending()
        self._completions[op.value] = (pending, convert)
        try:
            outcome: tuple[T, P2PError | None] = await pending
        except BaseException:
            if op.value in self._completions:
                self._completions[op.value] = (None, convert)
                lib.p2pa_op_cancel(op)
            raise
        if outcome[1] is not None:
            raise outcome[1]
        return outcome[0]

    async def _known(self, peer: str) -> tuple[Any, PeerId]:
        """The peer for C, after the node was told its address if that is how it was named."""
        who = peer_struct(peer)
        name = peer_name(who)
        if peer.startswith("/") and (name, peer) not in self._addresses:
            await self.add_address(name, peer)
        return byref(who), name

    async def add_address(self, peer: str, address: str) -> None:
        info = ffi.ErrorInfo()
        who = peer_struct(peer)
        await self.submit(lib.p2pa_node_add_address, byref(who), *counted(address), byref(info),
                           peer=peer_id(who), info=info)
        if len(self._addresses) >= ADDRESSES_REMEMBERED_MAX:
            self._addresses.clear()
        self._addresses.add((peer_name(who), address))

    async def listen(self, address: str) -> None:
        info = ffi.ErrorInfo()
        await self.submit(lib.p2pa_node_listen, *counted(address), byref(info), info=info)
        await self._listens(self._expect_listening())

    def _expect_listening(self) -> Pending:
        pending = self.pending()
        self._listening.append(pending)
        return pending

    async def _listens(self, answer: Pending) -> None:
        error: P2PError | None = await answer
        if error is not None:
            raise error

    def _answer_listen(self, error: P2PError | None) -> None:
        """Also to those who do not wait any more, lest the next one takes it for its own."""
        if self._listening:
            pending = self._listening[0]
            if not pending.done():
                pending.set_result(error)
            self._listening.popleft()

    async def dial(self, peer: str) -> DialedPeer:
        def answered(event: ffi.Event, _: bool) -> DialedPeer:
            return DialedPeer(peer_name(event.peer), dial_attempts(event))

        if peer.startswith("/"):
            return await self._operate(answered, lib.p2pa_node_dial, *counted(peer), info=ffi.ErrorInfo())
        who, name = await self._known(peer)
        return await self._operate(answered, lib.p2pa_node_dial_peer, who, peer=name)

    async def disconnect(self, peer: str) -> None:
        who, name = await self._known(peer)
        await self.submit(lib.p2pa_node_disconnect, who, peer=name)

    async def ping(self, peer: str) -> float:
        who, name = await self._known(peer)
        return await self._operate(_duration, lib.p2pa_node_ping, who, peer=name)

    async def perf(self, peer: str, upload: int, download: int) -> Perf:
        who, name = await self._known(peer)
        return await self._operate(
            lambda event, _: Perf(event.bytes_up, event.bytes_down, event.upload_ns / 1e9,
                                  event.download_ns / 1e9),
            lib.p2pa_node_perf, who, upload, download, peer=name)

    async def call(self, peer: str, method: str, data: Payload, timeout: float | None,
                   replay_safe: bool, priority: str, compress: bool) -> bytes:
        who, name = await self._known(peer)
        request = Memory(data)
        options = _call_options(timeout, replay_safe, priority, compress)
        return await self._operate(_data, lib.p2pa_node_call, who,
                                   *counted(method), request.pointer, request.size,
                                   byref(options), peer=name, options=options)

    async def notify(self, peer: str, method: str, data: Payload) -> None:
        who, name = await self._known(peer)
        message = Memory(data)
        await self._operate(lambda event, _: None, lib.p2pa_node_notify, who, *counted(method),
                            message.pointer, message.size, peer=name)

    async def send_datagram(self, peer: str, data: Payload) -> None:
        who, name = await self._known(peer)
        message = Memory(data)
        await self.submit(lib.p2pa_node_send_datagram, who, message.pointer, message.size, peer=name)

    async def send_session_message(self, peer: str, data: Payload, delivery: str, channel: int, priority: int,
                                   lifetime: float | None, correction: bool) -> None:
        who, name = await self._known(peer)
        if not 0 <= channel < 64 or not -128 <= priority <= 127 or (lifetime is not None and lifetime <= 0):
            raise InvalidArgument("channel is from 0 to 63, priority from -128 to 127, lifetime positive or None")
        options = ffi.SessionMessageOptions(
            delivery=choice("delivery", delivery, DELIVERIES), channel=channel, priority=priority,
            lifetime_us=0 if lifetime is None else max(1, int(lifetime * 1e6)), correction=int(correction))
        message = Memory(data)
        await self.submit(lib.p2pa_node_send_session_message, who, message.pointer, message.size, byref(options),
                          peer=name)

    def topic(self, what: str, topic: str) -> None:
        check(getattr(lib, f"p2pa_node_{what}_lan")(self.usable(), *counted(topic)))

    def send_lan(self, topic: str, data: Payload) -> None:
        message = Memory(data)
        check(lib.p2pa_node_send_lan(self.usable(), *counted(topic), message.pointer, message.size))

    async def open_channel(self, peer: str, deadline: float, repair: float) -> MessageSender:
        who, name = await self._known(peer)
        if not 0 <= deadline <= TIMEOUT_SECONDS_MAX or not 0 <= repair <= 1:
            raise InvalidArgument("the deadline is not negative, and repair is from 0 to 1")
        options = ffi.ChannelOptions(no_repair=repair == 0, deadline_us=int(deadline * 1e6),
                                     repair_percent_max=math.ceil(repair * 100))
        made: list[MessageSender] = []

        def opened(event: ffi.Event, wanted: bool) -> MessageSender:
            if not made:
                made.append(MessageSender(self, event.channel, name))
                self._senders[event.channel] = made[0]
                if not wanted:
                    made[0].close()
            return made[0]

        try:
            return await self._operate(opened, lib.p2pa_node_open_channel, who, byref(options), peer=name)
        except BaseException:
            for sender in made:  # it came, but too late
                sender.close()
            raise

    async def open_call(self, peer: str, method: str, timeout: float | None, priority: str,
                        compress: bool) -> CallChannel:
        who, name = await self._known(peer)
        handle, options = ffi.Handle(), _call_options(timeout, False, priority, compress)
        await self.submit(lib.p2pa_node_call_open, who, *counted(method),
                           byref(options), byref(handle), peer=name, options=options)
        channel = CallChannel(self, handle.value, name, method)
        self._channels[handle.value] = channel
        return channel

    async def open_stream(self, peer: str, protocol: str) -> StreamChannel:
        who, name = await self._known(peer)

        made: list[StreamChannel] = []

        def opened(event: ffi.Event, wanted: bool) -> StreamChannel:
            if made:
                return made[0]
            channel = StreamChannel(self, event.stream, name, protocol)
            self._channels[event.stream] = channel
            if not wanted:
                channel.give_up()
            made.append(channel)
            return channel

        try:
            return await self._operate(opened, lib.p2pa_node_open_stream, who, *counted(protocol), peer=name)
        except BaseException:
            for channel in made:  # it came, but too late
                channel.give_up()
            raise

    # --- serving

    def serve(self, method: str, handler: Callable[[Any], Any], streaming: bool) -> None:
        mode = ffi.SERVE_STREAMING if streaming else ffi.SERVE_UNARY
        self._add_handler(self._methods, method, (handler, mode), lib.p2pa_node_serve, mode)

    def stop_serving(self, method: str) -> None:
        if method not in self._methods:
            raise error_of(ffi.NOT_FOUND, f"{method!r} is not served")
        if self.node:
            check(lib.p2pa_node_stop_serving(self.usable(), *counted(method)))
        del self._methods[method]

    def handle(self, protocol: str, handler: Callable[[Any], Any]) -> None:
        self._add_handler(self._protocols, protocol, handler, lib.p2pa_node_handle_protocol)

    def _add_handler(self, table: dict[str, Any], name: str, handler: Any, function: Callable[..., int],
                     *arguments: Any) -> None:
        """Before the node is open it is only noted; open() tells the node."""
        if self.node or self.closed or self.forked:
            check(function(self.usable(), *counted(name), *arguments))
        elif name in table:
            raise error_of(ffi.INVALID_STATE, f"{name!r} is served already")
        table[name] = handler

    async def answer(self, work: Incoming, result: Any) -> None:
        """What a method returned goes to its caller. Raises why it cannot."""
        if work.channel is not None:
            await work.channel.finish_quietly()
            return
        data = Memory(b"" if result is None else result)
        if not self.node:
            return
        status = self.give(work.handle, data, lib.p2pa_call_reply, lib.p2pa_call_reply_take)
        if status not in (ffi.STALE_HANDLE, ffi.CLOSED):  # else nobody waits for it any more
            check(status)
            await data.back()

    def answer_error(self, work: Incoming, error: BaseException) -> None:
        """What a method raised: an ApplicationError is its answer, of all else only the kind is told,
        and of one that cannot be sent, too long perhaps."""
        if isinstance(work.channel, StreamChannel):
            work.channel.give_up()
        elif self.node:
            own = isinstance(error, ApplicationError) and self._fail(
                work, *(getattr(error, name, None) for name in ("application_code", "text", "data")))
            if not own and not self._fail(work, UNHANDLED, type(error).__name__, b""):
                self._fail(work, UNHANDLED, "", b"")

    def _fail(self, work: Incoming, code: Any, text: Any, data: Any) -> bool:
        """False: this cannot be sent."""
        try:
            words = text.encode(errors="replace")
            status = lib.p2pa_call_fail(work.handle, code, words, len(words), data, len(data))
        except (AttributeError, TypeError, ctypes.ArgumentError):  # changed since it was checked
            return False
        return status not in (ffi.INVALID_ARGUMENT, ffi.MESSAGE_TOO_LARGE)

    @staticmethod
    def log_accident(work: Incoming, error: BaseException) -> None:
        """Handlers of logs are the user's code too, and may raise."""
        if isinstance(error, ApplicationError):
            return
        # Neither the other end going away nor Ctrl-C is an accident of the method's.
        known = isinstance(error, P2PError) and work.channel is not None and work.channel.over
        level = logging.DEBUG if known or not isinstance(error, Exception) else logging.ERROR
        logger.log(level, "%r failed", work.name, exc_info=error)

    # --- events

    def dispatch(self, event: ffi.Event) -> bool:
        """Sends an event to where it belongs. True: a channel keeps it, else it is to be released.

        Where Ctrl-C may raise anywhere, this is cut short and begun again with the same event, before
        any other. So all below bears to be done twice; only a notification may then be told twice.
        """
        kept = False
        if event.dropped:
            self._lost(event.dropped)
            event.dropped = 0
        if event.op:
            self._complete(event.op, event, error_in(event))
        elif event.kind in _CHANNEL_EVENTS:
            channel = self._channels.get(event.call or event.stream)
            if channel is not None:
                kept = channel.tell(event)
            if event.kind == ffi.EVENT_CALL_ENDED and event.status < 0:
                if channel is None or not channel.unwanted:
                    self.caller_left(event.call)
            if event.kind in (ffi.EVENT_CALL_ENDED, ffi.EVENT_STREAM_ENDED):
                self._channels.pop(event.call or event.stream, None)
        elif event.kind in _INCOMING_EVENTS:
            self._begin(event)
        elif event.kind == ffi.EVENT_CHANNEL_ENDED:
            sender = self._senders.get(event.channel)
            if sender is not None:
                sender.ended(error_in(event))
            self._senders.pop(event.channel, None)
        elif event.kind == ffi.EVENT_CLOSED:
            self.ended()
        else:
            self._notify(event)
        return kept

    def _complete(self, op: int, event: ffi.Event | None, error: P2PError | None) -> None:
        pending, convert = self._completions.get(op, (None, None))
        wanted = pending is not None and not pending.done()
        value = None
        if event is not None and error is None and convert is not None:
            value = convert(event, wanted)
        if pending is not None and wanted:
            pending.set_result((value, error))
        self._completions.pop(op, None)

    def _begin(self, event: ffi.Event) -> None:
        name, who = event.name.text(), peer_name(event.peer)
        if event.kind == ffi.EVENT_STREAM_INCOMING:
            stream = StreamChannel(self, event.stream, who, name)
            self._channels[event.stream] = stream
            handler = self._protocols.get(name)
            if handler is None:
                return stream.give_up()
            return self.incoming(Incoming(handler, name, event.stream, channel=stream))
        served = self._methods.get(name)
        if served is None:  # no longer
            lib.p2pa_call_cancel(event.call)
            return
        left = event.duration_ns / 1e9 if event.duration_ns >= 0 else None
        if event.kind == ffi.EVENT_REQUEST:
            request = Request(event.data.lent(), who, name, left)
            return self.incoming(Incoming(served[0], name, event.call, request=request))
        channel = CallChannel(self, event.call, who, name)
        channel.time_left = left
        self._channels[event.call] = channel
        self.incoming(Incoming(served[0], name, event.call, channel=channel))

    def _notify(self, event: ffi.Event) -> None:
        error = error_in(event)
        if event.kind in (ffi.EVENT_LISTENING, ffi.EVENT_LISTEN_FAILED):
            self._answer_listen(error)
        if not self.subscriptions:
            return
        told = Event(lib.p2pa_event_name(event.kind).decode(), peer_id(event.peer),
                     event.address.text(), event.connection, event.data.copy(), error,
                     bool(event.flags & ffi.EVENT_FLAG_LAST), _DELIVERY_NAMES.get(event.delivery, ""),
                     event.session_channel, event.count, event.name.text())
        for subscription in list(self.subscriptions):
            subscription.tell(told)

    def _lost(self, bits: int) -> None:
        """More notifications came than the library keeps for those who do not take them."""
        kinds = {lib.p2pa_event_name(kind).decode() for kind in range(ffi.EVENT_LISTENING, ffi.EVENT_CLOSED)
                 if bits & 1 << kind - ffi.EVENT_LISTENING}
        for subscription in list(self.subscriptions):
            subscription.lost(kinds)
        if kinds & {"listening", "listen_failed"}:
            self._answer_listen(P2PError("whether it listens was lost: too many events waited"))

    def had_a_turn(self) -> None:
        """After events were taken: who found no room may try again."""
        self._room.fire()

    # --- looking

    def peer_id(self) -> PeerId:
        peer = ffi.Peer()
        check(lib.p2pa_node_peer(self.usable(), byref(peer)))
        return peer_name(peer)

    def addresses(self) -> list[str]:
        return self._read_text(lib.p2pa_node_addresses).splitlines()

    def peer_info(self, peer: str) -> PeerInfo:
        who = peer_struct(peer)
        agent, protocol, protocols, addresses, observed = (
            self._read_text(lib.p2pa_node_peer_info, byref(who), field, peer=peer_id(who))
            for field in (ffi.PEER_AGENT_VERSION, ffi.PEER_PROTOCOL_VERSION, ffi.PEER_PROTOCOLS,
                          ffi.PEER_ADDRESSES, ffi.PEER_OBSERVED_ADDRESS))
        return PeerInfo(agent, protocol, protocols.splitlines(), addresses.splitlines(), observed)

    def connections(self) -> list[Connection]:
        count = ctypes.c_size_t(64)
        while True:
            numbers = (ctypes.c_uint64 * count.value)()
            status = lib.p2pa_node_connections(self.usable(), numbers, byref(count))
            if status != ffi.BUFFER_TOO_SMALL:
                break
        check(status)
        return [c for c in map(self._connection, numbers[:count.value]) if c is not None]

    def _connection(self, number: int) -> Connection | None:
        info = ffi.ConnectionInfo()
        status = lib.p2pa_node_connection_info(self.usable(), number, byref(info))
        if status == ffi.NOT_FOUND:  # gone meanwhile
            return None
        check(status)
        try:
            address = self._read_text(lib.p2pa_node_connection_address, number)
        except LookupError:
            return None
        return Connection(peer_name(info.peer), address, bool(info.outbound), info.rtt_ns / 1e9, info.bytes_sent,
                          info.bytes_received, info.packets_sent, info.packets_received,
                          info.streams, number, info.jitter_ns / 1e9, info.age_ns / 1e9, info.loss,
                          info.throughput, info.score)

    def lan_drops(self) -> dict[str, int]:
        return self._counted(lib.p2pa_node_lan_drops, lib.p2pa_lan_drop_name)

    def _read_text(self, function: Callable[..., int], *arguments: Any,
                   peer: PeerId | None = None) -> str:
        size = ctypes.c_size_t(1024)
        while True:
            buffer = ctypes.create_string_buffer(size.value)
            status = function(self.usable(), *arguments, buffer, byref(size))
            if status != ffi.BUFFER_TOO_SMALL:
                check(status, peer)
                return buffer.raw[:size.value].decode("utf-8", "replace")

    # --- garbage

    def discarded(self, what: object) -> None:
        """Whoever owned the node forgot to close it."""
        if self.node and not self.closed and not self.forked:
            warnings.warn(f"{what!r} was never closed", ResourceWarning, stacklevel=3, source=what)
            self.free()


_INCOMING_EVENTS = frozenset((ffi.EVENT_REQUEST, ffi.EVENT_CALL_INCOMING, ffi.EVENT_STREAM_INCOMING))
_CHANNEL_EVENTS = frozenset((
    ffi.EVENT_CALL_MESSAGE, ffi.EVENT_CALL_FINISHED, ffi.EVENT_CALL_WRITABLE, ffi.EVENT_CALL_ENDED,
    ffi.EVENT_STREAM_DATA, ffi.EVENT_STREAM_FINISHED, ffi.EVENT_STREAM_WRITABLE,
    ffi.EVENT_STREAM_ENDED))


def _data(event: ffi.Event, _: bool) -> bytes:
    return bytes(event.data.copy())


def _duration(event: ffi.Event, _: bool) -> float:
    return float(event.duration_ns / 1e9)


def _call_options(timeout: float | None, replay_safe: bool, priority: str, compress: bool) -> ffi.CallOptions:
    if timeout is None or timeout > TIMEOUT_SECONDS_MAX:
        deadline_us = -1
    elif timeout > 0:
        deadline_us = max(1, int(timeout * 1e6))
    elif math.isnan(timeout):
        raise InvalidArgument("the timeout is not a number")
    else:
        raise DeadlineExceeded("the timeout is not positive")
    flags = (ffi.CALL_REPLAY_SAFE if replay_safe else 0) | (ffi.CALL_COMPRESS if compress else 0)
    return ffi.CallOptions(flags=flags, deadline_us=deadline_us, priority=priority_of(priority))
