#!/usr/bin/env python3
"""Messages on a local network that the test makes: network namespaces on a bridge. It needs root for that."""
import itertools
import json
import os
import shutil
import subprocess
import sys
import unittest

from tool import DONE, FAILED, PROGRAM, TIMEOUT_S, USAGE, Running, TestCase, p2pa

PREFIX = f"p2pa{os.getpid()}"
SKIPPED = 77
_names = itertools.count()


def run(*command):
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)


class Host:
    """A network namespace."""

    def __init__(self):
        self.name = f"{PREFIX}h{next(_names)}"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def close(self):
        run("ip", "netns", "del", self.name)

    def ip(self, *arguments):
        run("ip", "-n", self.name, *arguments)

    def inside(self, *arguments):
        return ["ip", "netns", "exec", self.name, PROGRAM, "lan", *arguments]

    def say(self, *arguments):
        return subprocess.run(self.inside(*arguments), capture_output=True, timeout=TIMEOUT_S, check=False)


class Switch(Host):
    """One that holds a bridge."""

    def __init__(self):
        super().__init__()
        self.ip("link", "add", "bridge", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0")
        self.ip("link", "set", "bridge", "up")
        self._ports = itertools.count()

    def plug(self, host, address, name="eth0"):
        """Gives the host an interface on this network; without an address it has only IPv6's of its own."""
        port = f"port{next(self._ports)}"
        self.ip("link", "add", port, "type", "veth", "peer", "name", name, "netns", host.name)
        self.ip("link", "set", port, "master", "bridge", "up")
        # So that its IPv6 address is good at once.
        run("ip", "netns", "exec", host.name, "sysctl", "-qw", f"net.ipv6.conf.{name}.accept_dad=0")
        host.ip("link", "set", name, "up")
        if address:
            host.ip("address", "add", address, "dev", name)


class Ear(Running):
    """A `p2pa lan --json` that listens on a host."""
    program = "ip"

    def __init__(self, host, *arguments):
        super().__init__(*host.inside("--json", *arguments)[1:])

    def __enter__(self):
        self.peer = json.loads(self.line())["peer"]
        return self

    def hears(self):
        return json.loads(self.line())["message"]


class LocalNetwork(TestCase):
    def host(self, kind=Host):
        made = kind()
        self.addCleanup(made.close)
        return made

    def network(self, *addresses):
        """A switch, and hosts with these addresses on it."""
        switch, hosts = self.host(Switch), [self.host() for _ in addresses]
        for host, address in zip(hosts, addresses):
            switch.plug(host, address)
        return switch, hosts

    def check_heard(self, speaker, ears, *options):
        """What the speaker says is the next thing that each of them hears."""
        text = f"message {next(_names)}"
        done = speaker.say(*options, "t", text)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (DONE, b"", b""))
        for ear in ears:
            self.assertEqual(ear.hears(), text)

    def check_deaf(self, ear):
        self.assertEqual(ear.stop(15), (DONE, "", ""))

    def test_all_on_the_network_hear_it_once_and_those_on_another_do_not(self):
        _, hosts = self.network("10.77.0.1/24", "10.77.0.2/24", "10.77.0.3/24")
        _, (far,) = self.network("10.77.0.4/24")
        with Ear(hosts[0], "t") as own, Ear(hosts[1], "t") as one, Ear(hosts[2], "t") as two, Ear(far, "t") as deaf, \
                Ear(hosts[1], "another") as other:
            for options in ([], ["--broadcast"]):
                self.check_heard(hosts[0], [own, one, two], *options)
            self.check_heard(hosts[2], [own, one, two])
            for ear in (deaf, other, own, one, two):
                self.check_deaf(ear)  # nothing came twice

    def test_without_ipv4_it_is_heard_over_ipv6(self):
        _, (speaker, listener) = self.network(None, None)
        with Ear(listener, "t") as ear:
            self.check_heard(speaker, [ear])

    def test_without_ipv6_too(self):
        _, (speaker, listener) = self.network("10.77.0.1/24", "10.77.0.2/24")
        for host in (speaker, listener):
            run("ip", "netns", "exec", host.name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        with Ear(listener, "t") as ear:
            self.check_heard(speaker, [ear])

    def test_two_on_a_host_without_any_network_hear_each_other(self):
        host = self.host()
        with Ear(host, "t") as ear:
            self.check_heard(host, [ear])

    def test_a_network_that_comes_later_is_joined_and_one_that_went_and_came_back(self):
        switch, (speaker,) = self.network("10.77.0.1/24")
        late = self.host()
        with Ear(late, "t") as ear:
            for name in ("eth0", "eth1"):
                switch.plug(late, "10.77.0.2/24", name)
                self.check_heard_soon(speaker, ear)
                late.ip("link", "del", name)

    def check_heard_soon(self, speaker, ear):
        """It joins as soon as it has noticed; a message that came before is lost."""
        for _ in range(10):
            done = speaker.say("t", "again")
            self.assertEqual(done.returncode, DONE)
            if ear.has_line(0.5):
                while ear.has_line(0.2):
                    self.assertEqual(ear.hears(), "again")
                return
        self.fail("never heard")

    def test_a_private_network_is_private(self):
        _, (speaker, listener) = self.network("10.77.0.1/24", "10.77.0.2/24")
        key = self.folder / "swarm.key"
        key.write_text("/key/swarm/psk/1.0.0/\n/base16/\n" + "2a" * 32 + "\n")
        with Ear(listener, "t") as stranger, Ear(listener, "--network-key", str(key), "t") as member:
            self.check_heard(speaker, [member], "--network-key", str(key))
            self.check_heard(speaker, [stranger])
            self.check_deaf(stranger)
            self.check_deaf(member)


class Refusals(TestCase):
    def test_what_cannot_be_said(self):
        for arguments in (["", "m"], ["t" * 65, "m"]):
            self.check_failure(p2pa("lan", *arguments), USAGE, "topic")
        self.check_failure(p2pa("lan", "t", "m" * 961), FAILED, "message_too_large")


def can_make_networks():
    if os.geteuid() != 0 or not shutil.which("ip"):
        return False
    name = f"{PREFIX}probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        run("ip", "netns", "del", name)
    return made


if __name__ == "__main__":
    if not can_make_networks():
        print("SKIPPED: making network namespaces needs root")
        sys.exit(SKIPPED)
    unittest.main()
