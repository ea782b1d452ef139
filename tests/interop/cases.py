"""One function per case: judges the dialer's result and what the listener reports of it, while both are connected."""
import re

from harness import require

RESET_CODE = 42
# libp2p-quic (js) hands a reset by the other side on as if it were FIN.
SEE_RESETS_AS_FIN = {("js", "quic")}
# Node's own WebSocket masks what it sends one byte after the other, at times with 3 MiB a second.
SEND_SLOWLY = {("js", road) for road in ("ws-noise", "ws-tls", "wss-noise", "wss-tls", "pnet-ws-noise", "pnet-ws-tls")}
# Who speaks /p2pagents/rpc/1.0.0; the others are not asked.
RPC_PEERS = {"ours", "go"}
RPC_PROTOCOL = "/p2pagents/rpc/1.0.0"
SERVED_PROTOCOLS = {
    "/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/perf/1.0.0",
    *(f"/p2pagents/interop/{name}/1.0.0" for name in ("echo", "half-close", "reset"))}


def transport_part(address):
    """Without the peer, and /wss in the longer of its two spellings."""
    return re.sub(r"/wss$", "/tls/ws", re.sub(r"/p2p/[^/]+$", "", address))


def echo_bytes(dialer_name, road):
    return (8 if (dialer_name, road) in SEND_SLOWLY else 64) << 20


def judge_handshake(result, listener, dialer_name):
    require(result["remote_peer"] == listener.listening["peer"], "another peer was reached")
    require(transport_part(result["remote_addr"]) == transport_part(listener.address),
            f"reached at {result['remote_addr']}")
    listener.await_event("connected", result["peer"])


def judge_identify(result, listener, dialer_name):
    listener_address = transport_part(listener.address)
    connected = listener.await_event("connected", result["peer"])
    told_dialer = result["identified"]
    require(told_dialer["peer"] == listener.listening["peer"], "the dialer identified another peer")
    require(told_dialer["agent"] == listener.listening["agent"], f"listener's agent came as {told_dialer['agent']!r}")
    require(listener_address in map(transport_part, told_dialer["listen_addrs"]),
            f"listener's addresses came as {told_dialer['listen_addrs']}")
    require(transport_part(told_dialer["observed_addr"]) == transport_part(connected["remote_addr"]),
            f"dialer is at {connected['remote_addr']}, but was told {told_dialer['observed_addr']}")
    told_listener = listener.await_event("identified", result["peer"])
    require(told_listener["agent"] == result["agent"], f"dialer's agent came as {told_listener['agent']!r}")
    require(transport_part(told_listener["observed_addr"]) == listener_address,
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


def judge_echo(result, listener, dialer_name, bytes_each, count=1):
    for event in listener.await_events("echo", result["peer"], count):
        require(event["bytes"] == bytes_each and event["end"] == "fin", f"listener echoed {event}")


def judge_big_echo(result, listener, dialer_name):
    require(result["sha256_sent"] == result["sha256_received"], "hashes differ")
    size = echo_bytes(dialer_name, listener.road)
    require(result["bytes"] == size, f"{result['bytes']} bytes")
    require(result["idle_streams"] == 100, f"{result['idle_streams']} streams idled beside it")
    events = listener.await_events("echo", result["peer"], 101)
    require(sorted(event["bytes"] for event in events) == [1] * 100 + [size], f"listener echoed {events}")
    require(all(event["end"] == "fin" for event in events), f"listener's streams ended with {events}")


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


def judge_idle(result, listener, dialer_name):
    require(result["seconds"] == 35, f"idle for {result['seconds']} s")


def judge_reset(seen, seen_by, road):
    if (seen_by, road) in SEE_RESETS_AS_FIN:
        return
    require(seen["end"] == "reset", f"{seen_by} saw the reset as {seen['end']}")


def judge_reset_codes(told, seen):
    """Codes are optional on either side, as not every library has them."""
    if "code" in told and "code" in seen:
        require(told["code"] == seen["code"] == RESET_CODE, f"code {told['code']} came as {seen['code']}")


def judge_reset_local(result, listener, dialer_name):
    event = listener.await_event("echo", result["peer"])
    require(event["bytes"] == 1024, f"listener echoed {event}")
    judge_reset(event, listener.name, listener.road)
    judge_reset_codes(result, event)


def judge_reset_remote(result, listener, dialer_name):
    event = listener.await_event("reset", result["peer"])
    require(result["write_refused"], "the dialer could still write")
    judge_reset(result, dialer_name, listener.road)
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
    "idle": judge_idle,
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
