#include <catch2/catch.hpp>

#include <utility>

#include "crypto/ed25519.hpp"
#include "identity/public_key.hpp"
#include "p2pagents/key_pair.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;
using test::to_hex;

namespace {

const std::string kSeed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";  // RFC 8032
const std::string kPublic = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const std::string kOther = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

Code verdict(const std::string& hex) {
  const auto pair = KeyPair::from_protobuf(from_hex(hex));
  return pair ? Code::kOk : pair.error().code;
}

}  // namespace

TEST_CASE("a key pair names itself by its public key") {
  const KeyPair pair = KeyPair::from_seed(from_hex(kSeed));
  CHECK(to_hex(pair.public_key()) == "08011220" + kPublic);
  CHECK(to_hex(pair.peer_id().bytes()) == "002408011220" + kPublic);
  CHECK(to_hex(pair.peer_id().inline_public_key()) == to_hex(pair.public_key()));
  CHECK(PublicKey::decode(pair.public_key())->peer_id() == pair.peer_id());
}

TEST_CASE("what a key pair signs, its public key verifies") {
  const KeyPair pair = KeyPair::from_seed(from_hex(kSeed));
  const auto signature = pair.sign(as_bytes("hello"));
  const PublicKey key = *PublicKey::decode(pair.public_key());
  CHECK(key.verify(as_bytes("hello"), signature));
  CHECK(key.verify(as_bytes("hellO"), signature).error().code == Code::kBadSignature);
}

TEST_CASE("a private key is read in its 64-byte form and in the old one of 96") {
  const KeyPair pair = KeyPair::from_seed(from_hex(kSeed));
  CHECK(to_hex(pair.to_protobuf()) == "08011240" + kSeed + kPublic);
  CHECK(KeyPair::from_protobuf(pair.to_protobuf())->peer_id() == pair.peer_id());
  CHECK(KeyPair::from_protobuf(from_hex("08011260" + kSeed + kPublic + kPublic))->peer_id() == pair.peer_id());
}

TEST_CASE("a private key whose public part is of another key is bad") {
  CHECK(verdict("08011240" + kSeed + kOther) == Code::kBadKey);
  CHECK(verdict("08011260" + kSeed + kPublic + kOther) == Code::kBadKey);
  CHECK(verdict("08011260" + kSeed + kOther + kPublic) == Code::kBadKey);
  CHECK(verdict("08011260" + kSeed + kOther + kOther) == Code::kBadKey);
}

TEST_CASE("a private key that is broken or of another type is refused") {
  CHECK(verdict("") == Code::kBadKey);
  CHECK(verdict("0801") == Code::kBadKey);
  CHECK(verdict("1240" + kSeed + kPublic) == Code::kBadKey);
  CHECK(verdict("08011220" + kSeed) == Code::kBadKey);
  CHECK(verdict("0801123f" + (kSeed + kPublic).substr(2)) == Code::kBadKey);
  CHECK(verdict("0801124000" + kSeed) == Code::kBadKey);
  CHECK(verdict("00001240" + kSeed + kPublic) == Code::kBadKey);
  CHECK(verdict("0a0112" "40" + kSeed + kPublic) == Code::kBadKey);
  CHECK(verdict("08001240" + kSeed + kPublic) == Code::kUnsupported);
  CHECK(verdict("08021220" + kSeed) == Code::kUnsupported);
  CHECK(verdict("08ffffffffffffffffff011220" + kSeed) == Code::kUnsupported);
}

TEST_CASE("a moved key pair leaves its secret behind nowhere") {
  KeyPair pair = KeyPair::from_seed(from_hex(kSeed));
  const KeyPair moved = std::move(pair);
  CHECK(to_hex(moved.to_protobuf()) == "08011240" + kSeed + kPublic);
  CHECK(to_hex(pair.to_protobuf()) == "08011240" + std::string(128, '0'));
  KeyPair assigned = KeyPair::from_seed(Bytes(32, 1));
  KeyPair source = KeyPair::from_seed(from_hex(kSeed));
  assigned = std::move(source);
  CHECK(assigned.peer_id() == moved.peer_id());
  CHECK(to_hex(source.to_protobuf()) == "08011240" + std::string(128, '0'));
}

TEST_CASE("secrets derived from a key are stable, and differ by purpose and by key") {
  const KeyPair pair = KeyPair::from_seed(from_hex(kSeed));
  Bytes a(32), b(32), c(32), longer(64);
  pair.derive("stateless reset", a);
  KeyPair::from_protobuf(pair.to_protobuf())->derive("stateless reset", b);
  CHECK(a == b);
  pair.derive("another purpose", c);
  CHECK(a != c);
  KeyPair::from_seed(Bytes(32, 1)).derive("stateless reset", c);
  CHECK(a != c);
  pair.derive("stateless reset", longer);
  CHECK(to_hex(ByteView(longer).first(32)) == to_hex(a));
}
