#include <catch2/catch.hpp>

#include "crypto/hash.hpp"
#include "identity/public_key.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;
using test::to_hex;

namespace {

const std::string kKey(64, 'a');

Code verdict(const std::string& hex) {
  const auto key = PublicKey::decode(from_hex(hex));
  return key ? Code::kOk : key.error().code;
}

}  // namespace

TEST_CASE("only the one deterministic encoding of a key is a key") {
  CHECK(verdict("08011220" + kKey) == Code::kOk);
  CHECK(verdict("1220" + kKey + "0801") == Code::kBadKey);         // order
  CHECK(verdict("0881001220" + kKey) == Code::kBadKey);            // type not minimal
  CHECK(verdict("080112a000" + kKey) == Code::kBadKey);            // length not minimal
  CHECK(verdict("8800011220" + kKey) == Code::kBadKey);            // tag not minimal
  CHECK(verdict("08011220" + kKey + "1a00") == Code::kBadKey);     // something extra
  CHECK(verdict("080008011220" + kKey) == Code::kBadKey);          // twice
  CHECK(verdict("08011220" + kKey + "1220" + kKey) == Code::kBadKey);
}

TEST_CASE("a key with a field missing or cut short is bad") {
  for (const std::string& hex :
       {std::string(), std::string("0801"), "1220" + kKey, std::string("0801122000"), std::string("08011200"),
        "0801" "0d00000000" + kKey, std::string("ff")}) {
    INFO(hex);
    CHECK(verdict(hex) == Code::kBadKey);
  }
}

TEST_CASE("a key of an unknown type or an impossible size is bad") {
  CHECK(verdict("08041220" + kKey) == Code::kBadKey);
  CHECK(verdict("08ffffffffffffffffff011220" + kKey) == Code::kBadKey);
  CHECK(verdict("08811012" "20" + kKey) == Code::kBadKey);  // 0x801: Ed25519 if cut to a byte
  CHECK(verdict("0801121f" + kKey.substr(2)) == Code::kBadKey);
  CHECK(verdict("08011221" + kKey + "aa") == Code::kBadKey);
  CHECK(verdict("08021220" + kKey) == Code::kBadKey);
  CHECK(verdict("08021221" + kKey + "aa") == Code::kOk);
  CHECK(verdict("08001200") == Code::kBadKey);
}

TEST_CASE("the size of a key is bounded") {
  const PublicKey longest{crypto::KeyType::kRsa, Bytes(crypto::kPublicKeyDataMax, 1)};
  CHECK(longest.encode().size() == kPublicKeyBytesMax);
  CHECK(PublicKey::decode(longest.encode()) == longest);
  const PublicKey longer{crypto::KeyType::kRsa, Bytes(crypto::kPublicKeyDataMax + 1, 1)};
  CHECK(PublicKey::decode(longer.encode()).error() == Error{Code::kBadKey, kPublicKeyBytesMax, ""});
}

TEST_CASE("keys of up to 42 bytes stand in their peer's name, longer ones as their hash") {
  const Bytes at(42, 7), over(43, 7);
  CHECK(to_hex(PeerId::from_public_key(at).bytes()) == "002a" + to_hex(at));
  CHECK(to_hex(PeerId::from_public_key(over).bytes()) == "1220" + to_hex(crypto::sha256(over)));
}
