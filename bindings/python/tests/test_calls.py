"""Requests and answers of the blocking face."""
from __future__ import annotations

import array
import copy
import ctypes
import logging
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest
from conftest import LOOPBACK, Told

import p2pagents
from p2pagents import Node, Request
from p2pagents import _core
from p2pagents import _ffi as ffi


def test_a_call_is_answered(server: Node, client: Node) -> None:
    @server.serve
    def shout(text: bytes) -> bytes:
        return text.upper()

    assert client.call(server.address, "shout", b"hey") == b"HEY"


def test_a_peer_is_named_by_its_id_once_its_address_is_known(server: Node, client: Node) -> None:
    server.serve("echo")(lambda data: data)
    client.add_address(server.peer_id, server.address)
    assert client.call(server.peer_id, "echo", b"1") == b"1"
    assert client.dial(server.peer_id) == server.peer_id


@pytest.mark.parametrize("data", [
    b"", b"\0\xff", bytearray(b"ab"), bytearray(), memoryview(b"abcd")[1:3], memoryview(b"abcd")[::2],
    array.array("H", [1, 2]), memoryview(bytes(12)).cast("I"), memoryview(b"abcdef").cast("B", (2, 3)),
    "grüße", b"x" * 1_000_000], ids=lambda d: type(d).__name__)
def test_everything_with_bytes_in_it_can_be_sent(server: Node, client: Node, data: Any) -> None:
    server.serve("echo")(lambda request: bytearray(request))
    expected = data.encode() if isinstance(data, str) else bytes(data)
    assert client.call(server.address, "echo", data) == expected


@pytest.mark.parametrize("data", [1.5, 3, [1, 2], None], ids=repr)
def test_what_has_no_bytes_is_a_type_error(server: Node, client: Node, data: Any) -> None:
    with pytest.raises(TypeError):
        client.call(server.address, "echo", data)


def test_a_method_may_answer_text_or_nothing(server: Node, client: Node) -> None:
    server.serve("text")(lambda _: "é")
    server.serve("nothing")(lambda _: None)
    assert client.call(server.address, "text") == "é".encode()
    assert client.call(server.address, "nothing") == b""


def test_a_request_says_where_it_comes_from(server: Node, client: Node) -> None:
    told = Told()
    server.serve("who")(told.tell)
    client.call(server.address, "who", b"me", timeout=20)
    request: Request = told.wait()
    assert (request, request.peer, request.method) == (b"me", client.peer_id, "who")
    assert request.time_left is not None and 0 < request.time_left <= 20
    assert not request.cancelled


def test_without_a_timeout_there_is_no_time_left(server: Node, client: Node) -> None:
    told = Told()
    server.serve("who")(told.tell)
    client.call(server.address, "who", timeout=None)
    assert told.wait().time_left is None


def test_the_methods_own_error_reaches_the_caller(server: Node, client: Node) -> None:
    @server.serve
    def refuse(_: bytes) -> None:
        raise p2pagents.ApplicationError("no such file", 404, b"name")

    with pytest.raises(p2pagents.ApplicationError, match="no such file") as caught:
        client.call(server.address, "refuse")
    error = caught.value
    assert (error.application_code, error.data, error.peer) == (404, b"name", server.peer_id)


@pytest.mark.parametrize("data", [b"ab", bytearray(b"ab"), memoryview(b"ab"), "ab"],
                         ids=lambda d: type(d).__name__)
def test_an_error_carries_everything_with_bytes_in_it(server: Node, client: Node, data: Any) -> None:
    @server.serve
    def refuse(_: bytes) -> None:
        raise p2pagents.ApplicationError("\ud800", -2**31, data)

    with pytest.raises(p2pagents.ApplicationError) as caught:
        client.call(server.address, "refuse")
    assert (caught.value.text, caught.value.application_code, caught.value.data) == ("?", -2**31, b"ab")


@pytest.mark.parametrize("arguments, complaint", [
    ((5,), TypeError), (("", "E42"), TypeError), (("", 2**31), p2pagents.InvalidArgument),
    (("", -2**31 - 1), p2pagents.InvalidArgument), (("", 0, 5), TypeError), (("", 0, None), TypeError)])
def test_what_cannot_be_an_error_is_said_where_it_is_made(arguments: Any, complaint: type) -> None:
    with pytest.raises(complaint):
        p2pagents.ApplicationError(*arguments)


class Forgetful(p2pagents.ApplicationError):
    def __init__(self) -> None:
        """Does not do what that of its base does."""


def spoilt() -> p2pagents.ApplicationError:
    error = p2pagents.ApplicationError("spoilt")
    error.data = 5  # type: ignore[assignment]
    return error


def sentence(size: int) -> p2pagents.ApplicationError:
    return p2pagents.ApplicationError("x" * size, 7, b"y")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), Forgetful(),
                                   spoilt(), sentence(1000)], ids=lambda e: type(e).__name__)
def test_whatever_a_method_raises_is_answered_and_ends_no_worker(client: Node, error: BaseException) -> None:
    with Node(LOOPBACK, workers=1, limits={"message_bytes_max": 1000}) as server:
        @server.serve
        def end(_: bytes) -> None:
            raise error

        server.serve("echo")(lambda data: data)
        for _ in range(2):
            with pytest.raises(p2pagents.ApplicationError, match=type(error).__name__) as caught:
                client.call(server.address, "end", timeout=None)
            assert (caught.value.application_code, caught.value.data) == (-1, b"")
        assert client.call(server.address, "echo", b"goes on", timeout=None) == b"goes on"


def test_an_error_of_just_the_message_bound_is_sent_whole(client: Node) -> None:
    with Node(LOOPBACK, workers=1, limits={"message_bytes_max": 1000}) as server:
        @server.serve
        def end(_: bytes) -> None:
            raise sentence(999)

        with pytest.raises(p2pagents.ApplicationError, match="x{999}") as caught:
            client.call(server.address, "end", timeout=None)
        assert (caught.value.application_code, caught.value.data) == (7, b"y")


def test_a_handler_of_the_log_that_raises_leaves_no_caller_waiting(server: Node, client: Node) -> None:
    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("the disk is full")

    handler = Failing()
    wrong: Any = lambda _: 1.5
    server.serve("wrong")(wrong)
    logging.getLogger("p2pagents").addHandler(handler)
    try:
        for _ in range(3):  # more than there are workers
            with pytest.raises(p2pagents.ApplicationError):
                client.call(server.address, "wrong", timeout=None)
    finally:
        logging.getLogger("p2pagents").removeHandler(handler)


def test_an_accident_in_a_method_is_an_error_without_its_secrets(
        server: Node, client: Node, caplog: pytest.LogCaptureFixture) -> None:
    @server.serve
    def stumble(_: bytes) -> None:
        raise RuntimeError("the password is swordfish")

    with pytest.raises(p2pagents.ApplicationError) as caught:
        client.call(server.address, "stumble")
    assert caught.value.application_code == -1
    assert "RuntimeError" in str(caught.value) and "swordfish" not in str(caught.value)
    assert "swordfish" in caplog.text  # but who runs the server sees it


def test_an_answer_that_has_no_bytes_is_an_accident(server: Node, client: Node) -> None:
    wrong: Any = lambda _: 1.5
    server.serve("wrong")(wrong)
    with pytest.raises(p2pagents.ApplicationError, match="TypeError"):
        client.call(server.address, "wrong")


def test_a_handler_of_the_log_may_use_the_node(server: Node, client: Node) -> None:
    class Asking(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            server.events().close()
            told.tell(record.getMessage())

    told, handler = Told(), Asking()
    wrong: Any = lambda _: 1.5
    server.serve("wrong")(wrong)
    logging.getLogger("p2pagents").addHandler(handler)
    try:
        with pytest.raises(p2pagents.ApplicationError):
            client.call(server.address, "wrong")
        assert told.wait() == "'wrong' failed"
    finally:
        logging.getLogger("p2pagents").removeHandler(handler)


def test_a_method_that_nobody_serves_is_no_such_method(server: Node, client: Node) -> None:
    with pytest.raises(p2pagents.NoSuchMethod) as caught:
        client.call(server.address, "none")
    assert caught.value.code == -301 and caught.value.name == "no_such_method"


def test_a_method_that_is_served_no_more_is_no_such_method(server: Node, client: Node) -> None:
    server.serve("echo")(lambda data: data)
    client.call(server.address, "echo")
    server.stop_serving("echo")
    with pytest.raises(p2pagents.NoSuchMethod):
        client.call(server.address, "echo")
    with pytest.raises(p2pagents.NotFound):
        server.stop_serving("echo")


def test_a_method_is_served_once(server: Node) -> None:
    server.serve("echo")(lambda data: data)
    with pytest.raises(p2pagents.P2PError) as caught:
        server.serve("echo")(lambda data: data)
    assert caught.value.name == "invalid_state"


def test_a_deadline_passes_and_the_method_learns_of_it(server: Node, client: Node) -> None:
    done, begun = threading.Event(), Told()

    @server.serve
    def slow(request: Request) -> None:
        begun.tell(request)
        done.wait(60)

    with pytest.raises(p2pagents.DeadlineExceeded) as caught:
        client.call(server.address, "slow", timeout=0.05)
    assert isinstance(caught.value, TimeoutError)
    done.set()
    begun.wait()


@pytest.mark.parametrize("timeout", [math.inf, 1e30])
def test_a_timeout_without_end_is_none(server: Node, client: Node, timeout: float) -> None:
    told = Told()
    server.serve("who")(told.tell)
    client.call(server.address, "who", timeout=timeout)
    assert told.wait().time_left is None


def test_a_timeout_is_a_number(server: Node, client: Node) -> None:
    with pytest.raises(p2pagents.InvalidArgument, match="not a number"):
        client.call(server.address, "echo", timeout=math.nan)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy,
                                    lambda request: pickle.loads(pickle.dumps(request))])
def test_a_request_can_be_copied_and_pickled(server: Node, client: Node,
                                             copied: Callable[[Request], Request]) -> None:
    told = Told()
    server.serve("who")(told.tell)
    client.call(server.address, "who", b"me")
    request: Request = told.wait()
    request.cancelled = True
    same = copied(request)
    assert type(same) is Request and (same, vars(same)) == (request, vars(request))


def test_what_is_no_text_is_an_invalid_argument(server: Node, client: Node) -> None:
    lone = "\ud800"
    for use in (lambda: client.call(lone, "echo"), lambda: client.call(server.address, lone),
                lambda: client.call(server.address, "echo", lone), lambda: client.serve(lone)(print),
                lambda: Node(lone)):
        with pytest.raises(p2pagents.InvalidArgument, match="UTF-8"):
            use()


def test_a_timeout_that_is_over_already_is_exceeded(server: Node, client: Node) -> None:
    with pytest.raises(p2pagents.DeadlineExceeded):
        client.call(server.address, "echo", timeout=0)


def test_a_notification_arrives(server: Node, client: Node) -> None:
    told = Told()
    server.serve("log")(told.tell)
    client.notify(server.address, "log", b"something")
    assert told.wait() == b"something"


def test_a_message_over_the_bound_is_refused(server: Node) -> None:
    with Node(limits={"message_bytes_max": 1000}) as small:
        with pytest.raises(p2pagents.MessageTooLarge):
            small.call(server.address, "echo", b"x" * 1001)


def test_what_there_is_never_room_for_is_refused_at_once(server: Node) -> None:
    with Node(limits={"memory_max": 1000}) as small:
        with pytest.raises(p2pagents.MessageTooLarge):
            small.call(server.address, "echo", b"x" * 4000)
        with pytest.raises(p2pagents.MessageTooLarge):
            small.notify(server.address, "echo", b"x" * 4000)


def test_while_there_is_no_room_a_call_waits_to_its_deadline_and_no_longer(
        server: Node, client: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        return ffi.WOULD_BLOCK

    monkeypatch.setattr(_core, "ROOM_SECONDS_MAX", 0.05)
    monkeypatch.setattr(ffi.lib, "p2pa_node_call", full)
    monkeypatch.setattr(ffi.lib, "p2pa_node_notify", full)
    with pytest.raises(p2pagents.DeadlineExceeded, match="no room"):
        client.call(server.address, "echo", b"x", timeout=0.05)
    with pytest.raises(p2pagents.Timeout, match="no room"):
        client.notify(server.address, "echo", b"x")


def test_while_a_thread_waits_others_compute() -> None:
    """It waits without end in one call of the library, so only what runs beside it can end it."""
    node = Node()
    waits, taken, event = threading.Event(), ffi.OK, ffi.Event()
    handle = node._engine.node

    def wait() -> None:
        nonlocal taken
        waits.set()
        while taken == ffi.OK:
            taken = ffi.lib.p2pa_node_wait_event(handle, -1, ctypes.byref(event))
            ffi.lib.p2pa_event_release(ctypes.byref(event))

    waiting = threading.Thread(target=wait)
    waiting.start()
    waits.wait()
    ffi.lib.p2pa_node_close(handle)
    waiting.join()
    assert taken == ffi.CLOSED
    node.close()


def test_many_threads_call_at_once(server: Node, client: Node) -> None:
    server.serve("echo")(lambda data: data)
    answers: list[bytes] = []

    def ask(number: int) -> None:
        for turn in range(20):
            answers.append(client.call(server.address, "echo", f"{number}.{turn}"))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(f"{n}.{t}".encode() for n in range(8) for t in range(20))


def test_a_method_may_call_others_and_its_caller_too(server: Node, client: Node) -> None:
    client.listen(LOOPBACK)
    server.serve("ask back")(lambda request: b"they say " + server.call(request.peer, "name"))
    served = threading.Thread(target=client.run)
    client.serve("name")(lambda _: b"Bob")
    served.start()
    try:
        assert client.call(server.address, "ask back") == b"they say Bob"
    finally:
        client.close()
        served.join()


def test_what_is_served_runs_in_the_thread_that_runs_the_node(client: Node) -> None:
    with Node(LOOPBACK) as server:
        threads = []

        @server.serve
        def where(_: bytes) -> None:
            threads.append(threading.current_thread())
            threading.Thread(target=server.close).start()

        asking = threading.Thread(target=client.notify, args=(server.address, "where"))
        asking.start()
        server.run()
        asking.join()
        assert threads == [threading.current_thread()]


def test_running_ends_when_its_time_is_up(client: Node) -> None:
    client.run(0.01)


def test_methods_can_be_served_from_the_first_moment(client: Node) -> None:
    with Node(LOOPBACK, methods={"echo": lambda data: data}, workers=1) as server:
        assert client.call(server.address, "echo", b"a") == b"a"


def test_without_the_peer_s_address_there_is_no_connection(client: Node) -> None:
    nobody = p2pagents.peer_id_of(p2pagents.generate_key())
    with pytest.raises(p2pagents.NoAddress) as caught:
        client.call(nobody, "echo")
    assert isinstance(caught.value, ConnectionError) and caught.value.peer == nobody


def test_another_peer_than_the_one_that_was_named_is_not_accepted(server: Node, client: Node) -> None:
    other = p2pagents.peer_id_of(p2pagents.generate_key())
    with pytest.raises(p2pagents.PeerIdMismatch):
        client.dial(server.address.replace(server.peer_id, other))


def test_a_dial_tells_what_became_of_each_address(server: Node, client: Node) -> None:
    dialed = client.dial(server.address)
    assert dialed == server.peer_id
    assert [attempt.stage for attempt in dialed.attempts] == ["connected"]
    assert dialed.attempts[0].error is None and dialed.attempts[0].took > 0
    assert server.address == f"{dialed.attempts[0].address}/p2p/{server.peer_id}"
    assert pickle.loads(pickle.dumps(dialed)).attempts == dialed.attempts
    assert client.dial(server.peer_id).attempts == ()
    other = p2pagents.peer_id_of(p2pagents.generate_key())
    with pytest.raises(p2pagents.PeerIdMismatch) as caught:
        client.dial(server.address.replace(server.peer_id, other))
    assert [attempt.stage for attempt in caught.value.attempts] == ["securing"]
    assert isinstance(caught.value.attempts[0].error, p2pagents.PeerIdMismatch)


def test_which_private_addresses_are_dialed_is_one_of_three() -> None:
    with pytest.raises(p2pagents.InvalidArgument):
        Node(dial_private="some")
    for choice in ("same_subnet", "all", "none"):
        with Node(dial_private=choice):
            pass


def test_silence_is_a_dial_timeout() -> None:
    nobody = p2pagents.peer_id_of(p2pagents.generate_key())
    with Node(handshake_timeout=0.05) as hasty:
        with pytest.raises(p2pagents.DialTimeout) as caught:
            hasty.dial(f"/ip4/127.0.0.1/udp/1/quic-v1/p2p/{nobody}")
    assert isinstance(caught.value, TimeoutError) and isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize("name", ["", "nonsense", "/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/x"])
def test_a_peer_must_be_named_properly(client: Node, name: str) -> None:
    with pytest.raises(p2pagents.InvalidArgument) as caught:
        client.call(name, "echo")
    assert isinstance(caught.value, ValueError)
