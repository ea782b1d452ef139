#!/usr/bin/env python3
"""Help, versions, and arguments that make no sense."""
import re
import unittest

from tool import DONE, LOOPBACK, STRANGER, UNREACHABLE, USAGE, TestCase, p2pa

COMMANDS = ["id", "node", "dial", "ping", "call", "perf", "lan", "demo"]
EXIT_CODES = {"0", "1", "2", "3", "4", "5", "130"}
NOT_ADDRESSES = ["", "localhost", "127.0.0.1:4001", "/ip4/127.0.0.1/udp", "/ip4/300.0.0.1/udp/1/quic-v1",
                 "/ip4/127.0.0.1/udp/99999/quic-v1", f"{LOOPBACK}/p2p/nonsense", "/nonsense/1"]


class Usage(TestCase):
    def test_help_has_examples_and_every_exit_code(self):
        for arguments in ([], *([command] for command in COMMANDS)):
            for flag in ("--help", "-h"):
                done = p2pa(*arguments, flag)
                self.assertEqual((done.returncode, done.stderr), (DONE, ""))
                self.assertRegex(done.stdout, r"Examples?:\n  p2pa " + (arguments or ["node"])[0])
                table = done.stdout.split("Exit codes:\n")[1]
                self.assertEqual(set(re.findall(r"^ +(\d+) ", table, re.M)), EXIT_CODES)

    def test_help_names_every_command(self):
        text = p2pa("--help").stdout
        for command in COMMANDS:
            self.assertRegex(text, rf"\n  {command} +\w")

    def test_version(self):
        done = p2pa("--version")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertRegex(done.stdout, r"\Ap2pa \d+\.\d+\.\d+\n\Z")

    def test_without_a_command_the_help_is_an_error(self):
        done = p2pa()
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
        self.assertEqual(done.stderr, p2pa("--help").stdout)

    def test_arguments_that_make_no_sense(self):
        peer = f"/ip4/127.0.0.1/udp/1/quic-v1/p2p/{STRANGER}"
        for arguments in (["frob"], ["--frob"], ["id"], ["id", "--key"], ["node", "--frob"], ["node", "stray"],
                          ["node", "--qlog", "/no/such/folder"], ["dial"], ["dial", peer, peer], ["ping"],
                          *(["ping", peer, "--proxy", url]
                            for url in ("nonsense", "http://127.0.0.1", "https://127.0.0.1:1", "socks5://example.org:1")),
                          *([command, "--network-key", "/no/such/file", peer] for command in ("ping", "call", "perf")),
                          ["call", peer, "echo", "--web-roots", "/no/such/file"],
                          ["dial", peer, "--dns-server", "not.an.address"],
                          ["node", "--web-certificate", "/dev/null"], ["node", "--web-key", "/dev/null"],
                          ["ping", peer, "--web-key", "/dev/null", "--web-certificate", "/dev/null"],
                          ["ping", peer, "--count", "many"], ["ping", peer, "-n", "-1"],
                          ["ping", peer, "--interval", "-1"], ["call"], ["call", peer], ["call", peer, "echo", "a", "b"],
                          ["call", peer, "echo", "--timeout", "0"], ["call", peer, "echo", "--timeout", "-1"],
                          *(["call", peer, "echo", "--timeout", text]
                            for text in ("nan", "inf", "1e30", "1e-10", "0.0009", "86401", "soon", "1s")),
                          ["perf"], ["perf", peer, "--upload", "much"], ["perf", peer, "--upload", "-1"],
                          ["lan"], ["lan", "t", "m", "more"], ["lan", "t", "--port", "0"], ["lan", "t", "--port", "65536"],
                          ["demo", "--agents", "0"], ["demo", "--agents", "1000"], ["demo", "--kill", "12"],
                          ["demo", "--agents", "2", "--kill", "2"], ["demo", "--role", "anything"], ["demo", "--folder", "/no/such/folder"]):
            with self.subTest(arguments):
                self.check_failure(p2pa(*arguments), USAGE)

    def test_what_is_no_address(self):
        for address in NOT_ADDRESSES:
            for arguments in (["dial", address], ["ping", address], ["call", address, "echo"], ["perf", address],
                              ["node", "--listen", address], ["node", "--listen", LOOPBACK, "--connect", address],
                              ["node", "--listen", LOOPBACK, "--keep", address]):
                with self.subTest(arguments):
                    self.check_failure(p2pa(*arguments), USAGE, "not an address", "/quic-v1/p2p/12D3KooW")

    def test_an_address_that_only_others_can_dial(self):
        for address in (f"/ip4/127.0.0.1/udp/1/quic/p2p/{STRANGER}", f"/p2p/{STRANGER}"):
            with self.subTest(address):
                self.check_failure(p2pa("ping", address), UNREACHABLE, "can be dialed")

    def test_a_name_that_stands_for_nothing(self):
        address = f"/dns4/nobody.onion/tcp/1/p2p/{STRANGER}"  # no name server is asked for such (RFC 7686)
        self.check_failure(p2pa("ping", address), UNREACHABLE, "no such name", "is the name right")


if __name__ == "__main__":
    unittest.main()
