"""How the asyncio face runs a node: its descriptor and its next deadline are watched by the event
loop, and everything, also what is served, runs there."""
from __future__ import annotations

import asyncio
import ctypes
import inspect
from collections.abc import Callable
from ctypes import byref
from typing import Any

from . import _ffi as ffi
from ._core import Core, Incoming
from ._ffi import lib
from ._options import Options
from ._values import check


def _time_is_up(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_result(None)


class Engine(Core):
    lends = True

    def __init__(self, options: Options, shown: Callable[[Any], Any]) -> None:
        """shown: a channel as the handlers of users know it."""
        super().__init__(options)
        self._shown = shown
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = -1
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0  # which not every loop lets one ask its timers
        self._taken = ffi.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    # --- for the core

    def pending(self, seconds: float | None = None) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if seconds is not None:
            timer = loop.call_later(seconds, _time_is_up, future)
            future.add_done_callback(lambda _: timer.cancel())
        return future

    def incoming(self, work: Incoming) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(work), name=f"p2pagents {work.name}")
        self._tasks[work.handle] = task
        task.add_done_callback(lambda _: self._tasks.pop(work.handle, None))

    def caller_left(self, handle: int) -> None:
        task = self._tasks.get(handle)
        if task is not None:
            task.cancel()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        descriptor = ctypes.c_ssize_t()
        check(lib.p2pa_node_wakeup_fd(self.node, byref(descriptor)))
        self._fd = descriptor.value
        self._loop.add_reader(self._fd, self._pump)
        self._loop.call_soon(self._pump)

    def stop(self) -> None:
        loop, self._loop = self._loop, None
        if self._timer is not None:
            self._timer.cancel()
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._fd)

    # --- the node's turns

    def _pump(self) -> None:
        """One turn of the node, and its events."""
        if not self.node or self.forked:  # the sockets are the parent's
            return
        status = lib.p2pa_node_poll(self.node, 0, 0)
        while self.node and lib.p2pa_node_next_event(self.node, byref(self._taken)) == ffi.OK:
            event, self._taken = self._taken, ffi.Event()
            if not self.dispatch(event):
                lib.p2pa_event_release(byref(event))
        if status < 0:
            self.ended()
        self.had_a_turn()
        self.show_log()
        self._set_timer()

    def _set_timer(self) -> None:
        """Has the next deadline kept. A timer that is there and earlier will do: what it finds too
        early it sets again, which is cheaper than setting it in every turn."""
        left = ctypes.c_int64()
        if self._loop is None or lib.p2pa_node_next_deadline(self.node, byref(left)) < 0 or left.value < 0:
            return
        when = self._loop.time() + left.value / 1e6
        if self._timer is not None:
            if self._timer_at <= when:
                return
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(when, self._on_timer), when

    def _on_timer(self) -> None:
        self._timer = None
        self._pump()

    # --- serving

    async def _serve(self, work: Incoming) -> None:
        try:
            result = work.handler(work.request if work.channel is None else self._shown(work.channel))
            if inspect.isawaitable(result):
                result = await result
            await self.answer(work, result)
        except asyncio.CancelledError:
            if work.request is not None:
                work.request.cancelled = True
            if self.node:
                self._give_up(work)
            raise
        except GeneratorExit:  # the loop is gone
            raise
        except BaseException as error:  # SystemExit too: a caller does not end the program
            try:
                self.log_accident(work, error)
            finally:
                self.answer_error(work, error)
            if isinstance(error, KeyboardInterrupt):
                raise

    def _give_up(self, work: Incoming) -> None:
        if work.channel is not None:
            work.channel.give_up()
        else:
            lib.p2pa_call_cancel(work.handle)  # stale when the caller has gone: fine

    async def end_tasks(self) -> None:
        tasks = [task for task in self._tasks.values() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
