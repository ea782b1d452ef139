"""What roads need of keys and certificates, made for one run and kept nowhere."""
import pathlib
import secrets
import shutil
import subprocess
import tempfile

from harness import Skip

EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


class Keys:
    """A directory with two webs of trust and two keys of private networks, gone after the `with` block."""

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="interop-")
        root = pathlib.Path(self._directory.name)
        try:
            self.web, self.other_web = (make_web(root / name) for name in ("web", "other-web"))
            self.network_key, self.other_network_key = (make_network_key(root / name) for name in ("a.key", "b.key"))
        except BaseException:
            self._directory.cleanup()
            raise
        return self

    def __exit__(self, *_):
        self._directory.cleanup()


def make_network_key(file):
    """The standard key file of a private network."""
    file.write_text(f"/key/swarm/psk/1.0.0/\n/base16/\n{secrets.token_hex(32)}\n", encoding="ascii")
    return file


def make_web(directory):
    """A root, and a certificate by it for 127.0.0.1 and localhost: roots.pem, certificate.pem, key.pem."""
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    directory.mkdir()
    _openssl(directory, *EC_KEY, "-subj", "/CN=interop root", "-keyout", "root-key.pem", "-out", "roots.pem",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    _openssl(directory, *EC_KEY, "-subj", "/CN=interop", "-keyout", "key.pem", "-out", "certificate.pem",
             "-CA", "roots.pem", "-CAkey", "root-key.pem", "-addext", "basicConstraints=critical,CA:FALSE",
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "extendedKeyUsage=serverAuth")
    return directory


def _openssl(directory, *arguments):
    done = subprocess.run(["openssl", "req", "-x509", *arguments], cwd=directory, capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        raise Skip(f"openssl: {done.stderr.strip()[-300:]}")
