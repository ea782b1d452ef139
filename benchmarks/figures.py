"""What is measured, beside what, and the targets."""
import dataclasses
import operator
import pathlib
from collections.abc import Callable

from sources import Alone, IdleMemory, Iperf3, LibrarySize, Messages, Pair

WEB_FILES = pathlib.Path(__file__).resolve().parents[1] / "build" / "web-certificate"
SYMBOLS = {"≥": operator.ge, "≤": operator.le}


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much of everything."""
    bulk_bytes: int = 1 << 30
    iperf3_s: int = 2  # whole seconds
    rounds: int = 20_000
    deep_rounds: int = 100_000
    dials: int = 400
    go_dials: int = 100
    idle: int = 200
    quiet_s: int = 60


QUICK = Sizes(bulk_bytes=16 << 20, iperf3_s=1, rounds=500, deep_rounds=2_000, dials=20, go_dials=5, idle=20, quiet_s=1)


@dataclasses.dataclass(frozen=True)
class Target:
    """Of the ratio to the reference, or of our own value."""
    subject: str
    symbol: str
    number: float

    def met(self, value):
        return SYMBOLS[self.symbol](value, self.number)

    def __str__(self):
        return f"{'ratio ' if self.subject == 'ratio' else ''}{self.symbol} {self.number:g}"


def ratio(symbol, number):
    return Target("ratio", symbol, number)


def ours(symbol, number):
    return Target("ours", symbol, number)


@dataclasses.dataclass(frozen=True)
class Figure:
    title: str
    unit: str
    of: Callable[[dict], float]
    target: Target | None = None
    reference: str | None = None


@dataclasses.dataclass(frozen=True)
class Group:
    """Measured one right after the other: the references, then ours."""
    name: str
    references: tuple
    ours: object
    figures: tuple
    side_by_side: bool = False  # all runs at once: they take long, and nothing happens in them


def field(*names, scale=1.0):
    def of(result):
        for name in names:
            result = result[name]
        return result * scale
    return of


def cpu_s_per_gb(result):
    return (result["cpu_s"] + result["server_cpu_s"]) / (result["bytes"] * 1e-9)


def both_ends_kib(result):
    return result["kib_each"] + result["server_kib_each"]


def groups(sizes, has_enet=True):
    return [bulk(sizes), *([] if sizes is QUICK else [ethernet(sizes)]), *roads(sizes), *latency(sizes), *deep(sizes),
            *(messages() if has_enet else ()), *shaping(sizes), dialing(sizes), handshakes(sizes), memory(sizes), starting(), size(), heap(sizes), quiet(sizes)]


def bulk(sizes):
    """Not pinned: so it is used."""
    words = f"bulk --bytes {sizes.bulk_bytes}"
    speed = field("gbit_s")
    references = (Pair("go_libp2p", words), Pair("quinn", words), Iperf3(sizes.iperf3_s))
    return Group("bulk", references, Pair("ours", words), (
        Figure("bulk, one stream", "Gbit/s", speed, ratio("≥", 0.40), "iperf3"),
        Figure("bulk, one stream", "Gbit/s", speed, ratio("≥", 3), "go_libp2p"),
        Figure("bulk, one stream", "Gbit/s", speed, ratio("≥", 1.5), "quinn"),
        Figure("bulk, CPU both ends", "s/GB", cpu_s_per_gb, None, "iperf3"),
        Figure("bulk, CPU both ends", "s/GB", cpu_s_per_gb, None, "go_libp2p"),
        Figure("bulk, CPU both ends", "s/GB", cpu_s_per_gb, None, "quinn")))


def ethernet(sizes):
    """Through this host's own address, which the dialer takes for another host's: with packets that Ethernet
    carries. The references have such packets always."""
    words = f"bulk --bytes {sizes.bulk_bytes}"
    ours = Pair("ours", words, server_words="--outside 1")
    return Group("ethernet", (Pair("go_libp2p", words), Pair("quinn", words), Iperf3(sizes.iperf3_s)), ours, (
        Figure("bulk, packets as on Ethernet", "Gbit/s", field("gbit_s"), None, "iperf3"),
        Figure("bulk, packets as on Ethernet", "Gbit/s", field("gbit_s"), None, "go_libp2p"),
        Figure("bulk, packets as on Ethernet", "Gbit/s", field("gbit_s"), None, "quinn")))


def roads(sizes):
    """The same over every other transport; go-libp2p's preferred muxer is Yamux, too, and it has no sessions over UDP."""
    wss = f"--wss {WEB_FILES}"
    for name, listening, tls, go, target in (
            ("TCP+Noise+Yamux", "--tcp 1", "", True, ratio("≥", 1.2)),
            ("TCP+TLS+Yamux", "--tcp 1", " --tls 1", True, ratio("≥", 1.2)),
            ("WebSocket+Noise+Yamux", "--ws 1", "", True, None),
            ("WSS+Noise+Yamux", wss, "", False, None),
            ("UDP session", "--udp 1", "", False, None)):
        bulk_words, dial_words = f"bulk --bytes {sizes.bulk_bytes}{tls}", f"connect --count {sizes.dials}{tls}"
        go_dial = f"connect --count {sizes.go_dials}{tls}"
        call_words = f"rpc --size 64 --rounds {sizes.rounds}{tls}"
        server = f"{listening}{tls}"

        def theirs(words, has=go, its_server=server):
            return (Pair("go_libp2p", words, None, its_server),) if has else ()
        go_name = "go_libp2p" if go else None
        yield Group(f"bulk {name}", (*theirs(bulk_words), Iperf3(sizes.iperf3_s)), Pair("ours", bulk_words, None, server), (
            *([Figure(f"bulk, {name}", "Gbit/s", field("gbit_s"), target, go_name)] if go else []),
            Figure(f"bulk, {name}", "Gbit/s", field("gbit_s"), None, "iperf3"),
            Figure(f"bulk, {name}, CPU both ends", "s/GB", cpu_s_per_gb, None, go_name)))
        yield Group(f"dial {name}", theirs(go_dial), Pair("ours", dial_words, None, server), (
            Figure(f"dial to first answer, {name}, p50", "ms", field("p50_us", scale=1e-3), None, go_name),))
        yield Group(f"call {name}", (), Pair("ours", call_words, "same", server), (
            Figure(f"call, {name}, 64 B, p50", "µs", field("p50_us")),))
        yield Group(f"idle {name}", (), IdleMemory("ours", sizes.idle, tls, listening), (
            Figure(f"memory of an idle connection, {name}, both ends", "KiB", both_ends_kib),))


def messages():
    """Sessions over UDP, encrypted, beside ENet, which is not; both ends in one process and thread."""
    for kind in ("ordered", "unreliable"):
        for size in (64, 1024):
            yield Group(f"messages {kind} {size} B", (Messages("enet", kind, size),), Messages("ours", kind, size), (
                Figure(f"messages, {kind}, {size} B", "1/s", field("per_s"), ratio("≥", 1), "enet"),
                Figure(f"  under way, {kind}, {size} B, p50", "µs", field("p50_us"), None, "enet"),
                Figure(f"  under way, {kind}, {size} B, p99", "µs", field("p99_us"), ratio("≤", 1), "enet")))


def latency(sizes):
    """Both ends on one CPU: an idle virtual CPU takes longer to wake than all the rest."""
    cases = (("stream", "pingpong", "request and answer, open stream", 4.5),
             ("call", "rpc", "call, stream of its own", 8))
    for name, case, title, target in cases:
        for size in (64, 1024):
            words = f"--size {size} --rounds {sizes.rounds}"
            reference = Pair("udp", f"pingpong {words}", "same")
            yield Group(f"{name} {size} B", (reference,), Pair("ours", f"{case} {words}", "same"), (
                Figure(f"{title}, {size} B, p50", "µs", field("p50_us"), ratio("≤", target), "udp"),
                Figure(f"{title}, {size} B, p99", "µs", field("p99_us"), None, "udp")))


def deep(sizes):
    """Not pinned: with so many in flight nobody sleeps, and the CPU time of a message decides."""
    cases = (("64 on a stream", "pingpong", "messages, open stream", 4),
             ("64 on a call", "messages", "messages, two-way call", 4), ("64 calls", "rpc", "calls", 1.5))
    words = f"--size 64 --depth 64 --rounds {sizes.deep_rounds}"
    for name, case, title, target in cases:
        yield Group(name, (Pair("grpc", f"pingpong {words}"),), Pair("ours", f"{case} {words}"), (
            Figure(f"{title}, 64 in flight", "1/s", field("per_s"), ratio("≥", target), "grpc"),))


def shaping(sizes):
    """Ours against ours, in one process: how much of what is allowed a ping needs beside a saturating upload (twice the
    idle one, and the time of a full send buffer), and what it gives to send many messages in one turn, and packed."""
    small = sizes.rounds // 20
    for name, server in (("QUIC", ""), ("TCP", "--tcp 1")):
        yield Group(f"urgent {name}", (), Pair("ours", f"urgent --rounds {small}", None, server), (
            Figure(f"ping beside bulk, {name}, p99", "µs", field("busy_p99_us")),
            Figure(f"  idle, {name}, p99", "µs", field("idle_p99_us")),
            Figure(f"  beside bulk, of what is allowed, {name}", "", field("of_allowed"), ours("≤", 1)),
            Figure(f"  the bulk meanwhile, {name}", "Gbit/s", field("gbit_s"))))
        yield Group(f"batching {name}", (), Pair("ours", "batching", None, server), (
            Figure(f"packets for 1,000 messages of 32 B in one turn, {name}", "", field("together", "packets")),
            Figure(f"  one after the other, {name}", "", field("apart", "packets"))))
    for size in (1024, 65536):
        yield Group(f"compression {size} B", (), Pair("ours", f"compression --size {size} --rounds {small}"), (
            Figure(f"bytes of a packed to a plain call, {size} B", "",
                   lambda taken: taken["packed"]["bytes_each"] / taken["plain"]["bytes_each"]),
            Figure(f"  its time to the plain one's on loopback, {size} B", "",
                   lambda taken: taken["packed"]["p50_us"] / taken["plain"]["p50_us"])))


def dialing(sizes):
    words = f"connect --count {sizes.dials}"
    references = (Pair("go_libp2p", f"connect --count {sizes.go_dials}"), Pair("quinn", words))
    p50, p99 = field("p50_us", scale=1e-3), field("p99_us", scale=1e-3)
    return Group("dial", references, Pair("ours", words), (
        Figure("dial to first answer, p50", "ms", p50, ours("≤", 1.3), "quinn"),
        Figure("dial to first answer, p50", "ms", p50, None, "go_libp2p"),
        Figure("dial to first answer, p99", "ms", p99, None, "quinn"),
        Figure("handshakes in turn", "1/s", field("per_s"), None, "quinn")))


def handshakes(sizes):
    words = f"connect --count {sizes.dials} --parallel 8"
    return Group("8 dials", (Pair("quinn", words),), Pair("ours", words), (
        Figure("handshakes, 8 at once", "1/s", field("per_s"), None, "quinn"),))


def memory(sizes):
    return Group("idle", (IdleMemory("quinn", sizes.idle),), IdleMemory("ours", sizes.idle), (
        Figure("memory of an idle connection, both ends", "KiB", both_ends_kib, ours("≤", 150), "quinn"),
        Figure("  of these, server", "KiB", field("server_kib_each"), None, "quinn")))


def starting():
    return Group("start", (), Alone("start"), (
        Figure("start of the process to a node that listens", "ms", field("process_ms"), ours("≤", 5)),
        Figure("  of these, the node", "ms", field("node_ms")),
        Figure("resident memory of a node", "MiB", field("rss_kib", scale=1 / 1024))))


def size():
    return Group("size", (), LibrarySize(), (
        Figure("shared library, stripped", "MB", field("bytes", scale=1e-6), ours("≤", 3)),))


def heap(sizes):
    return Group("heap", (), Alone(f"alloc --bytes {sizes.bulk_bytes} --rounds {sizes.rounds}"), (
        Figure("heap allocations per datagram, bulk", "", field("bulk", "per_datagram"), ours("≤", 0)),
        Figure("heap allocations per datagram, requests", "", field("pingpong", "per_datagram"), ours("≤", 0))))


def quiet(sizes):
    return Group("quiet", (), Pair("ours", f"quiet --seconds {sizes.quiet_s}"), (
        Figure("packets of an idle connection, both ways", "1/s", field("per_s"), ours("≤", 0.25)),),
                 side_by_side=True)
