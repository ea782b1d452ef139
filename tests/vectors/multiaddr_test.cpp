#include <catch2/catch.hpp>

#include "p2pagents/multiaddr.hpp"
#include "support/hex.hpp"
#include "vectors/table.hpp"

using namespace p2pa;
using test::from_hex;
using test::read_table;
using test::to_hex;

TEST_CASE("published addresses read and print the same") {
  for (const auto& row : read_table("multiaddr_good", 1)) {
    INFO(row[0]);
    const auto address = Multiaddr::parse(row[0]);
    REQUIRE(address);
    CHECK(address->to_string() == row[0]);
    CHECK(Multiaddr::from_bytes(address->bytes()) == *address);
  }
}

TEST_CASE("other spellings of an address print as the usual one") {
  for (const auto& row : read_table("multiaddr_same", 2)) {
    INFO(row[0]);
    const auto address = Multiaddr::parse(row[0]);
    REQUIRE(address);
    CHECK(address->to_string() == row[1]);
    CHECK(Multiaddr::parse(row[1]) == *address);
  }
}

TEST_CASE("addresses have the published bytes") {
  for (const auto& row : read_table("multiaddr_bytes", 2)) {
    INFO(row[0]);
    CHECK(to_hex(Multiaddr::parse(row[0])->bytes()) == row[1]);
    CHECK(Multiaddr::from_bytes(from_hex(row[1]))->to_string() == row[0]);
  }
}

TEST_CASE("what is published as no address is refused") {
  for (const auto& row : read_table("multiaddr_bad", 1)) {
    INFO(row[0]);
    CHECK_FALSE(Multiaddr::parse(row[0]));
  }
  CHECK_FALSE(Multiaddr::parse(""));
}

TEST_CASE("a peer id of 33 hash bytes is refused in binary too") {
  CHECK_FALSE(Multiaddr::from_bytes(
      from_hex("a503221221c05877cbae039d70a5e600ea02c6f9f2942439285c9e344e26f8d280c850fad6")));
}
