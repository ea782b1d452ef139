"""How the blocking face runs a node and waits for it.

The library's own thread moves the network, so connections live on while Python computes. No thread
of Python's is made unless `workers` asks for some: whoever waits takes the events for everybody who
waits (one at a time), with the GIL released, and looks up ten times a second so that Ctrl-C works.
What is served runs in `Node.run`, or in the workers.
"""
from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from ctypes import byref
from typing import Any, TypeVar

from . import _ffi as ffi
from ._core import Core, Incoming
from ._ffi import lib
from ._options import Options
from ._values import check

LOOK_UP_SECONDS = 0.1

T = TypeVar("T")


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


class Engine(Core):
    """Everything below runs with `turn` held, except the code of handlers."""

    def __init__(self, options: Options, shown: Callable[[Engine, Any], Any]) -> None:
        """shown: a channel as the handlers of users know it."""
        super().__init__(options)
        self._shown = shown
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
        try:
            result = work.handler(work.request if work.channel is None else self._shown(self, work.channel))
            if not self.closed:
                self.drive(self.answer(work, result))
        except BaseException as error:
            self.log_accident(work, error)
            self.exclusively(self.answer_error, work, error)
            if not isinstance(error, Exception):
                raise
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
