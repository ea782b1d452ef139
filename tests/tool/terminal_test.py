#!/usr/bin/env python3
"""Progress: for what takes longer than a second, on a terminal. (pair_test.py sees that a pipe gets none.)"""
import signal
import unittest

from tool import DONE, INTERRUPTED, UNREACHABLE, Node, OnTerminal, Silence, TestCase

ERASE = "\r\x1b[K"


class Terminal(TestCase):
    def test_a_long_wait_is_shown_and_taken_away_again(self):
        with Silence() as silence, OnTerminal("ping", silence.address) as ping:
            ping.await_text(ERASE + "connecting ... 1 s")
            ping.process.send_signal(signal.SIGINT)
            self.assertEqual(ping.end(), INTERRUPTED)
            self.assertTrue(ping.shown.endswith(ERASE + "p2pa: interrupted\r\n"), ping.shown)

    def test_a_transfer_has_a_bar(self):
        with Node("--perf") as node, OnTerminal("perf", "--upload", "1TiB", node.address) as perf:
            perf.await_text("perf [")
            perf.process.send_signal(signal.SIGINT)
            self.assertEqual(perf.end(), INTERRUPTED)

    def test_what_is_quick_shows_nothing(self):
        with Node() as node, OnTerminal("call", node.address, "echo", "hello") as call:
            self.assertEqual(call.end(), DONE)
            self.assertEqual(call.shown, "hello\r\n")

    def test_a_dumb_terminal_gets_no_escapes(self):
        with Silence() as silence, OnTerminal("ping", silence.address, term="dumb") as ping:
            self.assertEqual(ping.end(), UNREACHABLE)
            self.assertNotIn("\x1b", ping.shown)
            self.assertNotIn("connecting ...", ping.shown)


if __name__ == "__main__":
    unittest.main()
