"""The C library as ctypes sees it: structs, prototypes, loading. Mirrors p2pagents.h, by its names."""
from __future__ import annotations

import ctypes
import os
import pathlib
from ctypes import POINTER, Structure, c_char, c_char_p, c_double, c_int32, c_int64, c_size_t, c_ssize_t
from ctypes import c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

ABI = (0, 1)  # what this file was written for
NEEDS = "ngtcp2, GnuTLS, libuv, c-ares, libsodium, libsecp256k1 and ISA-L"

OK, NONE = 0, 1
INVALID_ARGUMENT, INVALID_STATE, NOT_FOUND, TIMEOUT, CANCELLED = -1, -2, -3, -4, -5
WOULD_BLOCK, BUFFER_TOO_SMALL, CLOSED, STALE_HANDLE, WRONG_THREAD = -6, -8, -13, -14, -15
STREAM_FINISHED, MESSAGE_TOO_LARGE, APPLICATION, DEADLINE_EXCEEDED = -203, -204, -300, -302

(EVENT_DIAL_DONE, EVENT_PING_DONE, EVENT_PERF_DONE, EVENT_CALL_DONE, EVENT_NOTIFY_DONE,
 EVENT_STREAM_OPEN_DONE, EVENT_CHANNEL_OPEN_DONE) = range(1, 8)
(EVENT_REQUEST, EVENT_CALL_INCOMING, EVENT_CALL_MESSAGE, EVENT_CALL_FINISHED, EVENT_CALL_WRITABLE,
 EVENT_CALL_ENDED) = range(16, 22)
(EVENT_STREAM_INCOMING, EVENT_STREAM_DATA, EVENT_STREAM_FINISHED, EVENT_STREAM_WRITABLE,
 EVENT_STREAM_ENDED) = range(32, 37)
EVENT_CHANNEL_ENDED = 40
(EVENT_LISTENING, EVENT_LISTEN_FAILED, EVENT_CONNECTED, EVENT_DISCONNECTED, EVENT_IDENTIFIED,
 EVENT_PATH_CHANGED, EVENT_DATAGRAM, EVENT_MESSAGE, EVENT_SESSION_MESSAGE, EVENT_REFUSED,
 EVENT_LAN_MESSAGE) = range(48, 59)
EVENT_CLOSED = 64
(DIAL_CONNECTED, DIAL_RESOLVING, DIAL_CONNECTING, DIAL_SECURING, DIAL_MUXING) = range(5)
(DIAL_SKIPPED_BACKOFF, DIAL_SKIPPED_BLACK_HOLE, DIAL_SKIPPED_PRIVATE, DIAL_SKIPPED_GATED,
 DIAL_SKIPPED_NO_TRANSPORT, DIAL_SKIPPED_LIMIT) = range(16, 22)
EVENT_FLAG_LAST = 1

SERVE_UNARY, SERVE_STREAMING = 1, 2
CALL_REPLAY_SAFE, CALL_COMPRESS = 1, 2
PRIORITY_CONTROL, PRIORITY_INTERACTIVE, PRIORITY_BULK = 1, 2, 3
DIRECTION_OUTBOUND, DIRECTION_INBOUND = 1, 2
DELIVERY_UNRELIABLE, DELIVERY_SEQUENCED, DELIVERY_RELIABLE, DELIVERY_ORDERED = 1, 2, 3, 4
CONGESTION_CUBIC, CONGESTION_BBR = 1, 2
DIAL_PRIVATE_SAME_SUBNET, DIAL_PRIVATE_ALL, DIAL_PRIVATE_NONE = 1, 2, 3
SECURITY_NOISE_TLS, SECURITY_TLS_NOISE, SECURITY_NOISE, SECURITY_TLS = 1, 2, 3, 4
WEB_TRUST_ROOTS, WEB_TRUST_ALL = 1, 2
UNLIMITED = 0xffffffff
LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_TRACE = range(1, 6)
(PEER_AGENT_VERSION, PEER_PROTOCOL_VERSION, PEER_PROTOCOLS, PEER_ADDRESSES,
 PEER_OBSERVED_ADDRESS) = range(1, 6)


class Peer(Structure):
    _fields_ = [("size", c_uint8), ("bytes", c_uint8 * 47)]


class Bytes(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]

    def lent(self) -> memoryview:
        """What is there until the event is released."""
        return memoryview((c_char * self.size).from_address(self.data or 0))

    def copy(self, begin: int = 0) -> bytes:
        return ctypes.string_at(self.data + begin, self.size - begin) if self.size else b""

    def text(self) -> str:
        return self.copy().decode("utf-8", "replace")


class _Sized(Structure):
    """Begins with struct_size, which is filled in."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.struct_size = ctypes.sizeof(self)


class ErrorInfo(_Sized):
    _fields_ = [("struct_size", c_uint32), ("code", c_int32), ("detail", c_uint64),
                ("text", c_char * 240)]


class Limits(_Sized):
    _fields_ = [("struct_size", c_uint32)] + [(name, c_uint32) for name in (
        "connections_max", "connections_per_peer_max", "connections_per_ip_max", "handshakes_max",
        "handshakes_per_ip_max", "streams_max", "streams_per_peer_max",
        "streams_inbound_per_connection_max", "calls_max", "calls_per_peer_max", "events_max")
    ] + [(name, c_uint64) for name in (
        "memory_max", "memory_per_peer_max", "message_bytes_max", "stream_window",
        "connection_window", "send_buffer_max")
    ] + [("streams_per_ip_max", c_uint32), ("calls_per_ip_max", c_uint32),
         ("memory_per_ip_max", c_uint64)]


class LogRecord(Structure):
    _fields_ = [("struct_size", c_uint32), ("level", c_uint32), ("subsystem", Bytes), ("text", Bytes)]


LogFn = ctypes.CFUNCTYPE(None, c_void_p, POINTER(LogRecord))
DropFn = ctypes.CFUNCTYPE(None, c_void_p)


class NodeOptions(_Sized):
    _fields_ = [("struct_size", c_uint32), ("serve_perf", c_uint32),
                ("key", c_char_p), ("key_size", c_size_t),
                ("key_file", c_char_p), ("key_file_size", c_size_t),
                ("listen", c_char_p), ("listen_size", c_size_t),
                ("agent_version", c_char_p), ("agent_version_size", c_size_t),
                ("qlog_directory", c_char_p), ("qlog_directory_size", c_size_t),
                ("limits", POINTER(Limits)), ("idle_timeout_us", c_int64),
                ("keep_alive_us", c_int64), ("handshake_timeout_us", c_int64),
                ("congestion_control", c_uint32), ("log_level", c_uint32),
                ("log", LogFn), ("log_ctx", c_void_p), ("log_drop", DropFn),
                ("dial_private", c_uint32), ("security", c_uint32),
                ("network_key", c_char_p), ("network_key_size", c_size_t),
                ("proxy", c_char_p), ("proxy_size", c_size_t),
                ("web_certificate_file", c_char_p), ("web_certificate_file_size", c_size_t),
                ("web_key_file", c_char_p), ("web_key_file_size", c_size_t),
                ("web_roots_file", c_char_p), ("web_roots_file_size", c_size_t),
                ("dns_servers", c_char_p), ("dns_servers_size", c_size_t),
                ("heartbeat_us", c_int64), ("grace_us", c_int64), ("idle_close_us", c_int64),
                ("high_water", c_uint32), ("low_water", c_uint32),
                ("connections_kept_per_peer", c_uint32), ("web_trust", c_uint32),
                ("open_timeout_us", c_int64),
                ("lan_application", c_char_p), ("lan_application_size", c_size_t),
                ("lan_port", c_uint32), ("lan_broadcast", c_uint32)]


class CallOptions(_Sized):
    _fields_ = [("struct_size", c_uint32), ("flags", c_uint32), ("deadline_us", c_int64),
                ("priority", c_uint32), ("reserved", c_uint32)]


class SessionMessageOptions(_Sized):
    _fields_ = [("struct_size", c_uint32), ("delivery", c_uint32), ("lifetime_us", c_int64), ("channel", c_uint32),
                ("priority", c_int32), ("correction", c_uint32), ("reserved", c_uint32)]


class ChannelOptions(_Sized):
    _fields_ = [("struct_size", c_uint32), ("no_repair", c_uint32), ("deadline_us", c_int64),
                ("repair_percent_max", c_uint32), ("reserved", c_uint32)]


class ChannelStats(_Sized):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_uint32), ("messages", c_uint64), ("packets", c_uint64),
                ("repairs", c_uint64), ("size_max", c_uint64), ("loss", c_double), ("burst", c_double)]


class ConnectionInfo(_Sized):
    _fields_ = [("struct_size", c_uint32), ("outbound", c_uint32), ("connection", c_uint64),
                ("peer", Peer), ("rtt_ns", c_int64), ("bytes_sent", c_uint64),
                ("bytes_received", c_uint64), ("packets_sent", c_uint64),
                ("packets_received", c_uint64), ("streams", c_uint32),
                ("reserved", c_uint32), ("jitter_ns", c_int64), ("age_ns", c_int64),
                ("loss", c_double), ("throughput", c_double), ("score", c_double)]


class Usage(_Sized):
    _fields_ = [("struct_size", c_uint32), ("handshakes", c_uint32), ("connections", c_uint32),
                ("streams", c_uint32), ("calls", c_uint32), ("events", c_uint32),
                ("memory", c_uint64), ("event_bytes", c_uint64)]


class Event(_Sized):
    _fields_ = [("struct_size", c_uint32), ("kind", c_uint32), ("node", c_uint64),
                ("token", c_uint64), ("op", c_uint64), ("call", c_uint64), ("stream", c_uint64),
                ("connection", c_uint64), ("peer", Peer), ("status", c_int32),
                ("application_code", c_int32), ("detail", c_uint64), ("text", Bytes),
                ("data", Bytes), ("name", Bytes), ("address", Bytes), ("duration_ns", c_int64),
                ("bytes_up", c_uint64), ("bytes_down", c_uint64), ("upload_ns", c_int64),
                ("download_ns", c_int64), ("flags", c_uint32), ("dropped", c_uint32),
                ("channel", c_uint64), ("delivery", c_uint32), ("session_channel", c_uint32),
                ("count", c_uint64)]


class DialAttempt(_Sized):
    _fields_ = [("struct_size", c_uint32), ("stage", c_uint32), ("status", c_int32),
                ("reserved", c_uint32), ("detail", c_uint64), ("started_ns", c_int64),
                ("took_ns", c_int64), ("address", Bytes), ("text", Bytes)]


Handle = c_uint64  # a one-field struct in C, which by value is that field

_TEXT = [c_char_p, c_size_t]
_DATA = [c_void_p, c_size_t]
_HANDLE_OUT, _PEER, _ERROR = POINTER(Handle), POINTER(Peer), POINTER(ErrorInfo)
_BUFFER = [c_char_p, POINTER(c_size_t)]
_EVENT = POINTER(Event)
_OPTIONS = POINTER(CallOptions)

PROTOTYPES: dict[str, list[Any]] = {
    "p2pa_peer_parse": [*_TEXT, _PEER],
    "p2pa_peer_text": [_PEER, *_BUFFER],
    "p2pa_address_peer": [*_TEXT, _PEER],
    "p2pa_key_generate": _BUFFER,
    "p2pa_key_peer": [*_DATA, _PEER],
    "p2pa_node_open": [POINTER(NodeOptions), _HANDLE_OUT, _ERROR],
    "p2pa_node_close": [Handle],
    "p2pa_node_free": [Handle],
    "p2pa_node_poll": [Handle, c_int64, c_uint32],
    "p2pa_node_wakeup_fd": [Handle, POINTER(c_ssize_t)],
    "p2pa_node_next_deadline": [Handle, POINTER(c_int64)],
    "p2pa_node_start_thread": [Handle],
    "p2pa_node_next_event": [Handle, _EVENT],
    "p2pa_node_wait_event": [Handle, c_int64, _EVENT],
    "p2pa_event_release": [_EVENT],
    "p2pa_event_dial_attempt": [_EVENT, c_size_t, POINTER(DialAttempt)],
    "p2pa_op_cancel": [Handle],
    "p2pa_node_peer": [Handle, _PEER],
    "p2pa_node_addresses": [Handle, *_BUFFER],
    "p2pa_node_listen": [Handle, *_TEXT, _ERROR],
    "p2pa_node_add_address": [Handle, _PEER, *_TEXT, _ERROR],
    "p2pa_node_dial": [Handle, *_TEXT, _HANDLE_OUT, _ERROR],
    "p2pa_node_dial_peer": [Handle, _PEER, _HANDLE_OUT],
    "p2pa_node_disconnect": [Handle, _PEER],
    "p2pa_node_keep": [Handle, _PEER],
    "p2pa_node_unkeep": [Handle, _PEER],
    "p2pa_node_protect": [Handle, _PEER, *_TEXT],
    "p2pa_node_unprotect": [Handle, _PEER, *_TEXT],
    "p2pa_node_set_value": [Handle, _PEER, *_TEXT, c_int32],
    "p2pa_node_choose_peer": [Handle, _PEER, c_size_t, _PEER],
    "p2pa_node_deny": [Handle, *_TEXT],
    "p2pa_node_allow": [Handle, *_TEXT],
    "p2pa_node_forget_rule": [Handle, *_TEXT],
    "p2pa_node_allow_only": [Handle, c_uint32],
    "p2pa_node_connections": [Handle, POINTER(c_uint64), POINTER(c_size_t)],
    "p2pa_node_connection_info": [Handle, c_uint64, POINTER(ConnectionInfo)],
    "p2pa_node_connection_address": [Handle, c_uint64, *_BUFFER],
    "p2pa_node_peer_info": [Handle, _PEER, c_uint32, *_BUFFER],
    "p2pa_node_limit_refusals": [Handle, c_uint32, POINTER(c_uint64)],
    "p2pa_node_drops": [Handle, c_uint32, POINTER(c_uint64)],
    "p2pa_node_usage": [Handle, POINTER(Usage)],
    "p2pa_node_ping": [Handle, _PEER, _HANDLE_OUT],
    "p2pa_node_perf": [Handle, _PEER, c_uint64, c_uint64, _HANDLE_OUT],
    "p2pa_node_serve": [Handle, *_TEXT, c_uint32],
    "p2pa_node_stop_serving": [Handle, *_TEXT],
    "p2pa_node_call": [Handle, _PEER, *_TEXT, *_DATA, _OPTIONS, _HANDLE_OUT],
    "p2pa_node_notify": [Handle, _PEER, *_TEXT, *_DATA, _HANDLE_OUT],
    "p2pa_node_call_open": [Handle, _PEER, *_TEXT, _OPTIONS, _HANDLE_OUT],
    "p2pa_call_send": [Handle, *_DATA],
    "p2pa_call_send_take": [Handle, *_DATA, DropFn, c_void_p],
    "p2pa_call_finish": [Handle],
    "p2pa_call_reply": [Handle, *_DATA],
    "p2pa_call_reply_take": [Handle, *_DATA, DropFn, c_void_p],
    "p2pa_call_fail": [Handle, c_int32, *_TEXT, *_DATA],
    "p2pa_call_cancel": [Handle],
    "p2pa_node_handle_protocol": [Handle, *_TEXT],
    "p2pa_node_open_stream": [Handle, _PEER, *_TEXT, _HANDLE_OUT],
    "p2pa_stream_write": [Handle, *_DATA, POINTER(c_size_t)],
    "p2pa_stream_write_take": [Handle, *_DATA, DropFn, c_void_p],
    "p2pa_stream_finish": [Handle],
    "p2pa_stream_reset": [Handle, c_uint64],
    "p2pa_node_send_datagram": [Handle, _PEER, *_DATA],
    "p2pa_node_send_session_message": [Handle, _PEER, *_DATA, POINTER(SessionMessageOptions)],
    "p2pa_node_join_lan": [Handle, *_TEXT],
    "p2pa_node_leave_lan": [Handle, *_TEXT],
    "p2pa_node_send_lan": [Handle, *_TEXT, *_DATA],
    "p2pa_node_lan_drops": [Handle, c_uint32, POINTER(c_uint64)],
    "p2pa_call_set_priority": [Handle, c_uint32],
    "p2pa_stream_set_priority": [Handle, c_uint32],
    "p2pa_node_set_rate_limit": [Handle, *_TEXT, c_uint32, c_uint64, c_uint64],
    "p2pa_node_clear_rate_limit": [Handle, *_TEXT, c_uint32],
    "p2pa_node_rate_limit": [Handle, *_TEXT, c_uint32, POINTER(c_uint64), POINTER(c_uint64)],
    "p2pa_node_open_channel": [Handle, _PEER, POINTER(ChannelOptions), _HANDLE_OUT],
    "p2pa_channel_send": [Handle, *_DATA],
    "p2pa_channel_close": [Handle],
    "p2pa_channel_info": [Handle, POINTER(ChannelStats)],
}
TEXTS: dict[str, list[Any]] = {
    "p2pa_version": [],
    "p2pa_status_name": [c_int32],
    "p2pa_status_text": [c_int32],
    "p2pa_event_name": [c_uint32],
    "p2pa_limit_name": [c_uint32],
    "p2pa_drop_name": [c_uint32],
    "p2pa_lan_drop_name": [c_uint32],
    "p2pa_dial_stage_name": [c_uint32],
}


def _path() -> str:
    """P2PAGENTS_LIBRARY, or the library that lies in this package."""
    chosen = os.environ.get("P2PAGENTS_LIBRARY")
    if chosen:
        return chosen
    inside = pathlib.Path(__file__).with_name("libp2pagents.so")
    if inside.exists():
        return str(inside)
    raise ImportError(f"there is no {inside.name} in this package: install it with pip, or set "
                      "P2PAGENTS_LIBRARY to the path of a built one")


def load(path: str) -> ctypes.CDLL:
    """Loads the library and gives its functions their types. ImportError says what is wrong."""
    try:
        library = ctypes.CDLL(path)  # every call through it releases the GIL
    except OSError as why:
        raise ImportError(f"cannot load the p2pagents library: {why} (it needs {NEEDS} of the system)") from why
    try:
        _check_abi(library, path)
        for names, result in ((PROTOTYPES, c_int32), (TEXTS, c_char_p)):
            for name, arguments in names.items():
                function = getattr(library, name)
                function.argtypes, function.restype = arguments, result
    except AttributeError as why:
        raise ImportError(f"{path} is not a p2pagents library that fits: {why}") from why
    return library


def _check_abi(library: ctypes.CDLL, path: str) -> None:
    major, minor = c_uint32(), c_uint32()
    library.p2pa_abi_version(ctypes.byref(major), ctypes.byref(minor))
    if major.value != ABI[0] or minor.value < ABI[1]:
        raise ImportError(
            f"{path} has ABI {major.value}.{minor.value}, this Python package needs {ABI[0]}.{ABI[1]} or a "
            "later one with the same first number: install the two from the same version")


lib: Any = load(_path())
