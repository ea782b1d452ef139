#!/usr/bin/env python3
"""Progress: for what takes longer than a second, on a terminal. (pair_test.py sees that a pipe gets none.)"""
import signal
import time
import unittest

from tool import DONE, INTERRUPTED, UNREACHABLE, Node, OnTerminal, Silence, TestCase

SHOWN_AFTER_S = 1
ATTEMPTS_MAX = 5
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
        """On a machine so busy that a call takes longer, another one is tried."""
        with Node() as node:
            for _ in range(ATTEMPTS_MAX):
                begin = time.monotonic()
                with OnTerminal("call", node.address, "echo", "hello") as call:
                    self.assertEqual(call.end(), DONE)
                if time.monotonic() - begin < SHOWN_AFTER_S:
                    self.assertEqual(call.shown, "hello\r\n")
                    return
                self.assertTrue(call.shown.endswith("hello\r\n"), call.shown)
        self.skipTest("no call was quick")

    def test_a_dumb_terminal_gets_no_escapes(self):
        with Silence() as silence, OnTerminal("ping", silence.address, term="dumb") as ping:
            self.assertEqual(ping.end(), UNREACHABLE)
            self.assertNotIn("\x1b", ping.shown)
            self.assertNotIn("connecting ...", ping.shown)


if __name__ == "__main__":
    unittest.main()
