"""Builds the go and the js peer outside the source tree. Each function returns the command that runs the peer."""
import hashlib
import pathlib
import shutil
import subprocess

from harness import Failure, Skip

SOURCE = pathlib.Path(__file__).resolve().parent
BUILD_TIMEOUT_S = 900
NODE_MAJOR_MIN = 22


def build_go(build_dir):
    if not shutil.which("go"):
        raise Skip("go is not installed")
    program = build_dir / "go-peer"
    _run("go build", ["go", "build", "-p", "2", "-o", program, "."], SOURCE / "go")
    return [str(program)]


def test_go():
    """The go peer's own tests: its rpc frames against our vectors."""
    try:
        _run("go test", ["go", "test", "-p", "2", "./rpc"], SOURCE / "go")
    except Skip as skip:
        raise Failure(str(skip)) from None


def build_js(build_dir):
    if not shutil.which("npm"):
        raise Skip("npm is not installed")
    target = build_dir / "js"
    target.mkdir(parents=True, exist_ok=True)
    for source in (SOURCE / "js").glob("*.*"):
        shutil.copy(source, target)
    install_packages(target)
    return [_node(target), str(target / "peer.mjs")]


def install_packages(target):
    """Runs `npm ci` unless the packages of this very lock file are there already."""
    digest = hashlib.sha256((target / "package-lock.json").read_bytes()).hexdigest()
    stamp = target / "node_modules" / ".lock-digest"
    if stamp.exists() and stamp.read_text() == digest:
        return
    _run("npm ci", ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], target)
    stamp.write_text(digest)


def _node(target):
    """The packaged Node, or else the machine's if it is new enough."""
    packaged = target / "node_modules" / ".bin" / "node"
    if packaged.exists():
        return str(packaged)
    installed = shutil.which("node")
    if not installed:
        raise Skip("no Node is packaged for this machine, and none is installed")
    version = subprocess.run([installed, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_MAJOR_MIN:
        raise Skip(f"no Node is packaged for this machine, and the installed {version} is older than {NODE_MAJOR_MIN}")
    return installed


def _run(what, command, directory):
    try:
        done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=BUILD_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Skip(f"{what} took more than {BUILD_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise Skip(f"{what} failed: {' | '.join(done.stdout.strip().splitlines()[-5:])}")
