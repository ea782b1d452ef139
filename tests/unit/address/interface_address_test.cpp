#include "address/interface_address.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;

namespace {
IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
}  // namespace

TEST_CASE("an interface reaches its subnet, to the bit") {
  const InterfaceAddress home{ip("192.168.4.7"), 22};
  CHECK(home.reaches(ip("192.168.4.7")));
  CHECK(home.reaches(ip("192.168.7.255")));
  CHECK_FALSE(home.reaches(ip("192.168.8.0")));
  CHECK_FALSE(home.reaches(ip("192.168.3.255")));
  CHECK_FALSE(home.reaches(ip("::1")));
  const InterfaceAddress six{ip("fd00:1:2:3::9"), 64};
  CHECK(six.reaches(ip("fd00:1:2:3:ffff::1")));
  CHECK_FALSE(six.reaches(ip("fd00:1:2:4::9")));
}

TEST_CASE("a prefix of no bits reaches its family, one of all bits itself, and no size reads past the address") {
  CHECK(InterfaceAddress{ip("10.0.0.1"), 0}.reaches(ip("8.8.8.8")));
  CHECK_FALSE(InterfaceAddress{ip("10.0.0.1"), 0}.reaches(ip("2001::1")));
  CHECK(InterfaceAddress{ip("10.0.0.1"), 32}.reaches(ip("10.0.0.1")));
  CHECK_FALSE(InterfaceAddress{ip("10.0.0.1"), 32}.reaches(ip("10.0.0.2")));
  CHECK(InterfaceAddress{ip("10.0.0.1"), 255}.reaches(ip("10.0.0.1")));
  CHECK_FALSE(InterfaceAddress{ip("fd00::1"), 255}.reaches(ip("fd00::2")));
}

TEST_CASE("a netmask is as long as its leading ones") {
  CHECK(prefix_bits(ip("255.255.252.0")) == 22);
  CHECK(prefix_bits(ip("0.0.0.0")) == 0);
  CHECK(prefix_bits(ip("255.255.255.255")) == 32);
  CHECK(prefix_bits(ip("255.0.255.0")) == 8);
  CHECK(prefix_bits(ip("ffff:ffff:ffff:ffff::")) == 64);
  CHECK(prefix_bits(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")) == 128);
}
