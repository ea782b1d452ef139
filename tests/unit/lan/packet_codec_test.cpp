#include "lan/packet_codec.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "lan/network.hpp"
#include "p2pagents/lan.hpp"

namespace p2pa::lan {
namespace {

KeyPair key(std::uint8_t seed = 1) { return KeyPair::from_seed(Bytes(KeyPair::kSeedSize, seed)); }

Id16 id(std::uint8_t fill) {
  Id16 out;
  out.fill(fill);
  return out;
}

Bytes message(std::string_view topic = "poses", std::string_view text = "x=1") {
  Bytes out;
  append_header(out, {Kind::kMessage, Network("", {}).id(), id(0x55), 7});
  append_message(out, key(), topic, as_bytes(text));
  return out;
}

ByteView body_of(ByteView datagram) { return datagram.subspan(kHeaderBytes); }

/// Decodes and verifies a message.
Result<void> check(ByteView datagram) {
  const auto header = decode_header(datagram);
  if (!header) return std::unexpected(header.error());
  const auto decoded = decode_message(body_of(datagram));
  if (!decoded) return std::unexpected(decoded.error());
  return verify(*header, body_of(datagram), decoded->by);
}

std::string hex(ByteView bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

TEST_CASE("a message is read as it was written, and its signature is good") {
  const Bytes datagram = message();
  const auto header = decode_header(datagram);
  REQUIRE(header);
  CHECK(*header == Header{Kind::kMessage, Network("", {}).id(), id(0x55), 7});
  const auto decoded = decode_message(body_of(datagram));
  REQUIRE(decoded);
  CHECK(decoded->topic == "poses");
  CHECK(as_text(decoded->bytes) == "x=1");
  CHECK(PeerId::from_public_key(decoded->by.key) == key().peer_id());
  CHECK(check(datagram));
}

// docs/wire/lan.md has this one.
TEST_CASE("the bytes of a message are frozen") {
  CHECK(hex(message()) ==
        "7032706c010199a250076494be0f5d84ba3f62a7ce61555555555555555555555555555555550000000000000007"
        "05706f7365730003783d310024080112208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b4"
        "0f6f5c44851ac8c670ef293c2ed7a93f01ba32374eb1b458a1e6c0400cef7ca22154fa65cb2d57a034ad44ba1573"
        "576483483fff40050cbcccf97e5aa26a5ebebec206");
}

TEST_CASE("a bit changed anywhere is found") {
  const Bytes good = message();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    CAPTURE(i);
    CHECK_FALSE(check(bad));
  }
}

TEST_CASE("what is cut off anywhere is malformed or not signed") {
  const Bytes good = message();
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(check(ByteView(good).first(size)));
  }
  Bytes longer = good;
  longer.push_back(0);
  CHECK_FALSE(check(longer));
}

TEST_CASE("another version, kind or magic, and more than a datagram's bytes are malformed") {
  for (const std::size_t at : {0u, 4u, 5u}) {
    Bytes bad = message();
    bad[at] = 9;
    CHECK(decode_header(bad).error().code == Code::kMalformed);
  }
  Bytes large = message();
  large.resize(kPacketBytesMax);
  CHECK(decode_header(large));
  large.push_back(0);
  CHECK(decode_header(large).error().code == Code::kMalformed);
}

TEST_CASE("a topic is text, of one byte at least and 64 at most") {
  const auto code = [](std::string_view topic) {
    const Bytes datagram = message(topic);
    const auto decoded = decode_message(body_of(datagram));
    return decoded ? Code::kOk : decoded.error().code;
  };
  CHECK(code(std::string(kLanTopicBytesMax, 't')) == Code::kOk);
  CHECK(code(std::string(kLanTopicBytesMax + 1, 't')) == Code::kMalformed);
  CHECK(code("") == Code::kMalformed);
  CHECK(code("\xff") == Code::kMalformed);
}

TEST_CASE("the longest message with the longest topic fits in a datagram, sealed too") {
  const Network network("robots", PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, 3)));
  Bytes datagram;
  append_header(datagram, {Kind::kMessage, network.id(), id(1), ~std::uint64_t{0}});
  append_message(datagram, key(), std::string(kLanTopicBytesMax, 't'), Bytes(kLanMessageBytesMax, 'm'));
  network.seal(datagram);
  CHECK(datagram.size() <= kPacketBytesMax);
}

TEST_CASE("a signature is good for its kind of datagram only") {
  Bytes datagram = message();
  datagram[5] = static_cast<std::uint8_t>(Kind::kProof);
  CHECK(check(datagram).error().code == Code::kBadSignature);
}

TEST_CASE("a key that is none, and one of another, do not verify") {
  const Bytes good = message();
  const auto decoded = decode_message(body_of(good));
  const Header header = *decode_header(good);
  Signed by = decoded->by;
  const Bytes none{1, 2, 3};
  by.key = none;
  CHECK(verify(header, body_of(good), by).error().code == Code::kBadKey);
  const KeyPair other = key(2);
  by.key = other.public_key();
  CHECK(verify(header, body_of(good), by).error().code == Code::kBadSignature);
}

TEST_CASE("challenge and proof are read as they were written") {
  Bytes body;
  append_challenge(body, {id(2), id(3)}, 100);
  CHECK(body.size() == 100);
  const auto challenge = decode_challenge(body);
  REQUIRE(challenge);
  CHECK(challenge->session == id(2));
  CHECK(challenge->nonce == id(3));
  body.back() = 1;
  CHECK(decode_challenge(body).error().code == Code::kMalformed);
  CHECK(decode_challenge(ByteView(body).first(31)).error().code == Code::kMalformed);

  const Header header{Kind::kProof, id(4), id(5), 6};
  Bytes datagram;
  append_header(datagram, header);
  append_proof(datagram, key(), id(7), 8);
  CHECK(datagram.size() < kPacketBytesMax);
  const auto proof = decode_proof(body_of(datagram));
  REQUIRE(proof);
  CHECK(proof->nonce == id(7));
  CHECK(proof->oldest == 8);
  CHECK(verify(header, body_of(datagram), proof->by));
  for (std::size_t size = 0; size < 24; ++size) CHECK_FALSE(decode_proof(body_of(datagram).first(size)));
}

}  // namespace
}  // namespace p2pa::lan
