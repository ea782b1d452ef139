#include <catch2/catch.hpp>

#include <limits>

#include "support/hex.hpp"
#include "wire/protobuf.hpp"

using namespace p2pa;
using namespace p2pa::wire;
using test::from_hex;
using test::to_hex;

namespace {

/// The error of reading a message to its end; kOk when there is none.
Code verdict(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  ProtoReader reader(bytes);
  ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return more.error().code;
    if (!*more) return Code::kOk;
  }
}

}  // namespace

TEST_CASE("fields are written in order, minimal, and read back") {
  Bytes out;
  ProtoWriter writer(out);
  writer.varint(1, 150);
  writer.text(2, "testing");
  writer.bytes(16, from_hex("ff"));
  writer.varint(3, std::numeric_limits<std::uint64_t>::max());
  writer.fixed64(4, 0x0102030405060708);
  CHECK(to_hex(out) == "089601" "120774657374696e67" "820101ff" "18ffffffffffffffffff01" "210807060504030201");

  ProtoReader reader(out);
  ProtoField field;
  REQUIRE(*reader.next(field));
  CHECK(field.number == 1);
  CHECK(*field.varint() == 150);
  REQUIRE(*reader.next(field));
  CHECK(*field.text() == "testing");
  CHECK(field.content.data() == out.data() + 5);
  REQUIRE(*reader.next(field));
  CHECK(field.number == 16);
  CHECK(to_hex(*field.bytes()) == "ff");
  REQUIRE(*reader.next(field));
  CHECK(*field.varint() == std::numeric_limits<std::uint64_t>::max());
  REQUIRE(*reader.next(field));
  CHECK(*field.fixed() == 0x0102030405060708);
  CHECK_FALSE(*reader.next(field));
  CHECK_FALSE(*reader.next(field));
}

TEST_CASE("a field asked for as another type is malformed") {
  ProtoField field;
  const Bytes message = from_hex("0801" "1200" "1d01000000");
  ProtoReader fields(message);
  REQUIRE(*fields.next(field));
  CHECK(field.bytes().error().code == Code::kMalformed);
  CHECK(field.text().error().code == Code::kMalformed);
  CHECK(field.fixed().error().code == Code::kMalformed);
  REQUIRE(*fields.next(field));
  CHECK(field.bytes()->empty());
  CHECK(field.varint().error().code == Code::kMalformed);
  REQUIRE(*fields.next(field));
  CHECK(*field.fixed() == 1);
  CHECK(field.varint().error().code == Code::kMalformed);
}

TEST_CASE("what is no protobuf is malformed") {
  CHECK(verdict("") == Code::kOk);
  CHECK(verdict("08") == Code::kMalformed);                        // no value
  CHECK(verdict("0880") == Code::kMalformed);                      // half a value
  CHECK(verdict("08ffffffffffffffffffff01") == Code::kMalformed);  // too long a value
  CHECK(verdict("80") == Code::kMalformed);                        // half a key
  CHECK(verdict("0001") == Code::kMalformed);                      // field 0
  CHECK(verdict("1202ff") == Code::kMalformed);                    // longer than the message
  CHECK(verdict("12ffffffff0f") == Code::kMalformed);
  CHECK(verdict("12ffffffffffffffff7f") == Code::kMalformed);
  CHECK(verdict("0b0801" "0c") == Code::kMalformed);               // group
  CHECK(verdict("0f") == Code::kMalformed);                        // wire type 7
  CHECK(verdict("0d010000") == Code::kMalformed);                  // short fixed32
  CHECK(verdict("0901000000000000") == Code::kMalformed);          // short fixed64
  CHECK(verdict("0801" "1202ff") == Code::kMalformed);             // good field, bad field
}
