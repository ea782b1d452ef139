#!/usr/bin/env python3
"""Runs every case of the interop contract (README.md) for every pair of implementations, and judges both sides' reports.

Usage: run.py --build-dir DIR (--ours PATH | --without-ours) [--require-all] [--only NAME,...] [--case NAME,...]
"""
import argparse
import pathlib
import re
import signal
import socket
import sys

import builds
from harness import Child, Failure, Skip, Tally, exit_on_signals, parse_json_line, require

START_TIMEOUT_S = 20
CASE_TIMEOUT_S = 60
EVENT_TIMEOUT_S = 10
DISCONNECT_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10

LISTENER_SEED = 1
LISTENER_PEER = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"  # what LISTENER_SEED gives, in all of them
FIRST_DIALER_SEED = 100

RESET_CODE = 42
# libp2p-quic (js) hands a reset by the other side on as if it were FIN.
SEE_RESETS_AS_FIN = {"js"}
# Who speaks /p2pagents/rpc/1.0.0; the others are not asked.
RPC_PEERS = {"ours", "go"}
RPC_PROTOCOL = "/p2pagents/rpc/1.0.0"
SERVED_PROTOCOLS = {
    "/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/perf/1.0.0",
    *(f"/p2pagents/interop/{name}/1.0.0" for name in ("echo", "half-close", "reset"))}


def transport_part(address):
    return re.sub(r"/p2p/[^/]+$", "", address)


class Listener:
    """A running `peer listen` and the events that it reported."""

    def __init__(self, name, command):
        self.name = name
        self.child = Child([*command, "listen", "--seed", str(LISTENER_SEED)])

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


# One function per case: judges the dialer's result and what the listener reports of it, while both are connected.

def judge_handshake(result, listener, dialer_name):
    require(result["remote_peer"] == listener.listening["peer"], "another peer was reached")
    require(result["remote_addr"] == transport_part(listener.address), f"reached at {result['remote_addr']}")
    listener.await_event("connected", result["peer"])


def judge_identify(result, listener, dialer_name):
    listener_address = transport_part(listener.address)
    connected = listener.await_event("connected", result["peer"])
    told_dialer = result["identified"]
    require(told_dialer["peer"] == listener.listening["peer"], "the dialer identified another peer")
    require(told_dialer["agent"] == listener.listening["agent"], f"listener's agent came as {told_dialer['agent']!r}")
    require(listener_address in map(transport_part, told_dialer["listen_addrs"]),
            f"listener's addresses came as {told_dialer['listen_addrs']}")
    require(told_dialer["observed_addr"] == connected["remote_addr"],
            f"dialer is at {connected['remote_addr']}, but was told {told_dialer['observed_addr']}")
    told_listener = listener.await_event("identified", result["peer"])
    require(told_listener["agent"] == result["agent"], f"dialer's agent came as {told_listener['agent']!r}")
    require(told_listener["observed_addr"] == listener_address,
            f"listener is at {listener_address}, but was told {told_listener['observed_addr']}")
    for who, name, told in (("listener", listener.name, told_dialer), ("dialer", dialer_name, told_listener)):
        expected = SERVED_PROTOCOLS | ({RPC_PROTOCOL} if name in RPC_PEERS else set())
        missing = expected - set(told["protocols"])
        require(not missing, f"{who} does not state {sorted(missing)}")


def judge_ping(result, listener, dialer_name):
    require(len(result["rtts_ms"]) == 10, f"{len(result['rtts_ms'])} of 10 round trips")


def judge_perf(result, listener, dialer_name):
    event = listener.await_event("perf", result["peer"])
    require(result["upload_bytes"] == event["received"] == 16 << 20, f"upload: {result}, {event}")
    require(result["download_bytes"] == event["sent"] == 16 << 20, f"download: {result}, {event}")


def judge_echo(result, listener, dialer_name, bytes_each=64 << 20, count=1):
    for event in listener.await_events("echo", result["peer"], count):
        require(event["bytes"] == bytes_each and event["end"] == "fin", f"listener echoed {event}")


def judge_big_echo(result, listener, dialer_name):
    require(result["sha256_sent"] == result["sha256_received"], "hashes differ")
    require(result["bytes"] == 64 << 20, f"{result['bytes']} bytes")
    judge_echo(result, listener, dialer_name)


def judge_wrong_peer(result, listener, dialer_name):
    require(result["error_kind"] == "peer-id-mismatch", f"error kind {result['error_kind']}")


def judge_unsupported(result, listener, dialer_name):
    require(result["error_kind"] == "unsupported-protocol", f"error kind {result['error_kind']}")


def judge_streams(result, listener, dialer_name):
    require(result["streams"] == 1000, f"{result['streams']} streams")
    judge_echo(result, listener, dialer_name, 1024, 1000)


def judge_half_close_local(result, listener, dialer_name):
    judge_echo(result, listener, dialer_name, 64 << 10)


def judge_half_close_remote(result, listener, dialer_name):
    event = listener.await_event("half-close", result["peer"])
    require(event["end"] == "fin", f"listener's stream ended with {event}")
    require(event["received"] == result["counted"] == result["sent"] == 1 << 20, f"{result}, {event}")
    require(result["received"] == 1024, f"greeting of {result['received']} bytes")


def judge_reset(seen, seen_by):
    if seen_by in SEE_RESETS_AS_FIN:
        return
    require(seen["end"] == "reset", f"{seen_by} saw the reset as {seen['end']}")


def judge_reset_codes(told, seen):
    """Codes are optional on either side, as not every library has them."""
    if "code" in told and "code" in seen:
        require(told["code"] == seen["code"] == RESET_CODE, f"code {told['code']} came as {seen['code']}")


def judge_reset_local(result, listener, dialer_name):
    event = listener.await_event("echo", result["peer"])
    require(event["bytes"] == 1024, f"listener echoed {event}")
    judge_reset(event, listener.name)
    judge_reset_codes(result, event)


def judge_reset_remote(result, listener, dialer_name):
    event = listener.await_event("reset", result["peer"])
    require(result["write_refused"], "the dialer could still write")
    judge_reset(result, dialer_name)
    judge_reset_codes(event, result)


def judge_rpc_unary(result, listener, dialer_name):
    require(result["sizes"] == [0, 1, 1024, 4 << 20], f"sizes {result['sizes']}")


def judge_rpc_server_streaming(result, listener, dialer_name):
    require(result["messages"] == 10_000, f"{result['messages']} messages")


def judge_rpc_client_streaming(result, listener, dialer_name):
    require(result["sum"] == sum(range(10_000)), f"sum {result['sum']}")


def judge_rpc_two_way(result, listener, dialer_name):
    require(result["messages"] == 100, f"{result['messages']} messages")


def judge_rpc_one_way(result, listener, dialer_name):
    event = listener.await_event("rpc-log", result["peer"])
    require(event["bytes"] == result["bytes"] == 1000, f"{result}, {event}")


def judge_rpc_error(result, listener, dialer_name):
    told = {name: result[name] for name in ("code", "text", "data")}
    require(told == {"code": 42, "text": "no such document", "data": "0102"}, f"error {told}")


def judge_rpc_refusal(result, listener, dialer_name):
    require(result["code"] == -301, f"no such method came as {result['code']}")
    require(result["too_large"] == -204, f"too large came as {result['too_large']}")


def judge_rpc_cancel_local(result, listener, dialer_name):
    event = listener.await_event("rpc-wait", result["peer"])
    require(event["end"] == "cancelled", f"the listener's call ended with {event}")


def judge_rpc_cancel_remote(result, listener, dialer_name):
    pass  # the dialer saw it


def judge_rpc_deadline(result, listener, dialer_name):
    event = listener.await_event("rpc-wait", result["peer"])
    require(event["end"] == "deadline", f"the listener's call ended with {event}")


CASES = {
    "handshake": judge_handshake,
    "identify": judge_identify,
    "ping": judge_ping,
    "perf": judge_perf,
    "echo": judge_big_echo,
    "wrong-peer": judge_wrong_peer,
    "unsupported": judge_unsupported,
    "streams": judge_streams,
    "half-close-local": judge_half_close_local,
    "half-close-remote": judge_half_close_remote,
    "reset-local": judge_reset_local,
    "reset-remote": judge_reset_remote,
    "rpc-unary": judge_rpc_unary,
    "rpc-server-streaming": judge_rpc_server_streaming,
    "rpc-client-streaming": judge_rpc_client_streaming,
    "rpc-two-way": judge_rpc_two_way,
    "rpc-one-way": judge_rpc_one_way,
    "rpc-error": judge_rpc_error,
    "rpc-refusal": judge_rpc_refusal,
    "rpc-cancel-local": judge_rpc_cancel_local,
    "rpc-cancel-remote": judge_rpc_cancel_remote,
    "rpc-deadline": judge_rpc_deadline,
}


def run_case(case, seed, listener, dialer_name, dialer_command):
    require(listener.child.alive(), f"the listener is gone{listener.child.complaint()}")
    command = [*dialer_command, "dial", listener.address, case, "--seed", str(seed), "--timeout", str(CASE_TIMEOUT_S)]
    with Child(command) as dialer:
        line = dialer.await_lines(lambda lines: lines and lines[0], "result", CASE_TIMEOUT_S + START_TIMEOUT_S)
        result = parse_json_line(line)
        require(result.get("case") == case, f"result of another case: {line}")
        require(result.get("pass") is True, f"{result.get('error_kind')}: {result.get('error')}")
        try:
            CASES[case](result, listener, dialer_name)
        except KeyError as missing:
            raise Failure(f"a report lacks {missing}") from None
        dialer.end_stdin()
        code = dialer.exit_code(STOP_TIMEOUT_S)
        require(code == 0, f"the dialer passed, but its exit code is {code}")
        require(len(dialer.lines) == 1, f"the dialer printed {len(dialer.lines)} lines")
    listener.await_gone(result["peer"])


def check_usage(command):
    for arguments in ([], ["no-such-command"], ["dial", f"/ip4/127.0.0.1/udp/1/quic-v1/p2p/{LISTENER_PEER}", "no-such-case"]):
        with Child([*command, *arguments]) as child:
            child.end_stdin()
            code = child.exit_code(START_TIMEOUT_S)
            require(code == 2, f"exit code {code} for arguments {arguments}")
            require(not child.lines, f"{child.lines} on stdout for arguments {arguments}")


def check_unreachable(command):
    """Dialing what never answers ends in a failed result, within its timeout."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"/ip4/127.0.0.1/udp/{silent.getsockname()[1]}/quic-v1/p2p/{LISTENER_PEER}"
        with Child([*command, "dial", address, "handshake", "--timeout", "3"]) as child:
            child.end_stdin()
            code = child.exit_code(START_TIMEOUT_S)
            require(code == 1, f"exit code {code}")
            require(len(child.lines) == 1, f"{len(child.lines)} lines")
            result = parse_json_line(child.lines[0])
            require(result.get("pass") is False and result.get("error"), f"result {result}")


def check_stop(name, command, stop):
    with Listener(name, command) as listener:
        require(listener.listening["peer"] == LISTENER_PEER,
                f"seed {LISTENER_SEED} gave {listener.listening['peer']} instead of {LISTENER_PEER}")
        if stop == "stdin":
            listener.child.end_stdin()
        else:
            listener.child.process.send_signal(signal.SIGTERM)
        code = listener.child.exit_code(STOP_TIMEOUT_S)
        require(code == 0, f"exit code {code}")


def run_pair(tally, cases, listener_name, listener_command, dialer_name, dialer_command):
    """All cases of a pair go to one listener, which has to survive them."""
    pair = f"{dialer_name} -> {listener_name}"
    if not {dialer_name, listener_name} <= RPC_PEERS:
        cases = [case for case in cases if not case.startswith("rpc-")]
    try:
        with Listener(listener_name, listener_command) as listener:
            for seed, case in enumerate(cases, FIRST_DIALER_SEED):
                tally.run(f"{pair}  {case}", run_case, case, seed, listener, dialer_name, dialer_command)
    except Failure as failure:
        def fail():
            raise Failure(f"listener: {failure}")
        tally.run(pair, fail)


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
    parser.add_argument("--only", type=names, help="implementations, e.g. ours,go")
    parser.add_argument("--case", type=names, default=list(CASES), help="cases, e.g. ping,echo")
    arguments = parser.parse_args()
    if unknown := set(arguments.case) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}")

    exit_on_signals()
    arguments.build_dir = arguments.build_dir.resolve()
    arguments.build_dir.mkdir(parents=True, exist_ok=True)
    tally = Tally(arguments.require_all)
    commands = peers(arguments, tally)
    for name, command in commands.items():
        tally.run(f"{name}  usage", check_usage, command)
        tally.run(f"{name}  unreachable", check_unreachable, command)
        for stop in ("stdin", "SIGTERM"):
            tally.run(f"{name}  ends on {stop}", check_stop, name, command, stop)
    if "go" in commands:
        tally.run("go  rpc vectors", builds.test_go)
    for listener_name, listener_command in commands.items():
        for dialer_name, dialer_command in commands.items():
            run_pair(tally, arguments.case, listener_name, listener_command, dialer_name, dialer_command)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
