"""What happens around a node: fork, exit, Ctrl-C, garbage, and libraries that do not fit. Each in a
Python of its own."""
from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import textwrap

import pytest

HANG_SECONDS = 100
PREAMBLE = """
import asyncio, gc, logging, os, signal, sys, threading, time, warnings
import p2pagents
from p2pagents import aio, Node
LOOPBACK = "/ip4/127.0.0.1/udp/0/quic-v1"
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
logging.getLogger("asyncio").setLevel(logging.ERROR)  # no complaints of what is slow
def say(line):  # whole, also when two threads speak at once; print() writes the end of a line apart
    os.write(1, line.encode() + b"\\n")
"""


def python(code: str, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit code and all output of a program."""
    done = subprocess.run([sys.executable, "-X", "dev", *arguments, "-c", PREAMBLE + textwrap.dedent(code)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=HANG_SECONDS, check=False, env=env)
    return done.returncode, done.stdout.strip()


def interrupted(code: str, ready: str) -> tuple[int, str]:
    """Exit code and further output of a program that Ctrl-C meets when it says that it is ready."""
    with subprocess.Popen([sys.executable, "-X", "dev", "-c", PREAMBLE + textwrap.dedent(code)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == ready + "\n"
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=HANG_SECONDS)
        finally:
            process.kill()
    return process.returncode, rest


def test_a_child_that_forked_is_told_so_and_may_open_its_own() -> None:
    code, output = python("""
        node = Node(LOOPBACK, workers=1, methods={"echo": lambda data: data})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            for use in (lambda: node.ping(node.peer_id), lambda: node.addresses, node.events,
                        lambda: node.serve("x")(print), node.run):
                try:
                    use()
                except p2pagents.Forked as error:
                    assert "open another one" in str(error)
                else:
                    print("worked")
            node.close()
            with Node(LOOPBACK) as own:
                print("child has", own.address.count("/p2p/"), flush=True)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with Node() as client:
            print(client.call(node.address, "echo", b"parent lives").decode())
        node.close()
        """)
    assert (code, output) == (0, "child has 1\nparent lives")


def test_a_child_that_goes_on_with_the_loop_does_not_move_the_parent_s_node() -> None:
    code, output = python("""
        async def main():
            async with aio.Node(LOOPBACK) as node:
                child = os.fork()
                if child == 0:
                    p2pagents._ffi.lib.p2pa_node_poll = None
                    node._engine._pump()
                    node._engine._on_timer()
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
                print("parent lives at", len(node.addresses), "address")
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.run(main())
        """)
    assert (code, output) == (0, "parent lives at 1 address")


def test_a_process_that_is_spawned_opens_its_own(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "spawning.py"
    program.write_text(textwrap.dedent("""
        import multiprocessing
        import p2pagents

        def ask(address, number):
            with p2pagents.Node() as node:
                return node.call(address, "echo", str(number))

        if __name__ == "__main__":
            with p2pagents.Node("/ip4/127.0.0.1/udp/0/quic-v1", workers=1) as server:
                server.serve("echo")(lambda data: data)
                with multiprocessing.get_context("spawn").Pool(2) as pool:
                    print(pool.starmap(ask, [(server.address, number) for number in range(4)]))
        """))
    done = subprocess.run([sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=HANG_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (0, "[b'0', b'1', b'2', b'3']\n")


@pytest.mark.parametrize("face", ["Node(LOOPBACK, workers=2)", "asyncio.run(opened())"])
def test_python_ends_with_a_node_that_is_open(face: str) -> None:
    code, output = python(f"""
        logging.getLogger("p2pagents").setLevel(1)
        async def opened():
            return await aio.Node(LOOPBACK)
        node = {face}
        """)
    assert (code, output) == (0, "")


def test_python_ends_by_an_exception_while_threads_wait() -> None:
    code, output = python("""
        node = Node(LOOPBACK, workers=3)
        def wait():
            for event in node.events(): pass
        threading.Thread(target=wait, daemon=True).start()
        raise SystemExit(3)
        """)
    assert (code, output) == (3, "")


@pytest.mark.parametrize("face", ["Node(LOOPBACK)", "asyncio.run(opened())"])
def test_garbage_that_was_never_closed_is_a_warning(face: str) -> None:
    code, output = python(f"""
        async def opened():
            return await aio.Node(LOOPBACK)
        def forget():
            {face}
        warnings.simplefilter("always")
        forget()
        gc.collect()
        print("alive")
        """)
    assert code == 0 and output.endswith("alive")
    assert output.count("was never closed") == 1 and ": ResourceWarning: <p2pagents." in output


def test_garbage_in_a_cycle_with_its_methods_is_a_warning_too() -> None:
    code, output = python("""
        def forget():
            node = Node(LOOPBACK)
            node.serve("me")(lambda _: repr(node))
        forget()
        gc.collect()
        print("alive")
        """)
    assert code == 0 and "ResourceWarning" in output and output.endswith("alive")


@pytest.mark.parametrize("use", ["Node(LOOPBACK, workers=1).close()", "asyncio.run(opened_and_closed())"])
def test_a_node_that_was_closed_leaves_no_thread_and_no_descriptor(use: str) -> None:
    """The first use may open what a process has once; the system lists a thread for an instant after
    it was joined."""
    code, output = python(f"""
        async def opened_and_closed():
            async with aio.Node(LOOPBACK):
                pass
        def count(what):
            return len(os.listdir("/proc/self/" + what))
        def wait_for_no_threads():
            while count("task") > threads:
                time.sleep(0.001)
        threads = count("task")
        {use}
        wait_for_no_threads()
        before = count("fd")
        {use}
        wait_for_no_threads()
        assert count("fd") == before
        print("nothing left")
        """)
    assert (code, output) == (0, "nothing left")


def test_ctrl_c_at_any_instant_leaves_the_node_to_all_its_threads() -> None:
    code, output = python("""
        import random
        random.seed(1)
        warnings.simplefilter("ignore", RuntimeWarning)  # what is interrupted before it began
        def interrupt(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, interrupt)
        with Node(LOOPBACK, workers=1, methods={"echo": lambda data: data}) as server, Node() as client:
            over = threading.Event()
            def ask():
                while not over.is_set():
                    client.call(server.address, "echo", b"another thread")
            other = threading.Thread(target=ask)
            other.start()
            for _ in range(500):
                try:
                    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.003))
                    for _ in range(10_000):
                        client.call(server.address, "echo", b"interrupted")
                except KeyboardInterrupt:
                    pass
            over.set()
            other.join()
            print(client.call(server.address, "echo", b"goes on").decode())
        """)
    assert (code, output) == (0, "goes on")


def test_ctrl_c_ends_a_call_and_the_node_goes_on() -> None:
    code, output = interrupted("""
        begun = threading.Event()
        def wait(request):
            say("begun")
            while not request.cancelled:
                time.sleep(0.01)
            say("cancelled")
        with Node(LOOPBACK, workers=2) as server, Node() as client:
            server.serve("wait")(wait)
            server.serve("echo")(lambda data: data)
            try:
                client.call(server.address, "wait", timeout=None)
            except KeyboardInterrupt:
                say(client.call(server.address, "echo", b"goes on").decode())
        """, "begun")
    assert code == 0 and sorted(output.splitlines()) == ["cancelled", "goes on"]


def test_ctrl_c_ends_a_server_quietly() -> None:
    code, output = interrupted("""
        runs = lambda _: print("runs", flush=True)
        with Node(LOOPBACK, methods={"runs": runs}) as node, Node() as client:
            client.notify(node.address, "runs")
            node.run()
        print("ended")
        """, "runs")
    assert (code, output) == (0, "ended\n")


def test_ctrl_c_ends_an_asyncio_program_in_good_order() -> None:
    code, output = interrupted("""
        async def wait(_):
            print("begun", flush=True)
            try:
                await asyncio.Event().wait()
            finally:
                print("cancelled", flush=True)
        async def main():
            async with aio.Node(LOOPBACK, methods={"wait": wait}) as server, aio.Node() as client:
                await client.call(server.address, "wait", timeout=None)
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("ended")
        """, "begun")
    assert (code, output) == (0, "cancelled\nended\n")


def test_the_blocking_face_works_where_an_event_loop_runs() -> None:
    """As in a notebook."""
    code, output = python("""
        async def main():
            with Node(LOOPBACK, workers=1, methods={"echo": lambda data: data}) as server, Node() as client:
                print(client.call(server.address, "echo", "fine").decode())
        asyncio.run(main())
        """)
    assert (code, output) == (0, "fine")


def test_the_library_s_log_goes_to_the_logger_in_a_thread_of_the_user() -> None:
    code, output = python("""
        threads = set()
        class Handler(logging.Handler):
            def emit(self, record):
                assert record.name.startswith("p2pagents.")
                threads.add(threading.current_thread())
        logger = logging.getLogger("p2pagents")
        logger.addHandler(Handler())
        logger.setLevel(1)
        with Node(LOOPBACK) as server, Node() as client:
            client.ping(server.address)
        print(len(threads), threads == {threading.main_thread()})
        """)
    assert (code, output) == (0, "1 True")


@pytest.mark.parametrize("path, complaint", [
    ("/nowhere/libp2pagents.so", "cannot load"), ("libc.so.6", "is not a p2pagents library")])
def test_a_library_that_does_not_fit_is_an_import_error(path: str, complaint: str) -> None:
    code, output = python("", env={**os.environ, "P2PAGENTS_LIBRARY": path})
    assert code == 1
    assert "ImportError" in output and complaint in output.splitlines()[-1]
