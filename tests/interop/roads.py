"""The roads from one peer to another, and which cases run on each."""
import dataclasses
import socket

from cases import CASES

APART = ("idle", "alone", "security", "trust", "private")  # run in a way of their own
FULL = tuple(case for case in CASES if case not in APART)
PROOF = ("ping",)  # that the programs of a pair without ours are fit to judge
# js, as it sets a connection up with Yamux, bears no more than ten streams, and none with its protocol, data and FIN all at
# once: a ping says that it is done.
JS_PINGS_FIRST = ("streams", "half-close-local", "echo", "soak")


@dataclasses.dataclass(frozen=True)
class Road:
    transport: str  # --transport
    form: str  # what an address of a port looks like
    cases: tuple = ()
    kind: int = socket.SOCK_STREAM  # who takes such a port
    web: bool = False  # needs certificates
    network: bool = False  # private

    def flags(self, keys, **others):
        """For a peer program; instead of the right key or web it may get another one, or none."""
        flags = ["--transport", self.transport]
        if self.web:
            flags += ["--web", str(others.get("web", keys.web))]
        if self.network and (key := others.get("network_key", keys.network_key)):
            flags += ["--network-key", str(key)]
        return flags

    def pings_first(self, listener, case):
        return int(listener == "js" and self.transport != "quic" and case in JS_PINGS_FIRST)


ROADS = {
    "quic": Road("quic", "/udp/{}/quic-v1", FULL, socket.SOCK_DGRAM),
    "tcp-noise": Road("tcp-noise", "/tcp/{}", FULL),
    "tcp-tls": Road("tcp-tls", "/tcp/{}", FULL),
    "ws-noise": Road("ws-noise", "/tcp/{}/ws", FULL),
    "ws-tls": Road("ws-tls", "/tcp/{}/ws", FULL),
    "wss-noise": Road("wss-noise", "/tcp/{}/tls/ws", FULL, web=True),
    "wss-tls": Road("wss-tls", "/tcp/{}/tls/ws", FULL, web=True),
    "pnet-tcp-noise": Road("tcp-noise", "/tcp/{}", FULL, network=True),
    "pnet-tcp-tls": Road("tcp-tls", "/tcp/{}", FULL, network=True),
    "pnet-ws-noise": Road("ws-noise", "/tcp/{}/ws", FULL, network=True),
    "pnet-ws-tls": Road("ws-tls", "/tcp/{}/ws", FULL, network=True),
    "tcp": Road("tcp", "/tcp/{}"),  # for "security"
}
# One for each way in which a road can be silent or end.
ALONE = ("quic", "tcp-noise", "ws-noise", "wss-noise")
IDLE = ("quic", "tcp-noise", "tcp-tls", "ws-noise", "wss-tls", "pnet-tcp-noise")
# What secures TCP is agreed on: (the listener's, the dialer's, whether they have one in common).
SECURITY = (("tcp-noise", "tcp", True), ("tcp-noise", "tcp-tls", False),
            ("tcp-tls", "tcp", True), ("tcp-tls", "tcp-noise", False),
            ("tcp", "tcp-noise", True), ("tcp", "tcp-tls", True))
