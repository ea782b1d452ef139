"""_ffi.py is the C header in other words: what drifts apart fails here, name by name."""
from __future__ import annotations

import ctypes
import os
import pathlib
import re
import subprocess
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_size_t, c_ssize_t, c_uint32, c_uint64, c_void_p
from typing import Any

import pytest

from p2pagents import _ffi

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADER = (ROOT / "include/p2pagents/p2pagents.h").read_text()
PLAIN = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)
STRUCTS: dict[str, type[ctypes.Structure]] = {
    "p2pa_error_info": _ffi.ErrorInfo, "p2pa_peer": _ffi.Peer, "p2pa_bytes": _ffi.Bytes,
    "p2pa_text": _ffi.Bytes, "p2pa_limits": _ffi.Limits, "p2pa_log_record": _ffi.LogRecord,
    "p2pa_node_options": _ffi.NodeOptions, "p2pa_call_options": _ffi.CallOptions,
    "p2pa_connection_info": _ffi.ConnectionInfo, "p2pa_event": _ffi.Event, "p2pa_usage": _ffi.Usage,
    "p2pa_dial_attempt": _ffi.DialAttempt, "p2pa_channel_options": _ffi.ChannelOptions,
    "p2pa_channel_stats": _ffi.ChannelStats, "p2pa_session_message_options": _ffi.SessionMessageOptions}
HANDLES = {"p2pa_node", "p2pa_op", "p2pa_call", "p2pa_stream", "p2pa_channel"}
# How a parameter may be declared for ctypes.
PARAMETERS: dict[str, tuple[Any, ...]] = {
    "void": (), "int32_t": (c_int32,), "uint32_t": (c_uint32,), "int64_t": (c_int64,),
    "uint64_t": (c_uint64,), "size_t": (c_size_t,), **{handle: (_ffi.Handle,) for handle in HANDLES},
    "const char *": (c_char_p,), "const uint8_t *": (c_void_p,), "void *": (c_void_p,),
    "char *": (c_char_p,), "uint8_t *": (c_char_p,),
    "size_t *": (POINTER(c_size_t),), "int64_t *": (POINTER(c_int64),),
    "uint64_t *": (POINTER(c_uint64),), "uint32_t *": (POINTER(c_uint32),),
    "intptr_t *": (POINTER(c_ssize_t),), "p2pa_drop_fn": (_ffi.DropFn,),
    **{f"{handle} *": (POINTER(_ffi.Handle),) for handle in HANDLES},
    **{f"{const}{name} *": (POINTER(struct),) for name, struct in STRUCTS.items()
       for const in ("", "const ")}}
FIELDS: dict[str, Any] = {
    "uint8_t": ctypes.c_uint8, "uint32_t": c_uint32, "int32_t": c_int32, "uint64_t": c_uint64,
    "int64_t": c_int64, "size_t": c_size_t, "double": ctypes.c_double,
    "char": ctypes.c_char, **dict.fromkeys(HANDLES, c_uint64),
    "p2pa_peer": _ffi.Peer, "p2pa_text": _ffi.Bytes, "p2pa_bytes": _ffi.Bytes,
    "p2pa_log_fn": _ffi.LogFn, "p2pa_drop_fn": _ffi.DropFn, "void *": c_void_p,
    "const p2pa_limits *": POINTER(_ffi.Limits)}
# Functions for hosts that Python is not.
NOT_CALLED = {"p2pa_abi_version",  # by hand, before there are prototypes
              "p2pa_node_set_event_callback", "p2pa_node_stop_thread"}


def declared_structs() -> set[str]:
    return set(re.findall(r"typedef struct (p2pa_\w+) \{", PLAIN)) - HANDLES


def declared_fields(struct: str) -> list[tuple[str, str, str]]:
    """(type, name, count of an array or "")."""
    match = re.search(r"typedef struct %s \{(.*?)\}" % struct, PLAIN, re.DOTALL)
    assert match
    return [(" ".join(c_type.split()), name, count) for c_type, name, count in
            re.findall(r"\s*([\w ]+?[\s*]+)(\w+)(?:\[(\d+)\])?;", match[1])]


def declared_functions() -> dict[str, tuple[str, list[str]]]:
    """name: (result, types of the parameters)."""
    found = {}
    for result, name, parameters in re.findall(
            r"P2PA_API\s+([\w ]+?[\s*]+)(p2pa_\w+)\((.*?)\) P2PA_NOEXCEPT", PLAIN, re.DOTALL):
        types = [re.sub(r"\w+$", "", " ".join(one.split())).strip() for one in parameters.split(",")
                 if one != "void"]
        found[name] = (result.strip(), types)
    return found


def numbers() -> dict[str, int]:
    return {name: int(value) for name, value in
            re.findall(r"#define P2PA_(\w+) \(?(-?\d+)u?\)?\s*$", PLAIN, re.MULTILINE)}


def my_numbers() -> dict[str, int]:
    """By their names in the header."""
    mine = {name: value for name, value in vars(_ffi).items() if name.isupper() and type(value) is int}
    known = numbers()
    return {name if name in known else f"E_{name}": value for name, value in mine.items()}


def test_the_header_is_read_as_it_is_meant() -> None:
    assert declared_functions()["p2pa_node_wait_event"] == (
        "int32_t", ["p2pa_node", "int64_t", "p2pa_event *"])
    assert declared_fields("p2pa_peer") == [("uint8_t", "size", ""), ("uint8_t", "bytes", "47")]
    assert len(declared_functions()) == HEADER.count("P2PA_API ") - HEADER.count("define P2PA_API ")


def test_every_struct_is_here() -> None:
    assert declared_structs() == set(STRUCTS)


@pytest.mark.parametrize("name", STRUCTS)
def test_a_struct_has_the_fields_of_the_header(name: str) -> None:
    declared = declared_fields(name)
    fields: Any = STRUCTS[name]._fields_
    assert [field for _, field, _ in declared] == [field for field, *_ in fields]
    for (c_type, field, count), (_, mine) in zip(declared, fields):
        if (name, c_type) in (("p2pa_node_options", "const uint8_t *"), ("p2pa_node_options", "const char *")):
            assert mine is c_char_p, field
        elif name in ("p2pa_bytes", "p2pa_text") and field == "data":
            assert mine is c_void_p
        elif count:
            assert mine is FIELDS[c_type] * int(count), field
        else:
            assert mine is FIELDS[c_type], field


def test_every_function_is_here_with_its_types() -> None:
    declared = declared_functions()
    mine = _ffi.PROTOTYPES | _ffi.TEXTS
    assert set(declared) == set(mine) | NOT_CALLED and not NOT_CALLED & set(mine)
    for name, (result, parameters) in declared.items():
        if name in NOT_CALLED:
            continue
        assert result == ("const char *" if name in _ffi.TEXTS else "int32_t"), name
        assert len(parameters) == len(mine[name]), name
        for number, (c_type, given) in enumerate(zip(parameters, mine[name])):
            assert given in PARAMETERS[c_type], f"{name}, parameter {number}: {c_type}"


def test_the_numbers_are_those_of_the_header() -> None:
    known, mine = numbers(), my_numbers()
    assert (known["ABI_MAJOR"], known["ABI_MINOR"]) == _ffi.ABI
    assert len(mine) > 50
    for name, value in mine.items():
        assert known.get(name) == value, name
    for name in known:
        if name.startswith("EVENT_"):
            assert name in mine or name == "EVENT_NONE", name


def test_a_c_compiler_agrees(tmp_path: pathlib.Path) -> None:
    """Sizes, offsets and numbers as a C program of this machine has them."""
    expected = [(f"P2PA_{name}", value) for name, value in my_numbers().items()]
    for name, struct in STRUCTS.items():
        expected.append((f"sizeof({name})", ctypes.sizeof(struct)))
        for field, *_ in struct._fields_:
            expected.append((f"offsetof({name}, {field})", getattr(struct, field).offset))
            expected.append((f"sizeof((({name} *)0)->{field})", getattr(struct, field).size))
    expected += [(f"sizeof({handle})", ctypes.sizeof(_ffi.Handle)) for handle in sorted(HANDLES)]
    lines = "".join(f'  printf("%lld\\n", (long long)({what}));\n' for what, _ in expected)
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text(f"#include <p2pagents/p2pagents.h>\n#include <stdio.h>\nint main(void) {{\n{lines}}}\n")
    subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-I", ROOT / "include", source, "-o", program],
                   check=True)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    assert [(what, int(said)) for (what, _), said in zip(expected, printed)] == expected
