#!/usr/bin/env python3
"""Runs every case of the interop contract (README.md) over every transport for every pair of implementations, and judges
both sides' reports.

Usage: run.py --build-dir DIR (--ours PATH | --without-ours) [--require-all] [--jobs N]
              [--only NAME,...] [--transport NAME,...] [--case NAME,...]
"""
import argparse
import functools
import pathlib
import signal
import socket
import sys

import builds
from cases import CASES, RPC_PEERS
from harness import Child, Failure, Skip, Tally, exit_on_signals, parse_json_line, require, run_all

START_TIMEOUT_S = 20
CASE_TIMEOUT_S = 60
EVENT_TIMEOUT_S = 10
DISCONNECT_TIMEOUT_S = 20
REFUSAL_TIMEOUT_S = 10
STOP_TIMEOUT_S = 10

LISTENER_SEED = 1
LISTENER_PEER = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"  # what LISTENER_SEED gives, in all of them
FIRST_DIALER_SEED = 100

# What an address of a port looks like, and who takes such a port.
TRANSPORTS = {"quic": ("/udp/{}/quic-v1", socket.SOCK_DGRAM),
              "tcp-noise": ("/tcp/{}", socket.SOCK_STREAM),
              "tcp-tls": ("/tcp/{}", socket.SOCK_STREAM)}
# What secures TCP is agreed on: (the listener's, the dialer's, whether they have one in common).
SECURITY = (("tcp-noise", "tcp", True), ("tcp-noise", "tcp-tls", False),
            ("tcp-tls", "tcp", True), ("tcp-tls", "tcp-noise", False),
            ("tcp", "tcp-noise", True), ("tcp", "tcp-tls", True))
# js, as it sets a connection up, bears no more than ten streams, and none with its protocol, data and FIN all at once: a
# ping says that it is done.
PINGS_FIRST = {("js", transport, case)
               for transport in ("tcp-noise", "tcp-tls") for case in ("streams", "half-close-local")}
APART = ("idle", "security")  # run in a way of their own


class Listener:
    """A running `peer listen` and the events that it reported."""

    def __init__(self, name, command, transport):
        self.name = name
        self.transport = transport
        self.child = Child([*command, "listen", "--seed", str(LISTENER_SEED), "--transport", transport])

    def __enter__(self):
        self.child.__enter__()
        try:
            line = self.child.await_lines(lambda lines: lines and lines[0], "first line", START_TIMEOUT_S)
            self.listening = parse_json_line(line)
            require(self.listening.get("event") == "listening", f"first event is {self.listening.get('event')!r}")
            require(self.listening["addrs"], "listens on no address")
            self.address = self.listening["addrs"][0]
        except BaseException:
            self.child.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self.child.__exit__(*exception)

    def await_events(self, event, peer, count=1, timeout_s=EVENT_TIMEOUT_S):
        """The first `count` events of this name about this peer."""
        def enough(lines):
            found = [e for e in map(parse_json_line, lines) if e.get("event") == event and e.get("peer") == peer]
            return found[:count] if len(found) >= count else None
        return self.child.await_lines(enough, f"{count} {event!r} of the listener", timeout_s)

    def await_event(self, event, peer):
        return self.await_events(event, peer)[0]

    def await_gone(self, peer):
        """Waits until every connection of this peer has been reported as closed."""
        def gone(lines):
            names = [e["event"] for e in map(parse_json_line, lines) if e.get("peer") == peer]
            return names.count("connected") == names.count("disconnected")
        self.child.await_lines(gone, "'disconnected' of the listener", DISCONNECT_TIMEOUT_S)


def dial(command, listener, case, seed, transport):
    pings_first = int((listener.name, listener.transport, case) in PINGS_FIRST)
    return Child([*command, "dial", listener.address, case, "--seed", str(seed), "--transport", transport,
                  "--timeout", str(CASE_TIMEOUT_S), "--pings-first", str(pings_first)])


def await_result(dialer, case, timeout_s):
    line = dialer.await_lines(lambda lines: lines and lines[0], "result", timeout_s)
    result = parse_json_line(line)
    require(result.get("case") == case, f"result of another case: {line}")
    return result


def await_end(dialer, expected):
    dialer.end_stdin()
    code = dialer.exit_code(STOP_TIMEOUT_S)
    require(code == expected, f"the dialer's exit code is {code}, not {expected}")
    require(len(dialer.lines) == 1, f"the dialer printed {len(dialer.lines)} lines")


def run_case(case, seed, listener, dialer_name, dialer_command, transport=None):
    require(listener.child.alive(), f"the listener is gone{listener.child.complaint()}")
    with dial(dialer_command, listener, case, seed, transport or listener.transport) as dialer:
        result = await_result(dialer, case, CASE_TIMEOUT_S + START_TIMEOUT_S)
        require(result.get("pass") is True, f"{result.get('error_kind')}: {result.get('error')}")
        try:
            CASES[case](result, listener, dialer_name)
        except KeyError as missing:
            raise Failure(f"a report lacks {missing}") from None
        await_end(dialer, 0)
    listener.await_gone(result["peer"])


def check_nothing_in_common(seed, listener, dialer_command, transport):
    """Who is offered nothing that he knows says so: the dialer does not have to time out."""
    with dial(dialer_command, listener, "handshake", seed, transport) as dialer:
        result = await_result(dialer, "handshake", START_TIMEOUT_S + REFUSAL_TIMEOUT_S)
        require(result.get("pass") is False, f"connected: {result}")
        require(result.get("error_kind") in ("unsupported-protocol", "other"), f"refused as {result.get('error_kind')}")
        await_end(dialer, 1)
    listener.await_gone(result["peer"])


def check_usage(command):
    address = f"/ip4/127.0.0.1/udp/1/quic-v1/p2p/{LISTENER_PEER}"
    for arguments in ([], ["no-such-command"], ["dial", address, "no-such-case"],
                      ["dial", address, "ping", "--transport", "pigeon"], ["listen", "--transport", "pigeon"]):
        with Child([*command, *arguments]) as child:
            child.end_stdin()
            code = child.exit_code(START_TIMEOUT_S)
            require(code == 2, f"exit code {code} for arguments {arguments}")
            require(not child.lines, f"{child.lines} on stdout for arguments {arguments}")


def check_unreachable(command, transport):
    """Dialing what never answers ends in a failed result, within its timeout."""
    form, kind = TRANSPORTS[transport]
    with socket.socket(socket.AF_INET, kind) as silent:
        silent.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            silent.listen()  # the system connects, and nobody reads
        address = f"/ip4/127.0.0.1{form.format(silent.getsockname()[1])}/p2p/{LISTENER_PEER}"
        with Child([*command, "dial", address, "handshake", "--transport", transport, "--timeout", "3"]) as child:
            child.end_stdin()
            code = child.exit_code(START_TIMEOUT_S)
            require(code == 1, f"exit code {code}")
            require(len(child.lines) == 1, f"{len(child.lines)} lines")
            result = parse_json_line(child.lines[0])
            require(result.get("pass") is False and result.get("error"), f"result {result}")


def check_stop(name, command, transport, stop):
    with Listener(name, command, transport) as listener:
        require(listener.listening["peer"] == LISTENER_PEER,
                f"seed {LISTENER_SEED} gave {listener.listening['peer']} instead of {LISTENER_PEER}")
        if stop == "stdin":
            listener.child.end_stdin()
        else:
            listener.child.process.send_signal(signal.SIGTERM)
        code = listener.child.exit_code(STOP_TIMEOUT_S)
        require(code == 0, f"exit code {code}")


def run_alone(tally, name, command, transports):
    """What a program does without another."""
    tally.run(f"{name}  usage", check_usage, command)
    for transport in transports:
        tally.run(f"{transport}  {name}  unreachable", check_unreachable, command, transport)
        for stop in ("stdin", "SIGTERM"):
            tally.run(f"{transport}  {name}  ends on {stop}", check_stop, name, command, transport, stop)
    if name == "go":
        tally.run("go  rpc vectors", builds.test_go)


def with_listener(use):
    """Gives use(tally, listener, ...) its running listener; one that does not start is a failed case."""
    @functools.wraps(use)
    def begin(tally, name, command, transport, *args):
        try:
            with Listener(name, command, transport) as listener:
                use(tally, listener, *args)
        except Failure as failure:
            def fail(failure=failure):
                raise Failure(f"listener: {failure}")
            tally.run(f"{transport}  ? -> {name}", fail)
    return begin


@with_listener
def run_pair(tally, listener, dialer_name, dialer_command, cases):
    """All cases of a pair go to one listener, which has to survive them."""
    for seed, case in enumerate(cases, FIRST_DIALER_SEED):
        if case.startswith("rpc-") and not {dialer_name, listener.name} <= RPC_PEERS:
            continue
        tally.run(f"{listener.transport}  {dialer_name} -> {listener.name}  {case}", run_case, case, seed, listener,
                  dialer_name, dialer_command)


@with_listener
def run_idle(tally, listener, commands):
    """Every dialer at once, as they only wait."""
    run_all(([functools.partial(tally.run, f"{listener.transport}  {name} -> {listener.name}  idle", run_case, "idle", seed,
                                listener, name, command)
              for seed, (name, command) in enumerate(commands.items(), FIRST_DIALER_SEED)], len(commands)))


@with_listener
def run_security(tally, listener, commands):
    seed = FIRST_DIALER_SEED
    for name, command in commands.items():
        for listener_has, dialer_has, agree in SECURITY:
            if listener_has != listener.transport:
                continue
            title = f"security  {name} {dialer_has} -> {listener.name} {listener_has}"
            if agree:
                tally.run(title, run_case, "ping", seed, listener, name, command, dialer_has)
            else:
                tally.run(title, check_nothing_in_common, seed, listener, command, dialer_has)
            seed += 1


def crews(arguments, tally, commands):
    """The work, as run_all() wants it: the cases, and beside them those that only wait."""
    task = functools.partial
    together = [case for case in arguments.case if case not in APART]
    work = [task(run_alone, tally, name, command, arguments.transport) for name, command in commands.items()]
    work += [task(run_pair, tally, name, command, transport, dialer_name, dialer_command, together)
             for transport in arguments.transport for name, command in commands.items()
             for dialer_name, dialer_command in commands.items() if together]
    if "security" in arguments.case:
        work += [task(run_security, tally, name, command, transport, commands)
                 for transport in ("tcp", "tcp-noise", "tcp-tls") for name, command in commands.items()]
    idle = [task(run_idle, tally, name, command, transport, commands)
            for transport in arguments.transport for name, command in commands.items() if "idle" in arguments.case]
    return (work, arguments.jobs), (idle, len(idle))


def peers(arguments, tally):
    """The command of each implementation that can run here."""
    def ours():
        if not arguments.ours:
            raise Skip("no --ours PATH was given")
        if not arguments.ours.exists():
            raise Skip(f"{arguments.ours} does not exist")
        return [str(arguments.ours.resolve())]

    makers = {"ours": ours, "go": lambda: builds.build_go(arguments.build_dir),
              "js": lambda: builds.build_js(arguments.build_dir)}
    if arguments.without_ours:
        del makers["ours"]
    commands = {}
    for name in makers:
        if not arguments.only or name in arguments.only:
            try:
                commands[name] = makers[name]()
            except Skip as skip:
                tally.skip(f"all of {name}", str(skip))
    return commands


def names(text):
    return text.split(",")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True, help="where the peers are built")
    parser.add_argument("--ours", type=pathlib.Path, help="our peer program")
    parser.add_argument("--without-ours", action="store_true", help="only check the others among themselves")
    parser.add_argument("--require-all", action="store_true", help="what would be skipped fails")
    parser.add_argument("--jobs", type=int, default=2, help="pairs at a time")
    parser.add_argument("--only", type=names, help="implementations, e.g. ours,go")
    parser.add_argument("--transport", type=names, default=list(TRANSPORTS), help="e.g. quic,tcp-tls")
    parser.add_argument("--case", type=names, default=[*CASES, "security"], help="cases, e.g. ping,echo")
    arguments = parser.parse_args()
    if unknown := set(arguments.case) - {*CASES, "security"} | set(arguments.transport) - set(TRANSPORTS):
        parser.error(f"no such case or transport: {', '.join(sorted(unknown))}")

    exit_on_signals()
    arguments.build_dir = arguments.build_dir.resolve()
    arguments.build_dir.mkdir(parents=True, exist_ok=True)
    tally = Tally(arguments.require_all)
    commands = peers(arguments, tally)
    run_all(*crews(arguments, tally, commands))
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
