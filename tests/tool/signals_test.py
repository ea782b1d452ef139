#!/usr/bin/env python3
"""Ctrl-C, and its like, end everything in order."""
import json
import signal
import unittest

from tool import DONE, INTERRUPTED, LOOPBACK, Node, Running, Silence, TestCase

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signals(TestCase):
    def test_a_node_closes(self):
        for number in SIGNALS:
            with Node() as node:
                code, output, errors = node.stop(number)
                self.assertEqual((code, errors), (DONE, ""))
                self.assertEqual(json.loads(output.splitlines()[-1]), {"event": "closed"})

    def test_an_endless_ping_ends_with_its_summary(self):
        with Node() as node:
            for number in SIGNALS:
                with Running("ping", "-n", "0", "--interval", "1", node.address) as ping:
                    ping.line()
                    code, output, errors = ping.stop(number)
                    self.assertEqual((code, errors), (DONE, ""))
                    self.assertRegex(output, r"\n?\d+ answers, min .*\n\Z")

    def test_a_ping_that_was_to_send_more_is_interrupted_after_its_summary(self):
        with Node() as node, Running("ping", "-n", "1000", "--interval", "50", node.address) as ping:
            ping.line()
            ping.line()
            code, output, errors = ping.stop(signal.SIGINT)
            self.assertEqual((code, errors), (INTERRUPTED, "p2pa: interrupted\n"))
            self.assertRegex(output, r"\n?\d+ answers, min .*\n\Z")

    def test_what_waits_for_a_connection_is_interrupted(self):
        for command in (["ping"], ["perf"], ["call"]):
            with Silence() as silence:
                arguments = [*command, silence.address, *(["echo"] if command == ["call"] else [])]
                with Running(*arguments) as waiting:
                    silence.await_packet()
                    self.assertEqual(waiting.stop(signal.SIGINT), (INTERRUPTED, "", "p2pa: interrupted\n"))

    def test_a_measurement_is_interrupted(self):
        with Node("--perf") as node:
            with Running("perf", "--upload", "1TiB", "--download", "0", node.address) as perf:
                node.event("connected")
                code, output, errors = perf.stop(signal.SIGINT)
                self.assertEqual((code, output, errors), (INTERRUPTED, "", "p2pa: interrupted\n"))
            node.event("disconnected")

    def test_a_node_that_waits_for_a_connection_closes(self):
        with Silence() as silence, Node("--connect", silence.address, listen=LOOPBACK) as node:
            silence.await_packet()
            code, _, _ = node.stop(signal.SIGINT)
            self.assertEqual(code, DONE)


if __name__ == "__main__":
    unittest.main()
