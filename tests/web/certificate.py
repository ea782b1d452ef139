"""Certificates for servers of the tests."""
import base64
import dataclasses
import hashlib
import pathlib
import subprocess


def openssl(*arguments, stdin=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"openssl {arguments}: {done.stderr.decode(errors='replace')}"
    return done.stdout


@dataclasses.dataclass
class Certificate:
    """Of 127.0.0.1 and localhost, by an authority of its own; PEM files."""
    root: pathlib.Path
    chain: pathlib.Path
    key: pathlib.Path

    @classmethod
    def make(cls, folder):
        root, root_key, chain, key = (folder / name for name in ("root.pem", "root.key", "chain.pem", "key.pem"))
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=test"]
        openssl(*new, "-keyout", root_key, "-out", root)
        openssl(*new, "-keyout", key, "-out", chain, "-CA", root, "-CAkey", root_key, "-addext",
                "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        return cls(root, chain, key)

    def key_hash(self):
        """Of the public key, as browsers name it."""
        public = openssl("x509", "-in", self.chain, "-noout", "-pubkey")
        der = openssl("pkey", "-pubin", "-outform", "der", stdin=public)
        return base64.b64encode(hashlib.sha256(der).digest()).decode()
