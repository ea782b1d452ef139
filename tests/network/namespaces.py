"""Two hosts in network namespaces of their own: a laptop whose cable goes and comes, and a server beside it
that is at a switch of its own and sees nothing of that. What was made ends with the process that made it."""
import os
import subprocess
import sys

SKIPPED = 77  # what CMake is told means that (SKIP_RETURN_CODE)
SERVER = "10.77.0.2"
PREFIX_BITS = 24


def _unshare():
    """The command that begins namespaces of its own, with a user's rights if it must be."""
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--user", "--map-root-user"]


def enter():
    """Starts this script again in a network namespace of its own, or ends it as skipped where there is none."""
    if os.environ.get("P2PA_IN_NAMESPACE"):
        return
    for needed in (["ip", "-Version"], [*_unshare(), "true"]):
        try:
            done = subprocess.run(needed, capture_output=True, check=False)
            reason = done.stderr.decode().strip() if done.returncode != 0 else ""
        except FileNotFoundError as error:
            reason = str(error)
        if reason:
            print(f"skipped: no network namespaces here: {reason}")
            sys.exit(SKIPPED)
    command = [*_unshare(), sys.executable, "-B", *sys.argv]
    os.execvpe(command[0], command, {**os.environ, "P2PA_IN_NAMESPACE": "1"})


def _ip(*arguments, inside=()):
    subprocess.run([*inside, "ip", *arguments], check=True)


class Hosts:
    """REQUIRES enter(): the laptop is the namespace of this process."""

    def __init__(self, laptop):
        self._laptop = laptop

    def __enter__(self):
        # It holds the namespace open until its input ends, as it does when we end.
        self._holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._holder.stdout.readline()
        self.server = ("nsenter", f"--net=/proc/{self._holder.pid}/ns/net")
        self._server_ip("link", "set", "dev", "lo", "up")
        _ip("link", "set", "dev", "lo", "up")
        _ip("link", "add", "dev", "laptop0", "type", "veth", "peer", "name", "port0", "netns", str(self._holder.pid))
        # The switch has a second port that stays, so the server's own link never goes down.
        self._server_ip("link", "add", "dev", "switch0", "type", "bridge")
        self._server_ip("link", "add", "dev", "port1", "type", "veth", "peer", "name", "port2")
        for port in ("port0", "port1"):
            self._server_ip("link", "set", "dev", port, "master", "switch0", "up")
        self._server_ip("link", "set", "dev", "port2", "up")
        self._server_ip("address", "add", f"{SERVER}/{PREFIX_BITS}", "dev", "switch0")
        self._server_ip("link", "set", "dev", "switch0", "up")
        self._add()
        _ip("link", "set", "dev", "laptop0", "up")
        return self

    def __exit__(self, *_):
        _ip("link", "delete", "dev", "laptop0")
        self._holder.communicate()

    def _server_ip(self, *arguments):
        _ip(*arguments, inside=self.server)

    def _add(self):
        _ip("address", "add", f"{self._laptop}/{PREFIX_BITS}", "dev", "laptop0")

    def unplug(self):
        _ip("link", "set", "dev", "laptop0", "down")

    def readdress(self, laptop):
        """The laptop has this address instead of the one before, also where it is the same again."""
        _ip("address", "delete", f"{self._laptop}/{PREFIX_BITS}", "dev", "laptop0")
        self._laptop = laptop
        self._add()

    def plug(self):
        _ip("link", "set", "dev", "laptop0", "up")
