#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "base/assert.hpp"
#include "p2pagents/error.hpp"

using namespace p2pa;

TEST_CASE("an error describes itself in one line") {
  CHECK(describe({Code::kPeerIdMismatch, 298, "another key"}) ==
        "peer_id_mismatch: another key (detail 298)");
  CHECK(describe({Code::kTimeout, 0, ""}) == "timeout");
  CHECK(describe({Code::kIo, 13, ""}) == "io (detail 13)");
}

TEST_CASE("every code has a name of its own, and a number that is none says so") {
  std::set<std::string_view> names;
  int known = 0;
  for (int code = 0; code > -600; --code) {
    const std::string_view name = code_name(static_cast<Code>(code));
    if (name == "unknown") continue;
    ++known;
    names.insert(name);
  }
  CHECK(names.size() == static_cast<std::size_t>(known));
  CHECK(known == 46);
  CHECK(code_name(static_cast<Code>(12345)) == "unknown");
}

TEST_CASE("errors are equal by code and detail, whatever they say") {
  CHECK(Error{Code::kIo, 5, "a"} == Error{Code::kIo, 5, "b"});
  CHECK_FALSE(Error{Code::kIo, 5, "a"} == Error{Code::kIo, 6, "a"});
  CHECK_FALSE(Error{Code::kIo, 5, "a"} == Error{Code::kClosed, 5, "a"});
}

TEST_CASE("a failed assertion tells the handler what and where") {
  struct Caught {
    std::string expression;
    int line;
  };
  set_assert_handler([](const char* expression, const char*, int line) {
    throw Caught{expression, line};
  });
  P2PA_ASSERT(1 + 1 == 2);
  int here = 0;
  try {
    here = __LINE__ + 1;
    P2PA_ASSERT(1 + 1 == 3);
    FAIL("went on after a failed assertion");
  } catch (const Caught& caught) {
    CHECK(caught.expression == "1 + 1 == 3");
    CHECK(caught.line == here);
  }
  set_assert_handler(nullptr);
}
