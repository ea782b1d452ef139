"""What the interop drivers share: child processes that never outlive their driver, work side by side, and the tally."""
import atexit
import collections
import json
import os
import signal
import subprocess
import sys
import threading
import time


class Failure(Exception):
    """A case that ran and did not pass."""


class Skip(Exception):
    """A case that cannot run here; the text says why."""


def require(condition, text):
    if not condition:
        raise Failure(text)


def exit_on_signals():
    """Turns SIGTERM and SIGHUP into SystemExit, so that `with Child(...)` cleans up on them too."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, frame: sys.exit(128 + got))


def run_all(*crews):
    """Runs crews of (tasks, workers) beside each other, each with so many tasks at a time, until all are done."""
    problems = []

    def work(waiting):
        while not problems:
            try:
                task = waiting.popleft()
            except IndexError:
                return
            try:
                task()
            except BaseException as problem:
                problems.append(problem)

    threads = []
    for tasks, workers in crews:
        waiting = collections.deque(tasks)
        threads += [threading.Thread(target=work, args=(waiting,), daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


class Children:
    """Those that run. When the driver ends in the midst of its threads, they end with it, and no others begin."""
    _lock = threading.Lock()
    _running = set()
    _over = False

    @classmethod
    def begin(cls, *args, **kwargs):
        with cls._lock:
            if cls._over:
                sys.exit()
            process = subprocess.Popen(*args, **kwargs, start_new_session=True)
            cls._running.add(process)
            return process

    @classmethod
    def kill(cls, process):
        cls._kill(process)
        process.wait()
        with cls._lock:
            cls._running.discard(process)

    @classmethod
    def kill_all(cls):
        with cls._lock:
            cls._over = True
            for process in cls._running:
                cls._kill(process)
            for process in cls._running:
                process.wait()

    @staticmethod
    def _kill(process):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


atexit.register(Children.kill_all)


class Child:
    """A child process; its stdout is read line by line. Leaving the `with` block kills it and all that it started. What
    takes the lines may be given."""

    def __init__(self, command, env=None, lines=None):
        self.process = Children.begin(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      env=env)
        self.lines = [] if lines is None else lines
        self.stderr_tail = collections.deque(maxlen=8)
        self._changed = threading.Condition()
        self._open_outputs = 2
        for pipe, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.stderr_tail)):
            threading.Thread(target=self._read, args=(pipe, lines), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        Children.kill(self.process)

    def _read(self, pipe, lines):
        for line in pipe:
            with self._changed:
                lines.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._open_outputs -= 1
            self._changed.notify_all()

    def alive(self):
        return self.process.poll() is None

    def await_lines(self, enough, what, timeout_s):
        """Waits until enough(lines so far) is true, and returns that value."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                if value := enough(self.lines):
                    return value
                left_s = deadline - time.monotonic()
                if self._open_outputs == 0:
                    raise Failure(f"ended without {what}{self.complaint()}")
                if left_s <= 0:
                    raise Failure(f"no {what} within {timeout_s} s{self.complaint()}")
                self._changed.wait(left_s)

    def end_stdin(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def exit_code(self, timeout_s):
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"still running after {timeout_s} s") from None
        with self._changed:
            self._changed.wait_for(lambda: self._open_outputs == 0, timeout_s)
        return code

    def complaint(self):
        text = " | ".join(self.stderr_tail)
        return f"; stderr: {text}" if text else ""


def parse_json_line(line):
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    require(isinstance(value, dict), f"not a JSON object: {line[:200]!r}")
    return value


class Tally:
    """Prints one line per case and the totals. Any thread may run cases."""

    def __init__(self, require_all):
        self.require_all = require_all
        self._lock = threading.Lock()
        self.counts = collections.Counter()

    def run(self, name, case, *args):
        start_s = time.monotonic()
        try:
            case(*args)
        except Failure as failure:
            self._note("failed", name, str(failure))
        except Skip as skip:
            self.skip(name, str(skip))
        else:
            self._note("passed", name, f"{time.monotonic() - start_s:.1f} s")

    def skip(self, name, reason):
        self._note("failed" if self.require_all else "skipped", name, reason)

    def _note(self, outcome, name, text):
        with self._lock:
            self.counts[outcome] += 1
            print(f"{outcome:7}  {name:56}  {text}", flush=True)

    def finish(self):
        """Prints the last line and returns the exit code."""
        print(", ".join(f"{self.counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped")))
        return 1 if self.counts["failed"] else 0
