#!/usr/bin/env python3
"""The checks check: a planted violation is found, and what is right is left alone."""
import pathlib
import tempfile
import unittest

import tidy
from tree import Tree

LAYERS = "base: | fmt\ncore: base |\nio: base core | uv\ncapi/: core |\n"
ROOT = pathlib.Path(__file__).resolve().parents[2]


class TidyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("cmake/layers.txt", LAYERS)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def found(self, check):
        return [f"{p.path}:{p.line}" for p in tidy.run(check, Tree(self.root))]

    def expect(self, check, path, good, bad):
        """Each of `bad` alone is found on the line that follows; `good` passes."""
        for text in good:
            self.write(path, text)
            self.assertEqual(self.found(check), [], text)
        for text in bad:
            self.write(path, "// first\n" + text + "\n")
            self.assertIn(f"{path}:2", self.found(check), text)
        (self.root / path).unlink()


class Layers(TidyTest):
    def test_an_arrow_that_is_not_declared_is_found(self):
        self.expect("layers", "lib/core/a.hpp",
                    good=['#include "base/x.hpp"\n', '#include "core/y.hpp"\n', "#include <vector>\n",
                          '#include "p2pagents/error.hpp"\n'],
                    bad=['#include "io/x.hpp"', "#include <fmt/core.h>", "#include <uv.h>",
                         "#include <sys/socket.h>", "#include <iostream>", "#include <thread>",
                         '#include "x.hpp"'])

    def test_io_knows_the_system(self):
        self.expect("layers", "lib/io/a.cpp",
                    good=["#include <sys/socket.h>\n", "#include <uv.h>\n", "#include <thread>\n"],
                    bad=["#include <chrono>", "#include <fmt/core.h>", "#include <gnutls/gnutls.h>"])

    def test_public_headers_know_the_standard_library_and_each_other(self):
        self.expect("layers", "include/p2pagents/a.hpp",
                    good=["#include <vector>\n", '#include "p2pagents/b.hpp"\n'],
                    bad=["#include <fmt/core.h>", "#include <uv.h>", '#include "base/x.hpp"'])

    def test_folders_outside_lib_have_arrows_too(self):
        self.expect("layers", "capi/a.cpp",
                    good=['#include "core/x.hpp"\n'], bad=['#include "base/x.hpp"'])

    def test_brackets_do_not_hide_what_is_ours(self):
        self.expect("layers", "lib/core/a.hpp",
                    good=["#include <base/x.hpp>\n", "#include <p2pagents/error.hpp>\n"],
                    bad=["#include <io/x.hpp>", "#include <core.hpp>", '#include "uv.h"'])

    def test_what_nobody_declared_is_unknown_everywhere(self):
        for path in ("lib/io/a.cpp", "capi/a.cpp"):
            self.expect("layers", path, good=["#include <memory>\n"],
                        bad=["#include <nlohmann/json.hpp>", "#include <boost/asio.hpp>"])

    def test_an_arrow_that_does_not_point_upwards_is_found(self):
        self.write("cmake/layers.txt", "base: core |\ncore: base |\n")
        self.assertEqual(self.found("layers"), ["cmake/layers.txt:1"])
        self.write("cmake/layers.txt", "base: |\ncore: base | boost\n")
        self.assertEqual(self.found("layers"), ["cmake/layers.txt:2"])

    def test_a_folder_without_a_line_is_found(self):
        for path in ("lib/other/a.cpp", "tools/a/a.cpp", "examples/a.c", "benchmarks/a/a.cpp"):
            self.write(path, "\n")
            self.assertEqual(self.found("layers"), [f"{path}:1"])
            (self.root / path).unlink()


class RealLayers(TidyTest):
    """The file that the tree has, not one that was made for the test."""

    def setUp(self):
        super().setUp()
        self.write("cmake/layers.txt", (ROOT / "cmake/layers.txt").read_text(encoding="utf-8"))

    def test_the_arrows_that_must_not_be_are_not(self):
        for path, *headers in [
                ("lib/base/a.hpp", "crypto/hash.hpp", "sodium.h"),
                ("lib/protocols/ping/a.cpp", "protocols/rpc/rpc.hpp", "swarm/swarm.hpp",
                 "transport/quic/endpoint.hpp", "node/core.hpp", "ngtcp2/ngtcp2.h"),
                ("lib/protocols/rpc/a.cpp", "protocols/ping/ping.hpp", "transport/memory/pair.hpp"),
                ("lib/transport/a.hpp", "transport/quic/endpoint.hpp", "gnutls/gnutls.h"),
                ("lib/transport/tls/a.cpp", "ngtcp2/ngtcp2.h", "transport/quic/endpoint.hpp"),
                ("lib/transport/memory/a.cpp", "gnutls/gnutls.h", "transport/quic/endpoint.hpp"),
                ("lib/swarm/a.cpp", "protocols/rpc/rpc.hpp", "uv.h", "transport/tls/der.hpp"),
                ("lib/node/a.cpp", "io/uv_loop.hpp", "p2pagents/sim.hpp", "unistd.h"),
                ("lib/io/a.cpp", "p2pagents/sim.hpp", "nlohmann/json.hpp", "ngtcp2/ngtcp2.h"),
                ("lib/sim/a.cpp", "io/uv_loop.hpp", "uv.h", "unistd.h", "thread"),
                ("capi/a.cpp", "ngtcp2/ngtcp2.h", "transport/quic/endpoint.hpp", "p2pagents/sim.hpp",
                 "node/core.hpp", "unistd.h"),
                ("capi/runtime/a.cpp", "uv.h", "io/uv_loop.hpp"),
                ("tools/p2pa/a.cpp", "swarm/swarm.hpp", "node/core.hpp", "sodium.h"),
                ("examples/cpp/a.cpp", "node/core.hpp", "base/assert.hpp", "fmt/format.h"),
                ("examples/wordcount/a.cpp", "node/core.hpp", "nlohmann/json.hpp"),
                ("benchmarks/ours/a.cpp", "node/core.hpp", "io/uv_loop.hpp"),
                ("tests/interop/ours/a.cpp", "node/core.hpp", "protocols/rpc/rpc.hpp")]:
            includes = [f"#include {mark}" for header in headers
                        for mark in (f'"{header}"', f"<{header}>") if "/" in header or mark[0] == "<"]
            self.expect("layers", path, good=["#include <vector>\n", "#include <p2pagents/node.hpp>\n"],
                        bad=includes)

    def test_a_program_sees_its_own_files_and_those_of_a_folder_it_may_know(self):
        self.write("examples/wordcount/agent.hpp", "\n")
        self.write("tools/p2pa/session.hpp", "\n")
        self.expect("layers", "tools/p2pa/a.cpp",
                    good=['#include "session.hpp"\n', '#include "agent.hpp"\n', "#include <unistd.h>\n",
                          "#include <fmt/format.h>\n"], bad=["#include <uv.h>"])
        self.expect("layers", "benchmarks/ours/a.cpp", good=["\n"], bad=['#include "agent.hpp"'])


class Calls(TidyTest):
    def test_what_library_code_never_says_is_found(self):
        self.expect("calls", "lib/core/a.cpp",
                    good=["Foo(const Foo&) = delete;\n", "// may throw, new, abort()\n",
                          'auto s = "throw abort()";\n', "auto t = stats.time();\n",
                          "snprintf(b, n, f);\n", "auto n = timeout(3);\n", "int renew = 1;\n",
                          "::new (place) Foo;\n", "abort();  // tidy-allow: the one place\n"],
                    bad=["throw 1;", "throw;", "std::abort();", "exit(1);", 'printf("x");', 'getenv("X");',
                         "std::cout << 1;", "rand();", "time(nullptr);", "std::time(nullptr);",
                         "auto p = new Foo;", "delete p;", "delete[] p;", "assert(x);",
                         "std::chrono::steady_clock::now();", "clock_gettime(0, &t);",
                         "co_await x;", "socket(1, 2, 3);"])

    def test_io_may_ask_for_the_time(self):
        self.expect("calls", "lib/io/a.cpp",
                    good=["clock_gettime(0, &t);\n", "getrandom(b, n, 0);\n"],
                    bad=["throw 1;", "throw;", "abort();", 'getenv("X");'])

    def test_the_c_face_has_threads_and_passes_exceptions_on_but_no_more(self):
        self.expect("calls", "capi/runtime/a.cpp",
                    good=["std::mutex m;\n", "std::thread t;\n", "throw;\n",
                          "std::chrono::steady_clock::now();\n"],
                    bad=["throw 1;", "abort();", 'getenv("X");', "auto p = new Foo;", "delete p;",
                         'printf("x");', "getrandom(b, n, 0);", "socket(1, 2, 3);"])

    def test_using_namespace_in_a_header_is_found(self):
        self.expect("calls", "include/p2pagents/a.hpp",
                    good=["using std::string;\n"], bad=["using namespace std;"])


class Headers(TidyTest):
    def test_a_header_that_needs_another_is_found(self):
        self.expect_alone("lib/base/a.hpp", "#pragma once\n#include <string>\nstd::string f();\n",
                          "#pragma once\nstd::string f();\n")

    def test_a_header_without_a_guard_is_found(self):
        self.expect_alone("lib/base/a.hpp", "#pragma once\nstruct A {};\n", "struct A {};\n")

    def test_a_public_c_header_that_is_cxx_is_found(self):
        self.expect_alone("include/p2pagents/a.h",
                          "#ifndef A_H\n#define A_H\ntypedef struct a { int x; } a;\n#endif\n",
                          "#ifndef A_H\n#define A_H\nstruct a { int x; };\na f(void);\n#endif\n")

    def expect_alone(self, path, good, bad):
        self.write(path, good)
        self.assertEqual(self.found("headers"), [])
        self.write(path, bad)
        self.assertEqual(self.found("headers"), [f"{path}:1"])


    def test_a_header_that_its_source_proves_is_left_to_the_build(self):
        self.write("lib/base/a.hpp", "#pragma once\nstd::string f();\n")
        self.write("lib/base/a.cpp", '#include "base/a.hpp"\n')
        self.assertEqual(self.found("headers"), [])
        self.write("lib/base/a.cpp", '#include <string>\n#include "base/a.hpp"\n')
        self.assertEqual(self.found("headers"), ["lib/base/a.hpp:1"])


class Tests(TidyTest):
    def test_names_that_cmake_cannot_carry_and_sleeping_are_found(self):
        self.expect("tests", "tests/unit/base/a_test.cpp",
                    good=['TEST_CASE("what it says, and (why)") {}\n', "// sleep(1)\n"],
                    bad=['TEST_CASE("lies in [0, 1)") {}', 'TEST_CASE(\n    "a; b") {}',
                         "std::this_thread::sleep_for(x);", "usleep(5);"])


class Docs(TidyTest):
    def test_what_does_not_exist_is_found(self):
        self.write("docs/there.md", "there\n")
        self.write("lib/base/a.hpp", "\n")
        self.expect("docs", "README.md",
                    good=["[a](docs/there.md#part) `lib/base/a.hpp` [b](https://example.org)\n",
                          "`lib/*/x.hpp` and `tests/<level>/`\n"],
                    bad=["[a](docs/gone.md)", "see `lib/base/gone.hpp`", "run scripts/gone now"])

    def test_links_are_relative_to_their_file(self):
        self.write("docs/there.md", "there\n")
        self.expect("docs", "docs/adr/a.md", good=["[a](../there.md)\n"], bad=["[a](there.md)"])

    def test_code_that_is_not_the_file_is_found(self):
        self.write("examples/a.py", "print(1)\n")
        shown = "<!-- file: examples/a.py -->\n```python\n{}\n```\n"
        self.expect("docs", "README.md", good=[shown.format("print(1)")],
                    bad=[shown.format("print(2)"), "<!-- file: examples/a.py -->",
                         "<!-- file: examples/gone.py -->"])


class Places(TidyTest):
    def test_paths_of_machines_and_package_hosts_are_found(self):
        slash = "/"
        self.expect("places", "scripts/a", good=["cd build/mnt/\n", "https://example.org/root/x\n"],
                    bad=[f"cd {slash}mnt/main", f"cd {slash}home/me/src", f"cd {slash}root/x",
                         "get https://" + "pypi" + ".org/x"])

    def test_the_folder_that_the_tree_lies_in_is_found_wherever_that_is(self):
        self.expect("places", "scripts/a", good=["cd /elsewhere/x\n"], bad=[f"cd {self.root.resolve()}/x"])


class Style(TidyTest):
    def test_lines_are_kept_in_shape(self):
        self.expect("style", "lib/base/a.cpp", good=["int x;\n"],
                    bad=["int x; ", "\tint x;", "int x;\r", "// " + "x" * 130])
        self.write("lib/base/a.cpp", "int x;")
        self.assertEqual(len(self.found("style")), 1)


class Public(TidyTest):
    def test_a_type_without_a_comment_is_found(self):
        for text in ("/// Says.\nstruct A {\n", "struct A;\n", "/// Says.\nenum class E : int {\n"):
            self.write("include/p2pagents/a.hpp", text)
            self.assertEqual(self.found("public"), [], text)
        for text in ("\nstruct A {\n", "\nclass A final {\n", "\nenum class E : int {\n"):
            self.write("include/p2pagents/a.hpp", text)
            self.assertEqual(self.found("public"), ["include/p2pagents/a.hpp:2"], text)

    def test_a_c_function_without_a_comment_is_found(self):
        self.write("include/p2pagents/a.h", "/** Says. */\nP2PA_API int32_t p2pa_a(void);\n")
        self.assertEqual(self.found("public"), [])
        self.write("include/p2pagents/a.h", "\nP2PA_API int32_t p2pa_a(void);\n")
        self.assertEqual(self.found("public"), ["include/p2pagents/a.h:2"])


class Versions(TidyTest):
    def test_another_version_is_found(self):
        self.write("CMakeLists.txt", "project(x VERSION 0.1.2)\n")
        macros = "#define P2PA_VERSION_MAJOR {}\n#define P2PA_VERSION_MINOR 1\n#define P2PA_VERSION_PATCH 2\n"
        self.expect("versions", "include/p2pagents/p2pagents.h",
                    good=[macros.format(0)], bad=[macros.format(1)])
        self.write("include/p2pagents/p2pagents.h", macros.format(0))
        self.write("bindings/python/pyproject.toml", 'version = "0.1.3"\n')
        self.assertEqual(self.found("versions"), ["bindings/python/pyproject.toml:1"])


class Fuzz(TidyTest):
    def test_a_codec_without_a_target_is_found(self):
        self.write("lib/base/a_codec.hpp", "\n")
        self.assertEqual(self.found("fuzz"), ["lib/base/a_codec.hpp:1"])
        self.write("tests/fuzz/fuzz_a.cpp", '#include "base/a_codec.hpp"\n')
        self.assertEqual(self.found("fuzz"), ["tests/fuzz/fuzz_a.cpp:1"])
        self.write("tests/fuzz/corpus/a/one", "x")
        self.assertEqual(self.found("fuzz"), [])

    def test_a_decoder_without_a_target_is_found(self):
        header = "struct A {{\n  static Result<A> {}(ByteView bytes);\n}};\n"
        self.write("lib/base/a.hpp", header.format("encode"))
        self.assertEqual(self.found("fuzz"), [])
        self.write("lib/base/a.hpp", header.format("decode_all"))
        self.assertEqual(self.found("fuzz"), ["lib/base/a.hpp:1"])
        self.write("lib/base/a.hpp", "// fuzzed: b\n" + header.format("decode_all"))
        self.assertEqual(self.found("fuzz"), ["lib/base/a.hpp:1"])
        self.write("tests/fuzz/fuzz_b.cpp", "")
        self.write("tests/fuzz/corpus/b/one", "x")
        self.assertEqual(self.found("fuzz"), [])

    def test_a_c_function_that_is_not_fuzzed_is_found(self):
        self.write("tests/fuzz/corpus/capi/one", "x")
        self.write("include/p2pagents/p2pagents.h", "P2PA_API int32_t p2pa_a(void);\n")
        self.write("tests/fuzz/fuzz_capi.cpp", "p2pa_a_b();\n")
        self.assertEqual(self.found("fuzz"), ["include/p2pagents/p2pagents.h:1"])
        self.write("tests/fuzz/fuzz_capi.cpp", "p2pa_a();\n")
        self.assertEqual(self.found("fuzz"), [])


if __name__ == "__main__":
    unittest.main()
