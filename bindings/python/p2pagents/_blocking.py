"""How the blocking face runs a node and waits for it.

The library's own thread moves the network, so connections live on while Python computes. No thread
of Python's is made unless `workers` asks for some: whoever waits takes the events for everybody who
waits (one at a time), with the GIL released, and looks up ten times a second so that Ctrl-C works.
What is served runs in `Node.run`, or in the workers.
"""
from __future__ import annotations

import collections
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from ctypes import byref
from typing import Any, TypeVar

from . import _ffi as ffi
from ._core import Core, Incoming
from ._ffi import lib
from ._log import logger
from ._options import Options
from ._values import check

LOOK_UP_SECONDS = 0.1
DISPATCHES_MAX = 3  # of one event, when interruptions cut it short

T = TypeVar("T")


class _Pending:
    """Its own lock, held but while it rings, wakes the thread that waits for it."""

    __slots__ = ("_end", "_done", "_value", "_bell")

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds
        self._done, self._value = False, None
        self._bell = threading.Lock()
        self._bell.acquire()

    def done(self) -> bool:
        return self._done

    def set_result(self, value: Any, /) -> None:
        self._value = value
        self._done = True
        self.ring()

    def ring(self) -> None:
        try:
            self._bell.release()
        except RuntimeError:  # it rings already
            pass

    def until_it_rings(self, seconds: float) -> None:
        self._bell.acquire(timeout=seconds)

    def left(self) -> float:
        """Seconds until it is None by itself."""
        return LOOK_UP_SECONDS if self._end is None else self._end - time.monotonic()

    def __await__(self) -> Generator[Any, None, Any]:
        if not self._done:
            yield self
        return self._value


class Engine(Core):
    """What the core has is touched with `turn` held, and nobody waits or runs handlers holding it.

    A signal handler may raise (Ctrl-C does) between any two steps of the main thread. So locks are
    only held by `with`, which takes and gives them back whole; who takes events is an attribute,
    cleared without a call; and a wake-up that is lost costs one look-up.
    """

    def __init__(self, options: Options, shown: Callable[[Engine, Any], Any]) -> None:
        """shown: a channel as the handlers of users know it."""
        super().__init__(options)
        self._shown = shown
        self.turn = threading.Lock()
        self._waiting: collections.deque[_Pending] = collections.deque()
        self._taker: _Pending | None = None  # whose thread takes events
        self._taken = ffi.Event()  # until it is where it belongs
        self._work: collections.deque[Incoming] = collections.deque()
        self._idle: collections.deque[_Pending] = collections.deque()  # who waits for work
        self._unanswered: dict[int, Incoming] = {}
        self.workers: list[threading.Thread] = []

    # --- for the core

    def pending(self, seconds: float | None = None) -> _Pending:
        return _Pending(seconds)

    def incoming(self, work: Incoming) -> None:
        if work.request is not None:
            self._unanswered[work.handle] = work
        if self._work and self._work[-1].handle == work.handle:  # its event was cut short
            self._work[-1] = work
        else:
            self._work.append(work)
        if self._idle:
            self._idle.popleft().set_result(None)

    def caller_left(self, handle: int) -> None:
        work = self._unanswered.get(handle)
        if work is not None and work.request is not None:
            work.request.cancelled = True

    def ended(self) -> None:
        super().ended()
        for idle in list(self._idle):
            idle.set_result(None)

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
        step: Callable[[Any], _Pending] = coroutine.send
        sent: Any = None
        try:
            while True:
                with self.turn:
                    awaited = step(sent)
                try:
                    self._wait(awaited)
                    step, sent = coroutine.send, None
                except BaseException as interruption:
                    step, sent = coroutine.throw, interruption
        except StopIteration as end:
            value: T = end.value
            return value
        finally:
            with self.turn:
                coroutine.close()  # if an interruption came between its steps

    def exclusively(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs what does not wait, between the turns of other threads."""
        if self.forked:
            self.usable()
        with self.turn:
            return function(*arguments)

    def _wait(self, pending: _Pending) -> None:
        """Until it is done or its time is up. Takes the events meanwhile, unless another thread does."""
        try:
            self._waiting.append(pending)
            while not pending.done() and (left := pending.left()) > 0:
                if self._takes(pending):
                    self._take_events(min(left, LOOK_UP_SECONDS))
                else:
                    pending.until_it_rings(min(left, LOOK_UP_SECONDS))
        finally:
            if self._taker is pending:
                self._taker = None
            self._waiting.remove(pending)
            with self.turn:
                if self._taker is None:
                    self._hand_over()

    def _hand_over(self) -> None:
        """The one who waits longest is to take events."""
        for pending in list(self._waiting):
            if not pending.done():
                return pending.ring()

    def _takes(self, pending: _Pending) -> bool:
        with self.turn:
            if self._taker is None:
                self._taker = pending
            return self._taker is pending

    def _take_events(self, seconds: float) -> None:
        """Waits for events and sends them where they belong."""
        self.show_log()
        status = ffi.OK
        if not self._taken.kind:  # else an interruption came after it was taken
            status = lib.p2pa_node_wait_event(self.node, int(seconds * 1e6) or 1, byref(self._taken))
        with self.turn:
            while status == ffi.OK:
                self._dispatch_taken()
                if not self.node:
                    return
                status = lib.p2pa_node_next_event(self.node, byref(self._taken))
            if status < 0:
                self.ended()
            self.had_a_turn()

    def _dispatch_taken(self) -> None:
        """Whole, also when an interruption cuts it short: what is lost, others would wait for without
        end. So it begins again; the core may do the same event twice."""
        event, following = self._taken, ffi.Event()
        kept: bool | None = None
        interruption: BaseException | None = None
        for _ in range(DISPATCHES_MAX):
            try:
                if kept is None:
                    kept = self.dispatch(event)
                if not kept:
                    lib.p2pa_event_release(byref(event))
                break
            except BaseException as why:
                interruption = why
        self._taken = following
        if interruption is not None:
            raise interruption

    # --- serving

    def serve_one(self, end: float | None) -> bool:
        """Waits for somebody to serve and does it. False: the time is up or the node closed."""
        while True:
            left = LOOK_UP_SECONDS if end is None else end - time.monotonic()
            idle = self.pending(min(left, LOOK_UP_SECONDS))
            with self.turn:
                if self._work:
                    work = self._work.popleft()
                    break
                if self.closed or left <= 0:
                    return False
                self._idle.append(idle)
            try:
                self._wait(idle)
            finally:
                with self.turn:
                    if idle in self._idle:
                        self._idle.remove(idle)
        self._serve(work)
        return True

    def _serve(self, work: Incoming) -> None:
        try:
            result = work.handler(work.request if work.channel is None else self._shown(self, work.channel))
            if not self.closed:
                self.drive(self.answer(work, result))
        except BaseException as error:
            try:
                self.log_accident(work, error)
            finally:
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
            try:
                self.serve_one(None)
            except BaseException as error:  # SystemExit too, which is answered as an accident
                with contextlib.suppress(Exception):
                    logger.log(logging.ERROR if isinstance(error, Exception) else logging.DEBUG,
                               "a worker goes on after what was raised", exc_info=error)
