#!/usr/bin/env python3
"""Runs our program for the official transport suites, as listener and as dialer, against itself and against go-libp2p.

Both contracts are driven as their suites do it: libp2p/unified-testing and its forerunner libp2p/test-plans, with a redis
server of our own. See README.md.

Usage: official.py --build-dir DIR (--ours-official PATH | --without-ours) [--require-all]
"""
import argparse
import dataclasses
import functools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import builds
from harness import Child, Failure, Skip, Tally, exit_on_signals, parse_json_line, require, run_all

START_TIMEOUT_S = 20
DIAL_TIMEOUT_S = 30
TEST_TIMEOUT_S = 60  # told to the programs
TEST_KEY = "a5b50d5e"


class Redis:
    """A redis server on a free port with its data in a temporary directory, and one connection to it."""

    def __enter__(self):
        program = shutil.which("redis-server")
        if not program:
            raise Skip("redis-server is not installed")
        self._directory = tempfile.TemporaryDirectory()
        try:
            self._start(program)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self, program):
        # Another process may take the free port before redis does: then it ends, and the next port is tried.
        for _ in range(5):
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            self._server = Child([program, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
                                  "--dir", self._directory.name])
            self.address = f"127.0.0.1:{port}"
            deadline = time.monotonic() + START_TIMEOUT_S
            while self._server.alive() and time.monotonic() < deadline:
                try:
                    self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
                    self._file = self._socket.makefile("rb")
                    return
                except ConnectionRefusedError:
                    time.sleep(0.05)
            self._server.__exit__()
        raise Skip("redis-server does not start")

    def __exit__(self, *_):
        if hasattr(self, "_server"):
            self._server.__exit__()
        self._directory.cleanup()

    def __call__(self, *words):
        """Runs one command."""
        parts = [word.encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self._reply()

    def _reply(self):
        line = self._file.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        if kind == b"-":
            raise Failure(f"redis: {rest.decode()}")
        return rest.decode()


@dataclasses.dataclass(frozen=True)
class Stack:
    """What the programs are to be made of."""
    transport: str
    security: str = ""  # where the transport does not bring its own
    muxer: str = ""

    def __str__(self):
        return "+".join(filter(None, (self.transport, self.security, self.muxer)))

    def environment(self, *names):
        """Under the contract's names; what the transport brings is not set."""
        values = (self.transport, self.security, self.muxer)
        return {name: value for name, value in zip(names, values, strict=True) if value}


QUIC = Stack("quic-v1")
FORMS = {"tcp": r"/tcp/\d+", "ws": r"/tcp/\d+/ws", "wss": r"/tcp/\d+/(?:tls/ws|wss)"}
STACKS = {QUIC: r"/udp/\d+/quic-v1",
          **{Stack(transport, security, "yamux"): form for transport, form in FORMS.items() for security in ("noise", "tls")}}
UNKNOWN_STACKS = (Stack("pigeon"), Stack("tcp", "pigeon", "yamux"), Stack("tcp", "noise", "pigeon"), Stack("tcp"),
                  Stack("wss", "pigeon", "yamux"), Stack("ws"))


class Unified:
    """libp2p/unified-testing, docs/write-a-transport-test-app.md."""
    name = "unified"
    key = f"{TEST_KEY}_listener_multiaddr"

    @staticmethod
    def environment(is_dialer, redis_address, ip, stack, timeout_s=TEST_TIMEOUT_S):
        return {"IS_DIALER": str(is_dialer).lower(), "REDIS_ADDR": redis_address, "TEST_KEY": TEST_KEY,
                "LISTENER_IP": ip, "DEBUG": "false", "TEST_TIMEOUT_SECONDS": str(timeout_s),
                **stack.environment("TRANSPORT", "SECURE_CHANNEL", "MUXER")}

    @staticmethod
    def latencies(lines):
        """The two figures of the YAML, in ms. The suite's script takes the four lines by their exact beginnings."""
        number = r"(\d+(?:\.\d+)?)"
        text = "\n".join(line for line in lines if line and not line.startswith("#"))
        found = re.fullmatch(rf"latency:\n  handshake_plus_one_rtt: {number}\n  ping_rtt: {number}\n  unit: ms", text)
        require(found, f"stdout is not the YAML of the suite: {text[:300]!r}")
        return float(found[1]), float(found[2])


class TestPlans:
    """libp2p/test-plans, transport-interop/README.md."""
    name = "test-plans"
    key = "listenerAddr"

    @staticmethod
    def environment(is_dialer, redis_address, ip, stack, timeout_s=TEST_TIMEOUT_S):
        return {"is_dialer": str(is_dialer).lower(), "redis_addr": redis_address, "ip": ip,
                "test_timeout_seconds": str(timeout_s), **stack.environment("transport", "security", "muxer")}

    @staticmethod
    def latencies(lines):
        require(len(lines) == 1, f"{len(lines)} lines on stdout instead of one")
        value = parse_json_line(lines[0])
        names = ("handshakePlusOneRTTMillis", "pingRTTMilllis")  # three l's: the suite spells it so
        require(set(value) == set(names), f"fields {sorted(value)}")
        require(all(isinstance(value[name], (int, float)) for name in names), f"not numbers: {value}")
        return value[names[0]], value[names[1]]


CONTRACTS = (Unified, TestPlans)


def start(program, environment):
    return Child(program, env={"PATH": os.environ.get("PATH", ""), **environment})


def published(redis, contract, listener):
    """Waits for the listener's address, looking without taking it."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        require(listener.alive(), f"the listener ended{listener.complaint()}")
        kind = redis("TYPE", contract.key)
        if kind != "none":
            # unified-testing's text says SET, but the programs in it (go, rust, js, python) push and pop a list.
            require(kind == "list", f"published as a {kind}, which the suite's dialers cannot pop")
            items = redis("LRANGE", contract.key, "0", "-1")
            require(len(items) == 1, f"{len(items)} addresses published")
            return items[0]
        time.sleep(0.05)
    raise Failure(f"nothing published within {START_TIMEOUT_S} s{listener.complaint()}")


def check_address(address, ip, stack):
    found = re.fullmatch(rf"/ip4/([\d.]+){STACKS[stack]}/p2p/\w+", address)
    require(found, f"published {address!r}")
    if ip == "0.0.0.0":
        require(found[1] != "0.0.0.0" and not found[1].startswith("127."), f"other hosts cannot reach {address}")
    else:
        require(found[1] == ip, f"published {address} when told to listen on {ip}")


def run_dialer(redis, contract, program, ip, stack):
    with start(program, contract.environment(True, redis.address, ip, stack)) as dialer:
        code = dialer.exit_code(DIAL_TIMEOUT_S)
        require(code == 0, f"the dialer's exit code is {code}{dialer.complaint()}")
        handshake_ms, ping_ms = contract.latencies(dialer.lines)
        require(0 < ping_ms < handshake_ms < DIAL_TIMEOUT_S * 1000, f"handshake {handshake_ms} ms, ping {ping_ms} ms")


def check_pair(redis, contract, stack, listener_program, dialer_program, ip="127.0.0.1", as_string=False):
    redis("FLUSHALL")
    with start(listener_program, contract.environment(False, redis.address, ip, stack)) as listener:
        address = published(redis, contract, listener)
        check_address(address, ip, stack)
        if as_string:
            redis("SET", contract.key, address)
        run_dialer(redis, contract, dialer_program, ip, stack)
        require(listener.alive(), "the listener ended before it was killed")
        require(not listener.lines, f"the listener printed {listener.lines[:3]} to stdout")


def check_dialer_first(redis, contract, stack, program):
    """The suites start both at once, so the dialer has to wait."""
    redis("FLUSHALL")
    with start(program, contract.environment(True, redis.address, "127.0.0.1", stack)) as dialer:
        time.sleep(0.3)
        require(dialer.alive(), f"the dialer did not wait{dialer.complaint()}")
        with start(program, contract.environment(False, redis.address, "127.0.0.1", stack)):
            code = dialer.exit_code(DIAL_TIMEOUT_S)
            require(code == 0, f"the dialer's exit code is {code}{dialer.complaint()}")
            contract.latencies(dialer.lines)


def check_refused(redis, contract, stack, program, is_dialer, **changes):
    """A program that cannot do what it is told says so by its exit code, and prints no result."""
    redis("FLUSHALL")
    with start(program, contract.environment(is_dialer, redis.address, "127.0.0.1", stack, **changes)) as child:
        code = child.exit_code(START_TIMEOUT_S)
        require(code != 0, "exit code 0")
        require(not child.lines, f"printed {child.lines[:3]}")


def has_outer_address():
    """Whether this machine has an IPv4 address besides loopback."""
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True, timeout=10).stdout.split()
    return any("." in address for address in addresses)


def check_all_interfaces(redis, contract, stack, listener_program, dialer_program):
    if not has_outer_address():
        raise Skip("this machine has no IPv4 address besides loopback")
    check_pair(redis, contract, stack, listener_program, dialer_program, ip="0.0.0.0")


def run_contract(tally, redis, contract, programs):
    for name, program in programs.items():
        for is_dialer, role in ((True, "dialer"), (False, "listener")):
            for stack in UNKNOWN_STACKS:
                tally.run(f"{contract.name}  {name}  {role} of {stack}, which is not built in",
                          check_refused, redis, contract, stack, program, is_dialer)
        tally.run(f"{contract.name}  {name}  dialer without listener",
                  lambda: check_refused(redis, contract, QUIC, program, True, timeout_s=2))
    for stack in STACKS:
        run_stack(tally, redis, contract, stack, programs)


def run_beside(tally, contract, programs):
    """Each contract has a redis of its own, so that they do not meet."""
    try:
        with Redis() as redis:
            run_contract(tally, redis, contract, programs)
    except Skip as skip:
        tally.skip(f"all of {contract.name}", str(skip))


def run_stack(tally, redis, contract, stack, programs):
    for name in judged(programs):
        tally.run(f"{contract.name}  {stack}  {name} -> {name}  dialer first",
                  check_dialer_first, redis, contract, stack, programs[name])
    for listener_name, listener_program in programs.items():
        for dialer_name, dialer_program in programs.items():
            pair = f"{contract.name}  {stack}  {dialer_name} -> {listener_name}"
            both = (listener_program, dialer_program)
            tally.run(pair, check_pair, redis, contract, stack, *both)
            if not {listener_name, dialer_name} & judged(programs) or stack.security == "tls":
                continue  # an address is one, whatever secures it
            tally.run(f"{pair}  all interfaces", check_all_interfaces, redis, contract, stack, *both)
            if contract is Unified and stack == QUIC:
                tally.run(f"{pair}  address as string",
                          lambda both=both: check_pair(redis, contract, stack, *both, as_string=True))


def judged(programs):
    """Whose program is tried in every way; the other only has to be fit to judge."""
    return {"ours"} & set(programs) or set(programs)


def programs(arguments, tally):
    def ours():
        if not arguments.ours_official:
            raise Skip("no --ours-official PATH was given")
        if not arguments.ours_official.exists():
            raise Skip(f"{arguments.ours_official} does not exist")
        return [str(arguments.ours_official.resolve())]

    makers = {"ours": ours, "go": lambda: [*builds.build_go(arguments.build_dir), "official"]}
    if arguments.without_ours:
        del makers["ours"]
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make()
        except Skip as skip:
            tally.skip(f"all of {name}", str(skip))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True, help="where the go peer is built")
    parser.add_argument("--ours-official", type=pathlib.Path, help="our program for the official suites")
    parser.add_argument("--without-ours", action="store_true", help="only check go against itself")
    parser.add_argument("--require-all", action="store_true", help="what would be skipped fails")
    arguments = parser.parse_args()

    exit_on_signals()
    arguments.build_dir = arguments.build_dir.resolve()
    arguments.build_dir.mkdir(parents=True, exist_ok=True)
    tally = Tally(arguments.require_all)
    found = programs(arguments, tally)
    run_all(([functools.partial(run_beside, tally, contract, found) for contract in CONTRACTS], len(CONTRACTS)))
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
