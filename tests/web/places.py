"""Where things are; the programs that the tests run are those of one build."""
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EXAMPLE = ROOT / "examples/browser"
BUILD = pathlib.Path(os.environ.get("P2PA_BUILD", ROOT / "build/release"))
AGENT = BUILD / "examples/browser_agent"
PICTURES = BUILD / "web/pictures"  # for people
os.environ.setdefault("P2PA", str(BUILD / "tools/p2pa/p2pa"))
sys.path += [str(ROOT / "tests/tool"), str(ROOT / "tests/interop")]  # tool.py runs what P2PA names
