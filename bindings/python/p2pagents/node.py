"""The blocking face.

The library's own thread moves the network, so connections live on while Python computes. No thread
of Python's is made unless `workers` asks for some: whoever waits takes the events for everybody who
waits (one at a time), with the GIL released, and looks up ten times a second so that Ctrl-C works.
What is served runs in `Node.run`, or in the workers.
"""
from __future__ import annotations

import collections
import os
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from ctypes import byref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from . import _ffi as ffi
from ._channel import CallChannel, StreamChannel
from ._core import Core, Incoming, Subscription
from ._ffi import lib
from ._memory import Payload
from ._options import Options
from ._values import Connection, Event, PeerId, PeerInfo, Perf, Request, check
from .errors import NotFound

if TYPE_CHECKING:
    from typing_extensions import Buffer

LOOK_UP_SECONDS = 0.1

T = TypeVar("T")
Unary = Callable[[Request], "Payload | None"]
"""A method that is given a request and returns its answer."""
U = TypeVar("U", bound=Unary)
C = TypeVar("C", bound="Callable[[Call], object]")
S = TypeVar("S", bound="Callable[[Stream], object]")


class _Pending:
    __slots__ = ("_end", "_done", "_value")

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._done, self._value = False, None

    def done(self) -> bool:
        return self._done

    def set_result(self, value: Any, /) -> None:
        self._done, self._value = True, value

    def left(self) -> float:
        """Seconds until it is None by itself."""
        return LOOK_UP_SECONDS if self._end is None else self._end - time.monotonic()

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._done:
            yield self
        return self._value


class _Engine(Core):
    """Everything below runs with `turn` held, except the code of handlers."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.turn = threading.Condition(threading.Lock())
        self._taker: int | None = None  # the thread that takes events
        self._taken = ffi.Event()
        self._work: collections.deque[Incoming] = collections.deque()
        self._unanswered: dict[int, Incoming] = {}
        self.workers: list[threading.Thread] = []

    # --- for the core

    def pending(self, seconds: float | None = None) -> _Pending:
        return _Pending(seconds)

    def incoming(self, work: Incoming) -> None:
        if work.request is not None:
            self._unanswered[work.handle] = work
        self._work.append(work)

    def caller_left(self, handle: int) -> None:
        work = self._unanswered.pop(handle, None)
        if work is not None and work.request is not None:
            work.request.cancelled = True

    def start(self) -> None:
        check(lib.p2pa_node_start_thread(self.node))

    def stop(self) -> None:
        """Freeing the node joins the thread."""

    # --- waiting

    def drive(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs what the core wrote for both faces, waiting for what it awaits."""
        if self.forked:  # and the lock with it, perhaps while it was held
            try:
                coroutine.close()
            finally:
                self.usable()
        with self.turn:
            try:
                awaited = coroutine.send(None)
                while True:
                    try:
                        self._wait(awaited)
                    except BaseException as interruption:
                        awaited = coroutine.throw(interruption)
                    else:
                        awaited = coroutine.send(None)
            except StopIteration as end:
                value: T = end.value
                return value

    def exclusively(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs what does not wait, between the turns of other threads."""
        if self.forked:
            self.usable()
        with self.turn:
            return function(*arguments)

    def _wait(self, pending: _Pending) -> None:
        while not pending.done():
            left = pending.left()
            if left <= 0:
                pending.set_result(None)
            else:
                self._take_events(min(left, LOOK_UP_SECONDS))

    def _take_events(self, seconds: float) -> None:
        """Waits for events and sends them where they belong, or waits until another thread has."""
        me = threading.get_ident()
        if self._taker not in (None, me):  # me: an interruption came before it was cleared
            self.turn.wait(seconds)
            return
        self._taker = me
        self.turn.release()
        status = ffi.OK
        try:
            self.show_log()
            if not self._taken.kind:  # else an interruption came after it was taken
                status = lib.p2pa_node_wait_event(self.node, int(seconds * 1e6) or 1, byref(self._taken))
        finally:
            self._take_turn_again()
            self._taker = None
            self.turn.notify_all()
        while status == ffi.OK:
            event, self._taken = self._taken, ffi.Event()
            self.dispatch(event)
            if not self.node:
                return
            status = lib.p2pa_node_next_event(self.node, byref(self._taken))
        if status < 0:
            self.ended()
        self.had_a_turn()

    def _take_turn_again(self) -> None:
        """Whoever called us gives the turn back, so an interruption is raised once we have it."""
        interruption: BaseException | None = None
        while True:
            try:
                self.turn.acquire()
                break
            except BaseException as why:
                interruption = why
        if interruption is not None:
            raise interruption

    # --- serving

    def serve_one(self, end: float | None) -> bool:
        """Waits for somebody to serve and does it. False: the time is up or the node closed."""
        with self.turn:
            while not self._work:
                left = LOOK_UP_SECONDS if end is None else end - time.monotonic()
                if self.closed or left <= 0:
                    return False
                self._take_events(min(left, LOOK_UP_SECONDS))
            work = self._work.popleft()
        self._serve(work)
        return True

    def _serve(self, work: Incoming) -> None:
        argument: Any = work.request
        if isinstance(work.channel, CallChannel):
            argument = Call(self, work.channel)
        elif isinstance(work.channel, StreamChannel):
            argument = Stream(self, work.channel)
        try:
            result = work.handler(argument)
        except BaseException as error:
            self.answer_error(work, error)
            if not isinstance(error, Exception):
                raise
        else:
            if not self.closed:
                self.drive(self.answer(work, result))
        finally:
            self._unanswered.pop(work.handle, None)

    def start_workers(self, count: int) -> None:
        for number in range(count):
            worker = threading.Thread(target=self._work_on, name=f"p2pagents-{number}", daemon=True)
            self.workers.append(worker)
            worker.start()

    def _work_on(self) -> None:
        while not self.closed:
            self.serve_one(None)


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
                 qlog_directory: str | os.PathLike[str] | None = None) -> None:
        """Opens a node, which listens when this returns.

        listen: multiaddrs, "/ip4/0.0.0.0/udp/4001/quic-v1". methods: what to serve from the first
        moment on, as `serve` does. workers: threads that serve, besides `run`. key: a private key;
        key_file: where it is read from, or created; neither: a fresh one. limits: bounds by their
        names in p2pagents.h. Times are in seconds, None is the library's default; keep_alive=0:
        none.
        """
        self._engine = _Engine(Options(
            listen, key, key_file, agent_version, limits, idle_timeout, keep_alive,
            handshake_timeout, congestion, serve_perf, qlog_directory))
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

    def dial(self, peer: str) -> PeerId:
        """Connects to a peer, if that is not so already, and says who it is."""
        return self._engine.drive(self._engine.dial(peer))

    def disconnect(self, peer: str) -> None:
        """Closes every connection to a peer."""
        self._engine.drive(self._engine.disconnect(peer))

    def connections(self) -> list[Connection]:
        """The connections there are now, with their numbers."""
        return self._engine.connections()

    def peer_info(self, peer: str) -> PeerInfo:
        """What a peer said of itself. LookupError: nothing yet; see the event "identified"."""
        return self._engine.peer_info(peer)

    def refusals(self) -> dict[str, int]:
        """How often each bound has refused something."""
        return self._engine.refusals()

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
             replay_safe: bool = False) -> bytes:
        """Calls a method of a peer and returns its answer. The timeout travels with the call.
        replay_safe: it may be executed twice without harm, so may travel before the handshake ends.

        ApplicationError: the method's own. DeadlineExceeded, NoSuchMethod, ConnectError...
        """
        return self._engine.drive(self._engine.call(peer, method, data, timeout, replay_safe))

    def notify(self, peer: str, method: str, data: Payload = b"") -> None:
        """Sends a message that has no answer."""
        self._engine.drive(self._engine.notify(peer, method, data))

    def open_call(self, peer: str, method: str, *, timeout: float | None = 30.0) -> Call:
        """Opens a call in which both ends send any number of messages."""
        return Call(self._engine, self._engine.drive(self._engine.open_call(peer, method, timeout)))

    def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a raw stream of a protocol of one's own, "/my-game/1"."""
        return Stream(self._engine, self._engine.drive(self._engine.open_stream(peer, protocol)))

    def send_datagram(self, peer: str, data: Payload) -> None:
        """Sends to a connected peer what may be lost; 1,000 bytes always fit."""
        self._engine.drive(self._engine.send_datagram(peer, data))

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

    def __init__(self, engine: _Engine, channel: CallChannel) -> None:
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

    def __init__(self, engine: _Engine, channel: StreamChannel) -> None:
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


class Events:
    """What happens at a node, to iterate over; ends when the node closes."""

    def __init__(self, engine: _Engine, subscription: Subscription) -> None:
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
