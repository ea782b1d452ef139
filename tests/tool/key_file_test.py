#!/usr/bin/env python3
"""Identities in files: made once, never overwritten."""
import json
import os
import unittest

from tool import DONE, FAILED, Node, TestCase, p2pa


class KeyFiles(TestCase):
    def setUp(self):
        super().setUp()
        self.key = self.folder / "me.key"

    def make(self):
        done = p2pa("id", "--key", str(self.key))
        self.assertEqual(done.returncode, DONE, done.stderr)
        return done

    def test_a_key_is_made_once_and_only_its_owner_reads_it(self):
        first = self.make()
        self.assertRegex(first.stdout, r"\A12D3KooW\w+\n\Z")
        self.assertEqual(first.stderr, f"p2pa: made a new key in {self.key}\n")
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o600)
        content = self.key.read_bytes()
        again = self.make()
        self.assertEqual((again.stdout, again.stderr), (first.stdout, ""))
        self.assertEqual(self.key.read_bytes(), content)
        self.assertEqual(os.listdir(self.folder), ["me.key"])

    def test_json(self):
        peer = self.make().stdout.strip()
        said = json.loads(p2pa("id", "--json", "--key", str(self.key)).stdout)
        self.assertEqual(said["peer"], peer)
        self.assertTrue(said["cid"].startswith("bafz"))

    def test_a_node_has_the_identity_of_its_key_file(self):
        peer = self.make().stdout.strip()
        with Node("--key", str(self.key)) as node:
            self.assertEqual(node.peer, peer)

    def test_a_node_makes_its_key_file(self):
        with Node("--key", str(self.key)) as node:
            self.assertEqual(self.make().stdout.strip(), node.peer)

    def check_refused(self, *texts):
        for arguments in (["id", "--key", str(self.key)], ["node", "--key", str(self.key)]):
            self.check_failure(p2pa(*arguments), FAILED, str(self.key), "left as it is", *texts)

    def test_a_broken_or_foreign_file_is_refused_and_left_as_it_is(self):
        self.make()
        good = self.key.read_bytes()
        for name, content in (("empty", b""), ("text", b"dear diary\n"), ("cut", good[:-1]), ("longer", good + b"\0"),
                              ("one bit", good[:20] + bytes([good[20] ^ 1]) + good[21:]),
                              ("an RSA key", b"\x08\x00" + good[2:]), ("large", bytes(100_000))):
            with self.subTest(name):
                self.key.write_bytes(content)
                self.check_refused()
                self.assertEqual(self.key.read_bytes(), content)

    def test_a_file_that_others_can_read_is_refused(self):
        self.make()
        self.key.chmod(0o640)
        self.check_refused()
        self.assertEqual(self.key.stat().st_mode & 0o777, 0o640)

    def test_what_is_no_file_is_refused(self):
        self.key.mkdir()
        self.check_refused()

    def test_a_folder_that_is_not_there(self):
        done = p2pa("id", "--key", str(self.folder / "none" / "me.key"))
        self.check_failure(done, FAILED, "No such file or directory")
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
