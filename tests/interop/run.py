#!/usr/bin/env python3
"""Runs the cases of the interop contract (README.md) on every road for every pair of implementations, and judges both
sides' reports.

Usage: run.py --build-dir DIR (--ours PATH | --without-ours) [--require-all] [--thorough] [--jobs N]
              [--only NAME,...] [--road NAME,...] [--case NAME,...]
"""
import argparse
import functools
import pathlib
import signal
import socket
import sys

import builds
from cases import CASES, RPC_PEERS, echo_bytes
from harness import Child, Failure, Skip, Tally, exit_on_signals, parse_json_line, require, run_all
from keys import Keys
from roads import ALONE, APART, IDLE, PROOF, ROADS, SECURITY
from wire import Wire, answer_to, words_in

START_TIMEOUT_S = 40
CASE_TIMEOUT_S = 60
EVENT_TIMEOUT_S = 10
DISCONNECT_TIMEOUT_S = 20
REFUSAL_TIMEOUT_S = 10
STRANGER_TIMEOUT_S = 40  # who understands nothing of what he hears may wait for more of it
STOP_TIMEOUT_S = 10

PNET_NONCE_BYTES = 24

LISTENER_SEED = 1
LISTENER_PEER = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"  # what LISTENER_SEED gives, in all of them
FIRST_DIALER_SEED = 100
WEB_FORMS = ("/wss/", "/tls/sni/localhost/ws/")  # of /tls/ws/


class Listener:
    """A running `peer listen` and the events that it reported."""

    def __init__(self, name, command, road, flags, lines=None):
        self.name = name
        self.road = road
        self.child = Child([*command, "listen", "--seed", str(LISTENER_SEED), *flags], lines=lines)

    def __enter__(self):
        self.child.__enter__()
        try:
            line = self.child.await_lines(lambda lines: len(lines) and lines[0], "first line", START_TIMEOUT_S)
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

    def heard_of(self, peer):
        """Whether anything was reported about this peer."""
        return any(e.get("peer") == peer for e in map(parse_json_line, list(self.child.lines)[1:]))

    def await_gone(self, peer):
        """Waits until every connection of this peer has been reported as closed."""
        def gone(lines):
            names = [e["event"] for e in map(parse_json_line, lines) if e.get("peer") == peer]
            return names.count("connected") == names.count("disconnected")
        self.child.await_lines(gone, "'disconnected' of the listener", DISCONNECT_TIMEOUT_S)


def dial(command, listener, case, seed, flags, address=None):
    return Child([*command, "dial", address or listener.address, case, "--seed", str(seed), *flags,
                  "--timeout", str(CASE_TIMEOUT_S)])


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


def run_case(case, seed, listener, dialer_name, dialer_command, flags):
    require(listener.child.alive(), f"the listener is gone{listener.child.complaint()}")
    options = [*flags, "--pings-first", str(ROADS[listener.road].pings_first(listener.name, case))]
    if case == "echo":
        options += ["--bytes", str(echo_bytes(dialer_name, listener.road))]
    with dial(dialer_command, listener, case, seed, options) as dialer:
        result = await_result(dialer, case, CASE_TIMEOUT_S + START_TIMEOUT_S)
        require(result.get("pass") is True, f"{result.get('error_kind')}: {result.get('error')}")
        try:
            CASES[case](result, listener, dialer_name)
        except KeyError as missing:
            raise Failure(f"a report lacks {missing}") from None
        await_end(dialer, 0)
    listener.await_gone(result["peer"])


def check_refused(seed, listener, dialer_command, flags, timeout_s=REFUSAL_TIMEOUT_S, address=None):
    """Who does not get in says so by himself, and the listener never took him for connected."""
    with dial(dialer_command, listener, "handshake", seed, flags, address) as dialer:
        result = await_result(dialer, "handshake", START_TIMEOUT_S + timeout_s)
        require(result.get("pass") is False, f"connected: {result}")
        require(result.get("error_kind") != "peer-id-mismatch", f"refused as {result.get('error_kind')}")
        await_end(dialer, 1)
    return result


def check_reached(seed, listener, dialer_command, flags, address):
    with dial(dialer_command, listener, "ping", seed, flags, address) as dialer:
        result = await_result(dialer, "ping", START_TIMEOUT_S + REFUSAL_TIMEOUT_S)
        require(result.get("pass") is True, f"{result.get('error_kind')}: {result.get('error')}")
        await_end(dialer, 0)


def check_nothing_in_common(seed, listener, dialer_command, flags):
    """Who is offered nothing that he knows says so: the dialer does not have to time out."""
    result = check_refused(seed, listener, dialer_command, flags)
    require(result.get("error_kind") in ("unsupported-protocol", "other"), f"refused as {result.get('error_kind')}")
    listener.await_gone(result["peer"])


def check_private(seed, listener, dialer_command, flags, may_connect, shows_words):
    """Who has the network's key gets in, and nobody else; only where there is no key does the wire tell what runs on it."""
    with Wire(listener.address) as wire:
        address = wire.address
        if may_connect:
            check_reached(seed, listener, dialer_command, flags, address)
        else:
            result = check_refused(seed, listener, dialer_command, flags, STRANGER_TIMEOUT_S, address)
            require(not listener.heard_of(result["peer"]), "the listener speaks of who did not get in")
        for who, said in wire.said.items():
            if who == "dialer" and "/ws" in listener.address:
                continue  # WebSocket masks what it says
            if shows_words[who]:
                require(not may_connect or words_in(said), f"a wire without a key shows nothing of its {who}")
            else:
                require(not words_in(said), f"the {who} said {words_in(said)} in clear")


def check_learns_nothing(name, command, flags, first):
    """A stranger at our door hears no more than a nonce, each time another one, and then nothing till it is closed."""
    with Listener(name, command, "pnet-tcp-noise", flags) as listener:
        answers = [answer_to(listener.address, first) for _ in range(2)]
        for answer in answers:
            require(len(answer) <= PNET_NONCE_BYTES, f"{len(answer)} bytes: {answer[:100].hex()}")
        require(answers[0] != answers[1] or not answers[0], "the same answer twice")


def check_usage(command):
    address = f"/ip4/127.0.0.1/udp/1/quic-v1/p2p/{LISTENER_PEER}"
    for arguments in ([], ["no-such-command"], ["dial", address, "no-such-case"],
                      ["dial", address, "ping", "--transport", "pigeon"], ["listen", "--transport", "pigeon"]):
        with Child([*command, *arguments]) as child:
            child.end_stdin()
            code = child.exit_code(START_TIMEOUT_S)
            require(code == 2, f"exit code {code} for arguments {arguments}")
            require(not child.lines, f"{child.lines} on stdout for arguments {arguments}")


def check_unreachable(command, road, flags):
    """Dialing what never answers ends in a failed result, within its timeout."""
    kind = ROADS[road].kind
    with socket.socket(socket.AF_INET, kind) as silent:
        silent.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            silent.listen()  # the system connects, and nobody reads
        address = f"/ip4/127.0.0.1{ROADS[road].form.format(silent.getsockname()[1])}/p2p/{LISTENER_PEER}"
        with Child([*command, "dial", address, "handshake", *flags, "--timeout", "3"]) as child:
            child.end_stdin()
            code = child.exit_code(START_TIMEOUT_S)
            require(code == 1, f"exit code {code}")
            require(len(child.lines) == 1, f"{len(child.lines)} lines")
            result = parse_json_line(child.lines[0])
            require(result.get("pass") is False and result.get("error"), f"result {result}")


def check_stop(name, command, road, flags, stop):
    with Listener(name, command, road, flags) as listener:
        require(listener.listening["peer"] == LISTENER_PEER,
                f"seed {LISTENER_SEED} gave {listener.listening['peer']} instead of {LISTENER_PEER}")
        if stop == "stdin":
            listener.child.end_stdin()
        else:
            listener.child.process.send_signal(signal.SIGTERM)
        code = listener.child.exit_code(STOP_TIMEOUT_S)
        require(code == 0, f"exit code {code}")


def with_listener(use):
    """Gives use(tally, listener, ...) its running listener; one that does not start is a failed case."""
    @functools.wraps(use)
    def begin(tally, name, command, road, flags, *args):
        try:
            with Listener(name, command, road, flags) as listener:
                use(tally, listener, *args)
        except Failure as failure:
            def fail(failure=failure):
                raise Failure(f"listener: {failure}")
            tally.run(f"{road}  ? -> {name}", fail)
    return begin


@with_listener
def run_pair(tally, listener, dialer_name, dialer_command, flags, cases):
    """All cases of a pair go to one listener, which has to survive them."""
    for seed, case in enumerate(cases, FIRST_DIALER_SEED):
        tally.run(f"{listener.road}  {dialer_name} -> {listener.name}  {case}", run_case, case, seed, listener,
                  dialer_name, dialer_command, flags)


@with_listener
def run_idle(tally, listener, dialers, flags):
    """Every dialer at once, as they only wait."""
    run_all(([functools.partial(tally.run, f"{listener.road}  {name} -> {listener.name}  idle", run_case, "idle", seed,
                                listener, name, command, flags)
              for seed, (name, command) in enumerate(dialers.items(), FIRST_DIALER_SEED)], len(dialers)))


@with_listener
def run_security(tally, listener, dialers, keys):
    seed = FIRST_DIALER_SEED
    for name, command in dialers.items():
        for listener_has, dialer_has, agree in SECURITY:
            if listener_has != listener.road:
                continue
            title = f"security  {name} {dialer_has} -> {listener.name} {listener_has}"
            flags = ROADS[dialer_has].flags(keys)
            if agree:
                tally.run(title, run_case, "ping", seed, listener, name, command, flags)
            else:
                tally.run(title, check_nothing_in_common, seed, listener, command, flags)
            seed += 1


@with_listener
def run_trust(tally, listener, dialers, keys):
    """Whose certificate nobody vouches for is not spoken to, however his address is spelled."""
    flags, flags_of_others = (ROADS[listener.road].flags(keys, web=web) for web in (keys.web, keys.other_web))
    for seed, (name, command) in enumerate(dialers.items(), FIRST_DIALER_SEED):
        title = f"{listener.road}  {name} -> {listener.name}"
        tally.run(f"{title}  trust", check_refused, seed, listener, command, flags_of_others)
        for form in WEB_FORMS if name != "js" else WEB_FORMS[:1]:  # js would ask the DNS for what is sent as SNI
            address = listener.address.replace("/tls/ws/", form)
            tally.run(f"{title}  trust by {form}", check_reached, seed, listener, command, flags, address)


class Runner:
    """All the work of a run, as run_all() wants it."""

    def __init__(self, arguments, tally, commands, keys):
        self.arguments, self.tally, self.commands, self.keys = arguments, tally, commands, keys
        self.work, self.waiting = [], []

    def crews(self):
        """The cases, and beside them those that only wait."""
        cases = self.arguments.case
        if "alone" in cases:
            self._alone()
        self._pairs()
        if "security" in cases:
            for road in ("tcp", "tcp-noise", "tcp-tls"):
                self._each_listener(self.work, run_security, road, self.keys)
        if "trust" in cases and "wss-noise" in self.arguments.road:
            self._each_listener(self.work, run_trust, "wss-noise", self.keys)
        if "idle" in cases:
            for road in self._asked(IDLE):
                self._each_listener(self.waiting, run_idle, road, ROADS[road].flags(self.keys))
        if "private" in cases:
            for road in self._asked(name for name in ROADS if ROADS[name].network):
                self._private(road)
        # Who waits needs no processor; so many at a time keep a machine answering all the same.
        return (self.work, self.arguments.jobs), (self.waiting, 4 * self.arguments.jobs)

    def _asked(self, roads):
        return [road for road in roads if road in self.arguments.road]

    def _judged(self, *names):
        """Whether this pair is what is judged here; others only have to prove their programs."""
        return "ours" in names or "ours" not in self.commands or self.arguments.thorough

    def _add(self, crew, *call):
        crew.append(functools.partial(*call))

    def _each_listener(self, crew, use, road, *args):
        for name, command in self.commands.items():
            dialers = {other: at for other, at in self.commands.items() if self._judged(name, other)}
            self._add(crew, use, self.tally, name, command, road, ROADS[road].flags(self.keys), dialers, *args)

    def _alone(self):
        """What a program does without another."""
        for name, command in self.commands.items():
            self._add(self.work, self.tally.run, f"{name}  usage", check_usage, command)
            for road in self._asked(ALONE):
                flags = ROADS[road].flags(self.keys)
                self._add(self.waiting, self.tally.run, f"{road}  {name}  unreachable", check_unreachable, command, road,
                          flags)
                for stop in ("stdin", "SIGTERM"):
                    self._add(self.work, self.tally.run, f"{road}  {name}  ends on {stop}", check_stop, name, command,
                              road, flags, stop)
        if "go" in self.commands:
            self._add(self.work, self.tally.run, "go  rpc vectors", builds.test_go)

    def _pairs(self):
        for road in self.arguments.road:
            flags = ROADS[road].flags(self.keys)
            for name, command in self.commands.items():
                for dialer, dialer_command in self.commands.items():
                    of_road = ROADS[road].cases if self._judged(name, dialer) else PROOF
                    cases = [case for case in of_road if case in self.arguments.case and case not in APART and
                             (not case.startswith("rpc-") or {dialer, name} <= RPC_PEERS)]
                    if cases:
                        self._add(self.work, run_pair, self.tally, name, command, road, flags, dialer, dialer_command,
                                  flags, cases)

    def _private(self, road):
        key, other = self.keys.network_key, self.keys.other_network_key
        for name, command in self.commands.items():
            for dialer, dialer_command in self.commands.items():
                if not self._judged(name, dialer):
                    continue
                for theirs, its in ((key, key), (None, None), (key, None), (None, key), (other, key)):
                    said = {key: "key", other: "other key", None: "no key"}
                    self._add(self.waiting, self.tally.run,
                              f"{road}  {dialer} ({said[theirs]}) -> {name} ({said[its]})  private", self._check_private,
                              road, name, command, dialer_command, theirs, its)
        if road == "pnet-tcp-noise" and "ours" in self.commands:
            for what, first in (("multistream", b"\x13/multistream/1.0.0\n"), ("noise", bytes(range(200))), ("echo", None)):
                self._add(self.waiting, self.tally.run, f"{road}  a stranger's {what} -> ours", check_learns_nothing,
                          "ours", self.commands["ours"], ROADS[road].flags(self.keys), first)

    def _check_private(self, road, name, command, dialer_command, dialers_key, listeners_key):
        def flags(key):
            return ROADS[road].flags(self.keys, network_key=key)
        shows_words = {"dialer": dialers_key is None, "listener": listeners_key is None}
        with Listener(name, command, road, flags(listeners_key)) as listener:
            check_private(FIRST_DIALER_SEED, listener, dialer_command, flags(dialers_key), dialers_key == listeners_key,
                          shows_words)


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
    cases, roads = [*CASES, *APART], [name for name, road in ROADS.items() if road.cases]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True, help="where the peers are built")
    parser.add_argument("--ours", type=pathlib.Path, help="our peer program")
    parser.add_argument("--without-ours", action="store_true", help="only check the others among themselves")
    parser.add_argument("--require-all", action="store_true", help="what would be skipped fails")
    parser.add_argument("--jobs", type=int, default=2, help="pairs at a time")
    parser.add_argument("--only", type=names, help="implementations, e.g. ours,go")
    parser.add_argument("--thorough", action="store_true", help="all cases for pairs without ours too")
    parser.add_argument("--road", type=names, default=roads, help="e.g. quic,tcp-tls")
    parser.add_argument("--case", type=names, default=cases, help="cases, e.g. ping,echo")
    arguments = parser.parse_args()
    if unknown := set(arguments.case) - set(cases) | set(arguments.road) - set(roads):
        parser.error(f"no such case or road: {', '.join(sorted(unknown))}")

    exit_on_signals()
    arguments.build_dir = arguments.build_dir.resolve()
    arguments.build_dir.mkdir(parents=True, exist_ok=True)
    tally = Tally(arguments.require_all)
    try:
        with Keys() as keys:
            run_all(*Runner(arguments, tally, peers(arguments, tally), keys).crews())
    except Skip as skip:
        tally.skip("all", str(skip))
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
