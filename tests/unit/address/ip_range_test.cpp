#include "address/ip_range.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;

namespace {

bool in(const char* range, const char* ip) { return IpRange::parse(range)->contains(*IpAddress::parse(ip)); }

}  // namespace

TEST_CASE("a range has the addresses that begin as it does") {
  CHECK(in("192.0.2.0/24", "192.0.2.0"));
  CHECK(in("192.0.2.0/24", "192.0.2.255"));
  CHECK_FALSE(in("192.0.2.0/24", "192.0.3.0"));
  CHECK(in("10.128.0.0/9", "10.255.1.1"));
  CHECK_FALSE(in("10.128.0.0/9", "10.127.255.255"));
  CHECK(in("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
}

TEST_CASE("a range may be one address or a whole family") {
  CHECK(in("192.0.2.1", "192.0.2.1"));
  CHECK_FALSE(in("192.0.2.1", "192.0.2.2"));
  CHECK(in("::1/128", "::1"));
  CHECK(in("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(in("0.0.0.0/0", "2001:db8::1"));
  CHECK(in("::/0", "2001:db8::1"));
  CHECK_FALSE(in("::/0", "192.0.2.1"));
}

TEST_CASE("a range is written as it is read") {
  for (const char* text : {"192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "::1/128"}) {
    CHECK(IpRange::parse(text)->to_string() == text);
  }
  CHECK(IpRange::parse("192.0.2.7")->to_string() == "192.0.2.7/32");
}

TEST_CASE("what is no range is refused") {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ",
                           "10.0.0.0/8/8", "10.0.0.1/8", "::1/64", "::/129", "10.0.0/8", "host/8",
                           "10.0.0.0/4294967304"}) {
    INFO(text);
    const auto range = IpRange::parse(text);
    REQUIRE_FALSE(range.has_value());
    CHECK(range.error().code == Code::kInvalidArgument);
  }
}
