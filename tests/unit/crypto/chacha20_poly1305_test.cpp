#include <catch2/catch.hpp>

#include <algorithm>

#include "crypto/chacha20_poly1305.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using namespace p2pa::crypto;
using test::from_hex;
using test::to_hex;

namespace {

void set(ChachaKey& key, ByteView bytes) { std::ranges::copy(bytes, key.span().begin()); }

}  // namespace

TEST_CASE("ChaCha20-Poly1305 is that of RFC 8439") {
  // §2.8.2
  ChachaKey key;
  set(key, from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  ChachaNonce nonce;
  std::ranges::copy(from_hex("070000004041424344454647"), nonce.begin());
  const Bytes associated = from_hex("50515253c0c1c2c3c4c5c6c7");
  const ByteView plain = as_bytes(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.");
  Bytes sealed(plain.size() + kChachaTagSize);
  chacha20_poly1305_seal(key, nonce, associated, plain, sealed);
  CHECK(to_hex(sealed) ==
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
        "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
  Bytes opened(plain.size());
  REQUIRE(chacha20_poly1305_open(key, nonce, associated, sealed, opened));
  CHECK(std::ranges::equal(opened, plain));
}

TEST_CASE("what is changed anywhere does not open, and leaves nothing readable behind") {
  ChachaKey key, other_key;
  set(key, Bytes(32, 1));
  set(other_key, Bytes(32, 2));
  const ChachaNonce nonce{1};
  Bytes sealed(4 + kChachaTagSize);
  chacha20_poly1305_seal(key, nonce, as_bytes("head"), as_bytes("text"), sealed);
  const auto refuses = [](const ChachaKey& k, const ChachaNonce& n, std::string_view head,
                          const Bytes& bytes) {
    Bytes out(4, 0xaa);
    return !chacha20_poly1305_open(k, n, as_bytes(head), bytes, out) && out == Bytes(4, 0);
  };
  CHECK_FALSE(refuses(key, nonce, "head", sealed));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 0x80;
    CHECK(refuses(key, nonce, "head", changed));
  }
  CHECK(refuses(other_key, nonce, "head", sealed));
  CHECK(refuses(key, {2}, "head", sealed));
  CHECK(refuses(key, nonce, "tail", sealed));
}

TEST_CASE("an empty message is its tag, and nothing else opens as one") {
  ChachaKey key;
  Bytes tag(kChachaTagSize);
  chacha20_poly1305_seal(key, {}, {}, {}, tag);
  CHECK(chacha20_poly1305_open(key, {}, {}, tag, {}));
  tag[0] ^= 1;
  CHECK_FALSE(chacha20_poly1305_open(key, {}, {}, tag, {}));
}
