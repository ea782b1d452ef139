#!/usr/bin/env python3
"""The main job: agents in processes of their own, two of them lost, and the right result."""
import collections
import os
import pathlib
import re
import select
import signal
import unittest

from tool import DONE, FAILED, INTERRUPTED, TIMEOUT_S, OnTerminal, Running, TestCase, p2pa

WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
TEXT = pathlib.Path(__file__).resolve().parents[2] / "LICENSE-APACHE"


def numbers(text):
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


def processes_that_know(address):
    """The ids of those whose command line has this text."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if address.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            pass  # gone meanwhile
    return found


class Demo(TestCase):
    def setUp(self):
        super().setUp()
        self.texts = [TEXT.read_bytes(), b"Zebra zebra ZEBRA\n" * 300, "grüße aus süd".encode()]
        (self.folder / "below").mkdir()
        for i, text in enumerate(self.texts):
            (self.folder / ("below" if i else ".") / f"{i}.txt").write_bytes(text)
        (self.folder / "image").write_bytes(b"not words\0\1\2")

    def test_twelve_agents_count_what_is_there_and_two_are_lost(self):
        done = p2pa("demo", "--folder", str(self.folder))
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertNotIn("\x1b", done.stdout)
        expected = collections.Counter(word for text in self.texts for word in WORD.findall(text.lower()))

        rows = re.findall(r"^…\w{10} +([\d,]+) +([\d.]+ \w+) +[\d.]+ ms +(.+)$", done.stdout, re.M)
        self.assertEqual(len(rows), 12)
        killed = [state for _, _, state in rows if state.startswith("SIGKILLed")]
        self.assertEqual([state for _, _, state in rows].count("alive") + len(killed), 12)
        self.assertEqual(len(killed), 2)
        for state in killed:
            self.assertRegex(state, r"\ASIGKILLed, [12] tasks? given to others\Z")
        self.assertEqual(len(re.findall(r"^  SIGKILL +agent", done.stdout, re.M)), 2)
        handed_out = numbers(re.search(r"handing +(.*)", done.stdout)[1])[0]
        self.assertEqual(sum(numbers(tasks)[0] for tasks, _, _ in rows), handed_out)

        self.assertEqual(numbers(re.search(r"^words(.*)", done.stdout, re.M)[1]), [expected.total()] * 2)
        self.assertEqual(numbers(re.search(r"^distinct words(.*)", done.stdout, re.M)[1]), [len(expected)] * 2)
        together, alone = re.search(r"^digest +(\w+) +(\w+)$", done.stdout, re.M).groups()
        self.assertEqual(together, alone)
        for word, count in expected.most_common(5):
            self.assertRegex(done.stdout, rf" {count:,} {re.escape(word.decode())}\b")
        self.assertIn("equal: every word has the same count", done.stdout)

    def test_a_wrong_answer_is_noticed(self):
        done = p2pa("demo", "--folder", str(self.folder), "--liars", "1")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("DIFFERENT", done.stdout)
        self.assertNotIn("equal", done.stdout)

    def test_one_word_is_enough(self):
        folder = self.folder / "small"
        folder.mkdir()
        (folder / "a").write_text("a")
        done = p2pa("demo", str(folder), "--agents", "3")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertEqual(done.stdout.count("SIGKILLed"), 2)

    def test_a_text_without_separators_is_split_too(self):
        """As Chinese is written; more than one message carries, and one answer fits a column."""
        folder = self.folder / "long"
        folder.mkdir()
        (folder / "a").write_text("語" * 1_500_000)
        done = p2pa("demo", str(folder), "--agents", "2", "--kill", "1")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertIn(" " + "語" * 10 + "…\n", done.stdout)
        self.assertEqual(numbers(re.search(r"^words(.*)", done.stdout, re.M)[1]), [71_429] * 2)

    def test_agents_need_not_be_lost(self):
        done = p2pa("demo", str(self.folder), "--agents", "1", "--kill", "0")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertNotIn("SIGKILL", done.stdout)

    def test_a_folder_without_text(self):
        folder = self.folder / "empty"
        folder.mkdir()
        self.check_failure(p2pa("demo", "--folder", str(folder)), FAILED, "no text file below")

    def test_a_terminal_shows_a_bar(self):
        with OnTerminal("demo", "--folder", str(self.folder)) as demo:
            demo.await_text("counting [")
            self.assertEqual(demo.end(), DONE)
            self.assertIn("\x1b[32mequal", demo.shown)

    def start(self):
        """A demo that has started all its processes, and their ids."""
        demo = self.enterContext(Running("demo", "--folder", str(self.folder)))
        while "knows one address" not in demo.line():
            pass
        children = processes_that_know(demo.line().strip())
        self.assertEqual(len(children), 12)
        return demo, [os.pidfd_open(child) for child in children]

    def check_gone(self, children):
        for child in children:
            self.assertTrue(select.select([child], [], [], TIMEOUT_S)[0], "an agent goes on")
            os.close(child)

    def test_an_interrupted_demo_leaves_no_process(self):
        demo, children = self.start()
        code, _, errors = demo.stop(signal.SIGINT)
        self.assertEqual((code, errors), (INTERRUPTED, "p2pa: interrupted\n"))
        self.check_gone(children)

    def test_a_killed_demo_leaves_no_process(self):
        demo, children = self.start()
        demo.process.kill()
        self.check_gone(children)


if __name__ == "__main__":
    unittest.main()
