"""The two faces have one shape, every status its exception, and what cannot work is said early."""
from __future__ import annotations

import inspect
import math
import pathlib
import re
from typing import Any

import pytest

import p2pagents
from p2pagents import _ffi, aio, errors

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADER = (ROOT / "include/p2pagents/p2pagents.h").read_text()
ONLY_ITS_OWN = {p2pagents.Node: {"workers"}, aio.Node: {"open"}}


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()
            if p.name not in ("workers", "engine")]


@pytest.mark.parametrize("name", ["Node", "Call", "Stream", "MessageChannel", "Events"])
def test_both_faces_have_the_same_names_and_parameters(name: str) -> None:
    blocking, awaited = getattr(p2pagents, name), getattr(aio, name)
    assert public(blocking) == public(awaited) - ONLY_ITS_OWN.get(awaited, set())
    for member in public(blocking) | {"__init__"}:
        if callable(getattr(blocking, member)):
            assert parameters(getattr(blocking, member)) == parameters(getattr(awaited, member)), member


@pytest.mark.parametrize("major, minor, fits", [(0, 1, True), (0, 2, True), (0, 0, False),
                                                (1, 1, False)])
def test_only_a_library_of_a_fitting_abi_is_loaded(major: int, minor: int, fits: bool) -> None:
    class Library:
        @staticmethod
        def p2pa_abi_version(to_major: Any, to_minor: Any) -> None:
            to_major._obj.value, to_minor._obj.value = major, minor

    if fits:
        _ffi._check_abi(Library(), "lib")  # type: ignore[arg-type]
    else:
        with pytest.raises(ImportError, match=f"has ABI {major}.{minor}.*needs 0.1"):
            _ffi._check_abi(Library(), "lib")  # type: ignore[arg-type]


def test_every_status_has_an_exception_below_one_root() -> None:
    codes = {int(v): n.lower() for n, v in re.findall(r"#define P2PA_E_(\w+) \((-\d+)\)", HEADER)}
    assert len(codes) > 40
    for code, name in codes.items():
        error = errors.error_of(code)
        assert isinstance(error, p2pagents.P2PError) and (error.code, error.name) == (code, name)
        assert name in str(error)
    assert type(errors.error_of(-199)) is p2pagents.ConnectError
    assert type(errors.error_of(-9999)) is p2pagents.P2PError


def test_an_error_says_its_detail_and_its_peer() -> None:
    who = p2pagents.peer_id_of(bytes(32))
    error = errors.error_of(-204, "too much", 7, who)
    assert (error.detail, error.peer) == (7, who)
    assert str(error) == f"too much ({who}) [message_too_large, 7]"


def test_what_cannot_be_an_option_is_said_before_anything_is_opened() -> None:
    with pytest.raises(p2pagents.InvalidArgument, match="no such limit: stream_max; there are calls_max"):
        p2pagents.Node(limits={"stream_max": 1})
    with pytest.raises(p2pagents.InvalidArgument, match="cubic, bbr"):
        p2pagents.Node(congestion="reno")
    with pytest.raises(p2pagents.Malformed):
        p2pagents.Node("not an address")


@pytest.mark.parametrize("options", [
    {"limits": {"events_max": -1}}, {"limits": {"events_max": 2**32}}, {"limits": {"memory_max": 2**64}},
    {"idle_timeout": -1}, {"idle_timeout": 86401}, {"idle_timeout": 1e30}, {"handshake_timeout": math.inf},
    {"keep_alive": math.nan}, {"open_timeout": -1}])
def test_a_number_that_no_option_can_be_is_said_too(options: Any) -> None:
    with pytest.raises(p2pagents.InvalidArgument, match="from 0 to"):
        p2pagents.Node(**options)


def test_too_few_events_are_said_at_once() -> None:
    with pytest.raises(p2pagents.InvalidArgument, match="events_max is under 16"):
        p2pagents.Node(limits={"events_max": 1})


def test_the_greatest_numbers_can_be_options() -> None:
    p2pagents.Node(limits={"events_max": 2**32 - 1, "memory_max": 2**64 - 1}, idle_timeout=86400,
                   keep_alive=0, handshake_timeout=86400).close()


def test_a_key_makes_the_same_peer_again(tmp_path: pathlib.Path) -> None:
    key = p2pagents.generate_key()
    with p2pagents.Node(key=key) as node:
        assert node.peer_id == p2pagents.peer_id_of(key)
    path = tmp_path / "agent.key"
    with p2pagents.Node(key_file=path) as first:
        kept = first.peer_id
    with p2pagents.Node(key_file=path) as second:
        assert second.peer_id == kept
    path.write_bytes(b"nonsense")
    with pytest.raises(p2pagents.IdentityError):
        p2pagents.Node(key_file=path)
    with pytest.raises(p2pagents.IdentityError):
        p2pagents.Node(key=b"short")


def test_the_version_is_that_of_the_project() -> None:
    project = re.search(r"project\(p2pagents VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())
    assert project
    assert p2pagents.__version__ == p2pagents.version() == project[1]
    assert f'version = "{project[1]}"' in (ROOT / "bindings/python/pyproject.toml").read_text()
