#include <catch2/catch.hpp>

#include <set>

#include "base/multibase.hpp"
#include "p2pagents/peer_id.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;

namespace {
const char* const kEd25519 = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const char* const kRsa = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC";
}  // namespace

TEST_CASE("an empty id names nobody") {
  CHECK(PeerId().empty());
  CHECK(PeerId().bytes().empty());
  CHECK(PeerId().inline_public_key().empty());
  CHECK(PeerId() == PeerId());
  CHECK_FALSE(PeerId() == *PeerId::parse(kRsa));
}

TEST_CASE("an id carries its key when the key is short, and only then") {
  CHECK(PeerId::parse(kEd25519)->inline_public_key().size() == 36);
  CHECK(PeerId::parse(kRsa)->inline_public_key().empty());
}

TEST_CASE("ids are equal, ordered and hashed by their bytes") {
  const PeerId a = *PeerId::parse(kEd25519), b = *PeerId::parse(kRsa);
  CHECK(a == *PeerId::from_bytes(a.bytes()));
  CHECK(a < b);  // 0x00… before 0x12…
  CHECK((a <=> a) == std::strong_ordering::equal);
  CHECK(PeerIdHash()(a) != PeerIdHash()(b));
  CHECK(PeerIdHash()(a) == PeerIdHash()(*PeerId::parse(kEd25519)));
  const PeerId shorter = *PeerId::from_bytes(from_hex("000100")), longer = *PeerId::from_bytes(from_hex("00020000"));
  CHECK(shorter < longer);
}

TEST_CASE("the longest id is of 44 bytes, and one byte more is malformed") {
  CHECK(PeerId::from_bytes(from_hex("002a" + std::string(84, 'a')))->bytes().size() == PeerId::kSizeMax);
  CHECK_FALSE(PeerId::from_bytes(from_hex("002b" + std::string(86, 'a'))));
}

TEST_CASE("binary that is no peer id is malformed") {
  for (const std::string& hex : {std::string(), std::string("00"), std::string("0000"), std::string("0001"),
                                 std::string("00010203"), "1114" + std::string(40, '1'), "1340" + std::string(128, '1'),
                                 "121f" + std::string(62, '1'), "1221" + std::string(66, '1'),
                                 "9220" + std::string(64, '1'), std::string("80000101")}) {
    INFO(hex);
    CHECK(PeerId::from_bytes(from_hex(hex)).error().code == Code::kMalformed);
  }
}

TEST_CASE("text that is no peer id is malformed") {
  const std::string cid = PeerId::parse(kRsa)->to_cid();
  for (const std::string& text :
       {std::string(), std::string("1"), std::string("Qm"), std::string("x"), std::string("hello"),
        std::string(kRsa).substr(1), std::string(kRsa) + "1", std::string(kEd25519) + "0", cid.substr(1),
        cid.substr(0, cid.size() - 1), 'B' + cid.substr(1, 5), std::string("z") + kRsa, std::string("b"),
        std::string(1000, '1'), std::string(kEd25519) + "\n", " " + std::string(kEd25519)}) {
    INFO(text);
    CHECK(PeerId::parse(text).error().code == Code::kMalformed);
  }
}

TEST_CASE("a CID of another version or codec is no peer id") {
  const PeerId id = *PeerId::parse(kRsa);
  const auto cid_of = [&](std::uint8_t version, std::uint8_t codec) {
    Bytes bytes{version, codec};
    bytes.insert(bytes.end(), id.bytes().begin(), id.bytes().end());
    return encode_multibase(Base::kBase32, bytes);
  };
  CHECK(PeerId::parse(cid_of(1, 0x72)) == id);
  CHECK_FALSE(PeerId::parse(cid_of(0, 0x72)));
  CHECK_FALSE(PeerId::parse(cid_of(2, 0x72)));
  CHECK_FALSE(PeerId::parse(cid_of(1, 0x70)));
}
