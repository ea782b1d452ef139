#include "protocols/rpc/packing.hpp"

#include <catch2/catch.hpp>
#include <zstd.h>

#include <string>

#include "base/byte_reader.hpp"
#include "base/varint.hpp"
#include "crypto/rng.hpp"
#include "protocols/rpc/rpc_codec.hpp"

using namespace p2pa;
using namespace p2pa::rpc;

namespace {

Bytes text(std::size_t size) {
  std::string out;
  for (unsigned i = 0; out.size() < size; ++i) out += "word " + std::to_string(i * 7919 % 1009) + ", ";
  out.resize(size);
  return Bytes(out.begin(), out.end());
}

Bytes noise(std::size_t size) {
  const Bytes seed(32, 5);
  Rng rng(seed);
  Bytes out(size);
  rng.fill(out);
  return out;
}

/// As another implementation may pack.
Bytes packed_by_hand(ByteView message, int level) {
  Bytes out(ZSTD_compressBound(message.size()));
  const std::size_t size = ZSTD_compress(out.data(), out.size(), message.data(), message.size(), level);
  REQUIRE(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

Code unpack_error(ByteView packed, std::size_t size) {
  Bytes out(size);
  const auto done = Unpacker().unpack(packed, out);
  return done ? Code::kOk : done.error().code;
}

Result<Frame> decoded(const PackedMessage& message, std::size_t message_bytes_max, Bytes& keep) {
  keep.clear();
  append_frame(keep, message);
  ByteReader reader(keep);
  REQUIRE(read_varint(reader));
  return decode_frame(reader.rest(), message_bytes_max);
}

}  // namespace

TEST_CASE("what is packed becomes what it was, in any order of sizes, on one packer and one unpacker") {
  Packer packer;
  Unpacker unpacker;
  for (const std::size_t size : {128u, 1000u, 300'000u, 200u, 4u << 20, 129u}) {
    const Bytes message = text(size);
    const ByteView packed = packer.pack(message);
    REQUIRE_FALSE(packed.empty());
    CHECK(packed.size() <= size - size / 16);
    Bytes out(size);
    CHECK(unpacker.unpack(packed, out));
    const bool same = out == message;
    CHECK(same);
  }
}

TEST_CASE("what would not shrink, is small, or would grow beyond the ratio goes as it is") {
  Packer packer;
  CHECK(packer.pack(noise(10'000)).empty());
  CHECK(packer.pack(text(kPackBytesMin - 1)).empty());
  CHECK(packer.pack({}).empty());
  CHECK(packer.pack(Bytes(4 << 20)).empty());        // to 140 bytes, and so 30,000 times as much
  CHECK_FALSE(packer.pack(Bytes(50'000)).empty());
}

TEST_CASE("other levels, and a window larger than the message, are unpacked too") {
  const Bytes message = text(100'000);
  for (const int level : {1, 9, 19, 22}) {
    CHECK(unpack_error(packed_by_hand(message, level), message.size()) == Code::kOk);
  }
}

TEST_CASE("a packed message that is not what it says is refused, and nothing is written beyond it") {
  const Bytes message = text(5000);
  const Bytes packed = packed_by_hand(message, 3);
  CHECK(unpack_error(packed, 4999) == Code::kProtocolViolation);
  CHECK(unpack_error(packed, 5001) == Code::kProtocolViolation);
  for (std::size_t n = 0; n < packed.size(); n += 7) {
    CHECK(unpack_error(ByteView(packed).first(n), 5000) == Code::kProtocolViolation);
  }
  Bytes twice = packed;
  twice.insert(twice.end(), packed.begin(), packed.end());
  CHECK(unpack_error(twice, 5000) == Code::kProtocolViolation);
  CHECK(unpack_error(twice, 10'000) == Code::kProtocolViolation);
  CHECK(unpack_error(noise(500), 5000) == Code::kProtocolViolation);
  Bytes damaged = packed;
  damaged[0] ^= 1;
  CHECK(unpack_error(damaged, 5000) == Code::kProtocolViolation);
}

TEST_CASE("a frame that does not say its size is refused: its window would be the peer's to choose") {
  const Bytes message = text(5000);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  Bytes packed(ZSTD_compressBound(message.size()));
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), message.data(), message.size()));
  ZSTD_freeCCtx(context);
  CHECK(unpack_error(packed, 5000) == Code::kProtocolViolation);
}

TEST_CASE("a packed frame decodes to what was encoded") {
  const Bytes packed = packed_by_hand(text(5000), 1);
  Bytes keep;
  const auto frame = decoded({5000, packed}, 5000, keep);
  REQUIRE(frame);
  const auto& message = std::get<PackedMessage>(*frame);
  CHECK(message.size == 5000);
  CHECK(Bytes(message.packed.begin(), message.packed.end()) == packed);
}

TEST_CASE("a bomb is refused before anything is unpacked") {
  const Bytes bomb = packed_by_hand(Bytes(64 << 20), 1);  // some 2 KiB
  Bytes keep;
  CHECK(decoded({64 << 20, bomb}, 4 << 20, keep).error().code == Code::kMessageTooLarge);
  CHECK(decoded({64 << 20, bomb}, 4 << 20, keep).error().detail == 4 << 20);
  CHECK(decoded({64 << 20, bomb}, 128 << 20, keep).error().code == Code::kProtocolViolation);  // over the ratio
  const Bytes small = packed_by_hand(Bytes(4 << 20), 1);
  CHECK(decoded({4 << 20, small}, 4 << 20, keep).error().code == Code::kProtocolViolation);
  const Bytes ten(10, 1);
  CHECK(decoded({10 * kUnpackRatioMax, ten}, 4 << 20, keep).error().code == Code::kProtocolViolation);
  CHECK(decoded({10 * kUnpackRatioMax - 1, ten}, 4 << 20, keep));
  CHECK(decoded({0, ten}, 4 << 20, keep).error().code == Code::kProtocolViolation);
  CHECK(decoded({10, {}}, 4 << 20, keep).error().code == Code::kProtocolViolation);
  // One that lies about its size comes as far as the unpacker.
  CHECK(unpack_error(bomb, 2 << 20) == Code::kProtocolViolation);
}
