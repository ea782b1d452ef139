"""Servers of Debian's that stand between our node and its peers, each on a free port of loopback, and what they log."""
import contextlib
import random
import re
import socket
import subprocess
import sys
import time

from places import EXAMPLE

TIMEOUT_S = 20
LOOPBACK, PROXY_EXIT = "127.0.0.1", "127.0.0.2"  # a proxy goes on from an address of its own, by which it is known


def free_port():
    """Below those that the system gives away by itself, so that nobody takes it until its server does."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_given = int(file.read().split()[0])
    while True:
        port = random.randrange(min(10000, first_given // 2), first_given)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return port


class Server:
    """A process that listens on `port`. Leaving the `with` block ends it."""

    def __init__(self, folder, port, *command):
        self.port = port
        self._log_path = folder / "log"
        with open(self._log_path, "wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)

    def __enter__(self):
        end = time.monotonic() + TIMEOUT_S
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection((LOOPBACK, self.port)):
                return self
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise AssertionError(f"{self._process.args[0]} does not listen: {self.log()}")
            time.sleep(0.02)

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(TIMEOUT_S)

    def log(self):
        return self._log_path.read_text(errors="replace")

    def wait_for_log(self, pattern):
        end = time.monotonic() + TIMEOUT_S
        while not re.search(pattern, self.log()):
            assert time.monotonic() < end, f"never logged: {pattern}\n{self.log()}"
            time.sleep(0.02)


def pages(folder, page):
    """What a user is told to serve the page with."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    return Server(folder, port, sys.executable, "-m", "http.server", "--bind", LOOPBACK, "--directory", str(page), str(port))


# The site is the example's; this is what Debian has around it, for one process that is not a service.
NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{}}
http {{
  include /etc/nginx/mime.types;
  access_log /dev/stderr;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  {site}
}}
"""


def nginx(folder, certificate, page, agent_port):
    """examples/browser/nginx.conf with the names of this test in it."""
    port = free_port()
    site = (EXAMPLE / "nginx.conf").read_text()
    for of_the_example, ours in (("listen 443 ssl;", f"listen {LOOPBACK}:{port} ssl;"),
                                 ("/etc/ssl/agent/fullchain.pem", str(certificate.chain)),
                                 ("/etc/ssl/agent/privkey.pem", str(certificate.key)),
                                 ("/var/www/agent", str(page)),
                                 ("127.0.0.1:4002", f"{LOOPBACK}:{agent_port}")):
        assert of_the_example in site, f"nginx.conf has no {of_the_example}"
        site = site.replace(of_the_example, ours)
    folder.mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX.format(site=site))
    return Server(folder, port, "nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr")


class Tinyproxy:
    """An HTTP proxy, and how it says in its log that it connected to somewhere."""
    scheme, user = "http", "agent:s3cret@"
    wrong_password, no_password, nobody_there = 401, 407, 500  # the numbers of its refusals

    @staticmethod
    def start(folder, with_user=False, more=""):
        port = free_port()
        folder.mkdir(exist_ok=True)
        user = "BasicAuth agent s3cret" if with_user else ""
        (folder / "conf").write_text(f"Port {port}\nListen {LOOPBACK}\nBind {PROXY_EXIT}\nLogLevel Connect\n{user}\n{more}\n")
        return Server(folder, port, "tinyproxy", "-d", "-c", "conf")

    @staticmethod
    def connected(port):
        return rf"CONNECT {LOOPBACK}:{port} HTTP/1.1\n.*Established connection"


class Microsocks:
    """A SOCKS5 proxy, likewise."""
    scheme, user = "socks5", "agent:s3cret%3A%2F%40@"
    wrong_password, no_password, nobody_there = 2, 255, 5

    @staticmethod
    def start(folder, with_user=False):
        port = free_port()
        folder.mkdir(exist_ok=True)
        user = ["-u", "agent", "-P", "s3cret:/@"] if with_user else []
        return Server(folder, port, "microsocks", "-i", LOOPBACK, "-p", str(port), "-b", PROXY_EXIT, *user)

    @staticmethod
    def connected(port):
        return f"connected to {LOOPBACK}:{port}"
