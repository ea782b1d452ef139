#include <catch2/catch.hpp>

#include "base/multibase.hpp"
#include "base/multihash.hpp"
#include "base/varint.hpp"
#include "support/hex.hpp"
#include "vectors/table.hpp"

using namespace p2pa;
using test::from_hex;
using test::read_table;
using test::to_hex;

TEST_CASE("varints are as published") {
  for (const auto& row : read_table("varint", 2)) {
    INFO(row[0]);
    const std::uint64_t value = std::stoull(row[0]);
    CHECK(to_hex(encode_varint(value).bytes()) == row[1]);
    const Bytes bytes = from_hex(row[1]);
    ByteReader reader(bytes);
    CHECK(*read_varint(reader) == value);
    CHECK(reader.at_end());
  }
}

TEST_CASE("multibase texts are as published") {
  for (const auto& row : read_table("multibase", 2)) {
    INFO(row[1]);
    CHECK(encode_multibase(Base{row[1][0]}, from_hex(row[0])) == row[1]);
    CHECK(to_hex(*decode_multibase(row[1])) == row[0]);
  }
}

TEST_CASE("multibase texts in mixed case are read as published") {
  for (const auto& row : read_table("multibase_case", 2)) {
    INFO(row[1]);
    CHECK(to_hex(*decode_multibase(row[1])) == row[0]);
  }
}

TEST_CASE("multihashes are as published") {
  for (const auto& row : read_table("multihash", 3)) {
    INFO(row[2]);
    const Bytes bytes = from_hex(row[2]);
    const auto hash = Multihash::parse(bytes);
    REQUIRE(hash);
    CHECK(hash->code == std::stoull(row[0]));
    CHECK(to_hex(hash->digest) == row[1]);
    Bytes again;
    hash->append_to(again);
    CHECK(again == bytes);
  }
}
