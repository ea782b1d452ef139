// msgpack-c is the judge: what we write it reads, and what it writes we read.
#include <catch2/catch.hpp>

#include <limits>
#include <msgpack.h>

#include "crypto/rng.hpp"
#include "support/hex.hpp"
#include "wire/msgpack.hpp"

using namespace p2pa;
using namespace p2pa::wire;
using test::from_hex;
using test::to_hex;
using Type = MsgpackReader::Type;

namespace {

int append_raw(void* out, const char* data, std::size_t size) {
  auto& bytes = *static_cast<Bytes*>(out);
  bytes.insert(bytes.end(), data, data + size);
  return 0;
}

/// One value at random, written by both.
void pack_random(Rng& rng, MsgpackWriter& ours, msgpack_packer& theirs, int depth) {
  const std::uint64_t any = rng.next_u64() >> rng.below(64);
  const std::string text(rng.below(rng.below(8) ? 40 : 70'000), 'x');
  switch (rng.below(depth > 3 ? 6 : 8)) {
    case 0:
      ours.nil();
      msgpack_pack_nil(&theirs);
      break;
    case 1:
      ours.boolean(any & 1);
      any & 1 ? msgpack_pack_true(&theirs) : msgpack_pack_false(&theirs);
      break;
    case 2:
      ours.uint(any);
      msgpack_pack_uint64(&theirs, any);
      break;
    case 3:
      ours.integer(-static_cast<std::int64_t>(any >> 1));
      msgpack_pack_int64(&theirs, -static_cast<std::int64_t>(any >> 1));
      break;
    case 4:
      ours.str(text);
      msgpack_pack_str(&theirs, text.size());
      msgpack_pack_str_body(&theirs, text.data(), text.size());
      break;
    case 5:
      ours.bin(as_bytes(text));
      msgpack_pack_bin(&theirs, text.size());
      msgpack_pack_bin_body(&theirs, text.data(), text.size());
      break;
    default: {
      const auto count = static_cast<std::uint32_t>(rng.below(rng.below(20) ? 4 : 40));
      const bool map = rng.below(2);
      map ? ours.map(count) : ours.array(count);
      map ? msgpack_pack_map(&theirs, count) : msgpack_pack_array(&theirs, count);
      for (std::uint32_t i = 0; i < count * (map ? 2 : 1); ++i) pack_random(rng, ours, theirs, depth + 1);
    }
  }
}

void check_same(MsgpackReader& reader, const msgpack_object& object) {
  switch (object.type) {
    case MSGPACK_OBJECT_NIL: CHECK(reader.nil()); break;
    case MSGPACK_OBJECT_BOOLEAN: CHECK(reader.boolean() == object.via.boolean); break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER: CHECK(reader.uint() == object.via.u64); break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: CHECK(reader.integer() == object.via.i64); break;
    case MSGPACK_OBJECT_STR:
      CHECK(reader.str() == std::string_view(object.via.str.ptr, object.via.str.size));
      break;
    case MSGPACK_OBJECT_BIN:
      CHECK(as_text(*reader.bin()) == std::string_view(object.via.bin.ptr, object.via.bin.size));
      break;
    case MSGPACK_OBJECT_ARRAY:
      REQUIRE(reader.array() == object.via.array.size);
      for (std::uint32_t i = 0; i < object.via.array.size; ++i) check_same(reader, object.via.array.ptr[i]);
      break;
    case MSGPACK_OBJECT_MAP:
      REQUIRE(reader.map() == object.via.map.size);
      for (std::uint32_t i = 0; i < object.via.map.size; ++i) {
        check_same(reader, object.via.map.ptr[i].key);
        check_same(reader, object.via.map.ptr[i].val);
      }
      break;
    default: FAIL("a type that was not written");
  }
}

}  // namespace

TEST_CASE("msgpack-c writes the same bytes and reads what we read") {
  Rng rng(Bytes(32, 21));
  for (int i = 0; i < 500; ++i) {
    Bytes ours, theirs;
    MsgpackWriter writer(ours);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &theirs, append_raw);
    pack_random(rng, writer, packer, 0);
    REQUIRE(ours == theirs);

    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    REQUIRE(msgpack_unpack_next(&unpacked, reinterpret_cast<const char*>(ours.data()), ours.size(), nullptr) ==
            MSGPACK_UNPACK_SUCCESS);
    MsgpackReader reader(ours);
    check_same(reader, unpacked.data);
    CHECK(reader.at_end());
    msgpack_unpacked_destroy(&unpacked);

    MsgpackReader skipper(ours);
    CHECK(skipper.skip());
    CHECK(skipper.at_end());
  }
}

TEST_CASE("values of any form and type are skipped as msgpack-c measures them") {
  Rng rng(Bytes(32, 22));
  int good = 0;
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes(1 + rng.below(24));
    rng.fill(bytes);
    // msgpack-c allocates for as many values as a 32-bit count promises, up to 128 GiB.
    for (std::uint8_t& byte : bytes) byte = byte == 0xdd || byte == 0xdf ? 0 : byte;
    bytes.resize(40, 0);  // so that few are cut short
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    std::size_t size = 0;
    const auto theirs =
        msgpack_unpack_next(&unpacked, reinterpret_cast<const char*>(bytes.data()), bytes.size(), &size);
    MsgpackReader reader(bytes);
    const bool ours = reader.skip().has_value();
    CHECK(ours == (theirs == MSGPACK_UNPACK_SUCCESS));
    if (ours) CHECK(reader.position() == size);
    good += ours;
    msgpack_unpacked_destroy(&unpacked);
  }
  CHECK(good > 5'000);
}

TEST_CASE("each value takes its shortest form") {
  const auto written = [](auto write) {
    Bytes out;
    MsgpackWriter writer(out);
    write(writer);
    return to_hex(out).substr(0, 18);
  };
  CHECK(written([](auto& w) { w.uint(127); }) == "7f");
  CHECK(written([](auto& w) { w.uint(128); }) == "cc80");
  CHECK(written([](auto& w) { w.uint(256); }) == "cd0100");
  CHECK(written([](auto& w) { w.uint(65'536); }) == "ce00010000");
  CHECK(written([](auto& w) { w.uint(std::uint64_t{1} << 32); }) == "cf0000000100000000");
  CHECK(written([](auto& w) { w.integer(-32); }) == "e0");
  CHECK(written([](auto& w) { w.integer(-33); }) == "d0df");
  CHECK(written([](auto& w) { w.integer(-129); }) == "d1ff7f");
  CHECK(written([](auto& w) { w.integer(-32'769); }) == "d2ffff7fff");
  CHECK(written([](auto& w) { w.integer(std::numeric_limits<std::int64_t>::min()); }) == "d38000000000000000");
  CHECK(written([](auto& w) { w.array(15); }) == "9f");
  CHECK(written([](auto& w) { w.array(16); }) == "dc0010");
  CHECK(written([](auto& w) { w.array(65'536); }) == "dd00010000");
  CHECK(written([](auto& w) { w.map(15); }) == "8f");
  CHECK(written([](auto& w) { w.map(16); }) == "de0010");
  CHECK(written([](auto& w) { w.map(65'536); }) == "df00010000");
  CHECK(written([](auto& w) { w.bin_header(255); }) == "c4ff");
  CHECK(written([](auto& w) { w.bin_header(256); }) == "c50100");
  CHECK(written([](auto& w) { w.bin_header(65'536); }) == "c600010000");
}

TEST_CASE("integers in longer or signed forms are the same integers") {
  for (const char* hex : {"05", "cc05", "cd0005", "ce00000005", "cf0000000000000005", "d005", "d10005", "d200000005",
                          "d30000000000000005"}) {
    const Bytes bytes = from_hex(hex);
    CHECK(MsgpackReader(bytes).uint() == 5u);
    CHECK(MsgpackReader(bytes).integer() == 5);
  }
  CHECK(MsgpackReader(from_hex("ff")).integer() == -1);
  CHECK(MsgpackReader(from_hex("d3ffffffffffffffff")).integer() == -1);
}

TEST_CASE("an integer that the type asked for cannot hold is malformed") {
  CHECK(MsgpackReader(from_hex("ff")).uint().error().code == Code::kMalformed);
  CHECK(MsgpackReader(from_hex("d0ff")).uint().error().code == Code::kMalformed);
  CHECK(MsgpackReader(from_hex("cf8000000000000000")).integer().error().code == Code::kMalformed);
  CHECK(MsgpackReader(from_hex("cf7fffffffffffffff")).integer() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a value asked for as another type is malformed, and still there afterwards") {
  const std::pair<const char*, Type> values[] = {{"c0", Type::kNil},     {"c3", Type::kBoolean}, {"07", Type::kInteger},
                                                 {"a161", Type::kStr},   {"c40161", Type::kBin}, {"9100", Type::kArray},
                                                 {"810000", Type::kMap}, {"ca3f800000", Type::kFloat},
                                                 {"d40100", Type::kExt}};
  for (const auto& [hex, type] : values) {
    INFO(hex);
    const Bytes bytes = from_hex(hex);
    MsgpackReader reader(bytes);
    CHECK(*reader.peek() == type);
    if (type != Type::kNil) CHECK(reader.nil().error().code == Code::kMalformed);
    if (type != Type::kBoolean) CHECK(reader.boolean().error().code == Code::kMalformed);
    if (type != Type::kInteger) CHECK(reader.uint().error().code == Code::kMalformed);
    if (type != Type::kInteger) CHECK(reader.integer().error().code == Code::kMalformed);
    if (type != Type::kStr) CHECK(reader.str().error().code == Code::kMalformed);
    if (type != Type::kBin) CHECK(reader.bin().error().code == Code::kMalformed);
    if (type != Type::kBin) CHECK(reader.bin_header().error().code == Code::kMalformed);
    if (type != Type::kArray) CHECK(reader.array().error().code == Code::kMalformed);
    if (type != Type::kMap) CHECK(reader.map().error().code == Code::kMalformed);
    CHECK(reader.position() == 0);
    CHECK(reader.skip());
    CHECK(reader.at_end());
  }
  CHECK(MsgpackReader(from_hex("c1")).peek().error().code == Code::kMalformed);
  CHECK(MsgpackReader(from_hex("c1")).bin().error().code == Code::kMalformed);
  CHECK(MsgpackReader(from_hex("c1")).array().error().code == Code::kMalformed);
  CHECK(MsgpackReader(from_hex("c1")).skip().error().code == Code::kMalformed);
}

TEST_CASE("a value cut short is truncated, and the cursor stays") {
  for (const char* hex : {"", "cc", "cd00", "ce000000", "cf00000000000000", "d0", "a2" "61", "d901", "da0001", "db00",
                          "c401", "c50001", "c6000000", "92" "01", "dc0001", "dd00000001", "81" "01", "de0001", "ca00",
                          "cb00", "d401", "d80100", "c70101", "c8", "c900000001"}) {
    INFO(hex);
    const Bytes bytes = from_hex(hex);
    MsgpackReader reader(bytes);
    CHECK(reader.skip().error().code == Code::kTruncated);
    CHECK(reader.position() == 0);
  }
  const Bytes text = from_hex("a2" "61");
  MsgpackReader reader(text);
  CHECK(reader.str().error().code == Code::kTruncated);
  CHECK(reader.position() == 0);
}

TEST_CASE("a count that the bytes left cannot hold is refused at once") {
  CHECK(MsgpackReader(from_hex("ddffffffff00")).array().error().code == Code::kTruncated);
  CHECK(MsgpackReader(from_hex("dfffffffff0000")).map().error().code == Code::kTruncated);
  CHECK(MsgpackReader(from_hex("830000000000")).map().error().code == Code::kTruncated);
  CHECK(MsgpackReader(from_hex("83000000000000")).map() == 3u);
}

TEST_CASE("the head of a binary may come without its body") {
  const Bytes head = from_hex("c600100000");
  CHECK(MsgpackReader(head).bin_header() == 1'048'576u);
  CHECK(MsgpackReader(head).bin().error().code == Code::kTruncated);
}

TEST_CASE("values are skipped to the bound of depth and not a level deeper") {
  const auto nested = [](std::size_t depth) {
    Bytes out;
    MsgpackWriter writer(out);
    for (std::size_t i = 0; i < depth; ++i) writer.array(1);
    writer.nil();
    return out;
  };
  const Bytes deepest = nested(MsgpackReader::kDepthMax), deeper = nested(MsgpackReader::kDepthMax + 1);
  CHECK(MsgpackReader(deepest).skip());
  CHECK(MsgpackReader(deeper).skip().error().code == Code::kMalformed);
  CHECK(MsgpackReader(Bytes(100'000, 0x91)).skip().error().code == Code::kMalformed);
}
