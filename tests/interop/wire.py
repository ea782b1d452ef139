"""A wire between two peers that keeps what passes it."""
import re
import socket
import threading

# What a stranger may know a libp2p node by: what the layers above a private network's key say in clear.
WORDS = (b"/multistream/1.0.0", b"/noise", b"/tls/1.0.0", b"/yamux/1.0.0", b"/ipfs/")


class Wire:
    """Listens on a free port and passes each connection on to the address's."""

    def __init__(self, address):
        found = re.match(r"/ip4/([\d.]+)/tcp/(\d+)", address)
        self._target = (found[1], int(found[2]))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = address.replace(found[0], f"/ip4/127.0.0.1/tcp/{self._listening.getsockname()[1]}", 1)
        self._sockets = [self._listening]
        self.said = {"dialer": bytearray(), "listener": bytearray()}

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def _accept(self):
        while True:
            try:
                dialer, _ = self._listening.accept()
                listener = socket.create_connection(self._target, timeout=10)
            except OSError:
                return
            listener.settimeout(None)
            self._sockets += (dialer, listener)
            for who, source, sink in (("dialer", dialer, listener), ("listener", listener, dialer)):
                threading.Thread(target=self._pass, args=(self.said[who], source, sink), daemon=True).start()

    @staticmethod
    def _pass(said, source, sink):
        try:
            while data := source.recv(65536):
                said += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()


def words_in(said):
    """The words of a libp2p node that stand there in clear."""
    return [word.decode() for word in WORDS if word in said]


def answer_to(address, first=None, within_s=30):
    """All that a listener says to who sends `first`, or, without it, sends back what it gets."""
    found = re.match(r"/ip4/([\d.]+)/tcp/(\d+)", address)
    said = bytearray()
    with socket.create_connection((found[1], int(found[2])), timeout=within_s) as stranger:
        try:
            if first:
                stranger.sendall(first)
            while data := stranger.recv(65536):
                said += data
                if first is None:
                    stranger.sendall(data)
        except ConnectionError:
            pass
    return bytes(said)
