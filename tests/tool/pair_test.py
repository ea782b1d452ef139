#!/usr/bin/env python3
"""Two processes: a node, and each command that talks to it."""
import json
import os
import re
import socket
import subprocess
import unittest

from tool import (APPLICATION, DONE, FAILED, LOOPBACK, PROGRAM, STRANGER, TIMED_OUT, TIMEOUT_S, UNREACHABLE, Node,
                  Running, Silence, TestCase, p2pa)

MESSAGE_BYTES_MAX = 4 << 20


class Pair(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = cls.enterClassContext(Node("--perf"))
        cls.address = cls.node.address

    def test_dial(self):
        done = p2pa("dial", self.address)
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        where = re.escape(self.address.split("/p2p/")[0])
        self.assertRegex(done.stdout,
                         rf"\Aconnected to {self.node.peer} at {where} in \d+\.\d+ s, round trip \d+\.\d+ ms\n\Z")

    def test_dial_explains_what_became_of_each_address(self):
        bare = self.address.split("/p2p/")[0]
        done = p2pa("dial", "--explain", self.address)
        self.assertEqual(done.returncode, DONE)
        self.assertRegex(done.stdout.splitlines()[0], rf"\A\+0\.\d+ s  {re.escape(bare)}  0\.\d+ s  connected\Z")
        wrong = p2pa("dial", "--explain", "--json", f"{bare}/p2p/{STRANGER}")
        self.check_complaint(wrong, UNREACHABLE, "peer_id_mismatch")
        attempt, = (json.loads(line) for line in wrong.stdout.splitlines())
        self.assertEqual((attempt["event"], attempt["address"], attempt["stage"], attempt["code"]),
                         ("attempt", bare, "securing", "peer_id_mismatch"))
        self.assertGreater(attempt["took_seconds"], 0)

    def test_ping(self):
        done = p2pa("ping", "-n", "3", "--interval", "0", self.address)
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 4)
        for line in lines[:3]:
            self.assertRegex(line, rf"\A{self.node.peer}: \d+\.\d+ ms\Z")
        self.assertRegex(lines[3], r"\A3 answers, min \d+\.\d+ / median \d+\.\d+ / max \d+\.\d+ ms\Z")

    def test_ping_json(self):
        done = p2pa("ping", "--json", "-n", "3", "--interval", "0", self.address)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([answer["sequence"] for answer in answers], [0, 1, 2])
        self.assertTrue(all(answer["rtt_ms"] > 0 for answer in answers))

    def test_verbose_tells_on_standard_error_what_goes_on(self):
        for arguments in (["-v", "ping"], ["ping", "--verbose"], ["ping", "-v", "-v"]):
            with self.subTest(arguments):
                done = p2pa(*arguments, "-n", "1", self.address)
                self.assertEqual(done.returncode, DONE)
                self.assertIn(f"connection: connected with {self.node.peer} at ", done.stderr)
        wrong = f"{self.address.split('/p2p/')[0]}/p2p/{STRANGER}"
        self.assertRegex(p2pa("-v", "ping", wrong).stderr, rf"dial: {STRANGER} at /ip4/.*: peer_id_mismatch")

    def test_an_address_without_a_peer_takes_any(self):
        done = p2pa("ping", "-n", "1", self.address.split("/p2p/")[0])
        self.assertEqual(done.returncode, DONE)
        self.assertTrue(done.stdout.startswith(self.node.peer))

    def test_call(self):
        done = p2pa("call", self.address, "echo", "hello")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (DONE, "hello", ""))

    def test_call_without_data(self):
        done = p2pa("call", self.address, "echo")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (DONE, "", ""))

    def test_call_takes_any_bytes_from_standard_input(self):
        for data in (b"", bytes(range(256)), os.urandom(MESSAGE_BYTES_MAX)):
            done = p2pa("call", self.address, "echo", "-", stdin=data, text=False)
            self.assertEqual(done.returncode, DONE, done.stderr)
            self.assertTrue(done.stdout == data)

    def test_call_with_too_much(self):
        done = p2pa("call", self.address, "echo", "-", stdin=bytes(MESSAGE_BYTES_MAX + 1))
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("message_too_large", done.stderr)

    def test_call_of_a_method_that_is_not_there(self):
        self.check_failure(p2pa("call", self.address, "frob"), FAILED, "frob", "serves other methods")

    def test_call_that_its_method_answers_with_an_error(self):
        with Running("demo", "--role", "directory") as directory:
            done = p2pa("call", directory.line(), "directory.offer", "nothing")
        self.assertEqual((done.returncode, done.stdout), (APPLICATION, ""))
        self.assertEqual(done.stderr, "p2pa: directory.offer answered with error 1: a skill and addresses\n")

    def test_call_that_takes_too_long(self):
        """No machine connects and carries 4 MiB there and back in a millisecond."""
        done = p2pa("call", self.address, "echo", "-", "--timeout", "0.001", stdin=bytes(MESSAGE_BYTES_MAX))
        self.check_failure(done, TIMED_OUT, "--timeout")

    def test_perf(self):
        done = p2pa("perf", "--upload", "1MiB", "--download", "2MB", self.address)
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertRegex(done.stdout, r"\Aupload   1\.0 MiB in .* Gbit/s\ndownload 1\.9 MiB in .* Gbit/s\n\Z")

    def test_perf_json(self):
        done = p2pa("perf", "--json", "--upload", "1000", "--download", "2000", self.address)
        said = json.loads(done.stdout)
        self.assertEqual((said["upload_bytes"], said["download_bytes"]), (1000, 2000))
        self.assertGreater(said["upload_seconds"] + said["download_seconds"], 0)

    def test_perf_with_a_node_that_does_not_serve_it(self):
        with Node() as node:
            self.check_failure(p2pa("perf", node.address), FAILED, "p2pa node --perf")

    def test_another_peer_at_the_address(self):
        wrong = self.address.replace(self.node.peer, STRANGER)
        for arguments in (["ping", wrong], ["call", wrong, "echo"], ["perf", wrong],
                          ["node", "--listen", LOOPBACK, "--connect", wrong]):
            with self.subTest(arguments[0]):
                done = p2pa(*arguments)
                self.assertEqual(done.returncode, UNREACHABLE)
                self.assertIn("another node answers at this address", done.stderr)

    def test_nobody_at_the_address(self):
        with Silence() as silence:
            done = p2pa("ping", silence.address)
            self.check_failure(done, UNREACHABLE, "is a node running there")
            self.assertNotIn("connecting ...", done.stderr)  # it took seconds, but a pipe is no terminal

    def test_no_proxy_at_its_address(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            place = f"127.0.0.1:{server.getsockname()[1]}"
        done = p2pa("dial", "--proxy", f"http://agent:secret@{place}/", f"/ip4/192.0.2.1/tcp/4001/p2p/{STRANGER}")
        self.check_failure(done, UNREACHABLE, f"through the proxy at {place}: the proxy refuses", "is the proxy running")
        self.assertNotIn("secret", done.stderr)

    def test_a_kept_peer_is_connected_to(self):
        with Node("--keep", self.address) as other:
            self.assertEqual(other.event("connected")["peer"], self.node.peer)

    def test_a_call_to_nobody_ends_by_its_timeout(self):
        with Silence() as silence:
            done = p2pa("call", silence.address, "echo", "--timeout", "0.2")
            self.check_failure(done, TIMED_OUT, "cannot connect", "--timeout")

    def test_what_cannot_be_printed_is_a_failure(self):
        key = str(self.folder / "me.key")
        for arguments in (["call", self.address, "echo", "hello"], ["ping", "-n", "1", self.address],
                          ["ping", "--json", "-n", "1", self.address], ["id", "--key", key], ["id", "--json", "--key", key],
                          ["perf", "--upload", "1", "--download", "1", self.address],
                          ["--help"], ["demo", "--agents", "1", "--kill", "0", str(self.folder)]):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                (self.folder / "text").write_text("words")
                done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                                      check=False)
                self.assertEqual(done.returncode, FAILED)
                self.assertRegex(done.stderr.decode(), r"p2pa: not all of the output could be written.*\n\Z")

    def test_a_large_answer_that_cannot_be_printed(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "call", self.address, "echo", "-"], input=bytes(MESSAGE_BYTES_MAX), stdout=full,
                                  stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, FAILED)


class PrivateNetwork(TestCase):
    def key(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def test_only_those_with_its_key_get_through(self):
        ours, theirs = (self.key(name, f"/key/swarm/psk/1.0.0/\n/base16/\n{name[0] * 64}\n") for name in ("a.key", "b.key"))
        with Node("--network-key", ours, listen="/ip4/127.0.0.1/tcp/0") as node:
            done = p2pa("call", "--network-key", ours, node.address, "echo", "hello")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (DONE, "hello", ""))
            self.assertEqual(p2pa("ping", node.address).returncode, UNREACHABLE)
            self.assertEqual(p2pa("ping", "--network-key", theirs, node.address).returncode, UNREACHABLE)

    def test_what_is_no_key(self):
        for text in ("", "nonsense", f"/key/swarm/psk/1.0.0/\n/base16/\n{'a' * 300}\n"):
            with self.subTest(text):
                key = self.key("key", text)
                self.check_failure(p2pa("node", "--listen", LOOPBACK, "--network-key", key), FAILED, key)


class Events(TestCase):
    def test_a_node_tells_what_happens_in_json(self):
        with Node() as node:
            self.assertTrue(node.address.startswith("/ip4/127.0.0.1/udp/"))
            self.assertTrue(node.address.endswith(f"/quic-v1/p2p/{node.peer}"))
            with Node("--connect", node.address) as other:
                connected = node.event("connected")
                self.assertEqual(connected["peer"], other.peer)
                identified = node.event("identified")
                self.assertEqual(identified["peer"], other.peer)
                self.assertRegex(identified["agent"], r"\Ap2pagents/\d")
                self.assertIn("/p2pagents/rpc/1.0.0", identified["protocols"])
                self.assertTrue(node.address.startswith(identified["observed"]))
                self.assertEqual(other.event("connected")["peer"], node.peer)
                code, output, errors = other.end()
                self.assertEqual((code, errors), (DONE, ""))
                events = [json.loads(line)["event"] for line in output.splitlines()]
                self.assertEqual(events[-1], "closed")
            disconnected = node.event("disconnected")
            self.assertEqual(disconnected["peer"], other.peer)
            self.assertEqual(disconnected["connection"], connected["connection"])

    def test_a_node_tells_what_happens_in_words(self):
        with Running("node", "--listen", LOOPBACK) as node:
            self.assertRegex(node.line(), r"\Alistening /ip4/127\.0\.0\.1/udp/\d+/quic-v1/p2p/12D3KooW\w+\Z")

    def test_a_port_that_is_taken(self):
        with Node() as node:
            address = node.address.split("/p2p/")[0]
            self.check_failure(p2pa("node", "--listen", address), FAILED, f"on {address}: Address already in use")

    def test_an_address_that_is_not_of_this_machine(self):
        done = p2pa("node", "--listen", "/ip4/203.0.113.7/udp/0/quic-v1")
        self.check_failure(done, FAILED, "no such address")

    def test_a_qlog_of_its_connections(self):
        with Node("--qlog", str(self.folder)) as node:
            p2pa("ping", "-n", "1", node.address)
            node.event("disconnected")
            node.end()
        self.assertEqual(len(list(self.folder.iterdir())), 1)


if __name__ == "__main__":
    unittest.main()
