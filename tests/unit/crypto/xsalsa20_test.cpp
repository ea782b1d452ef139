// XSalsa20 against NaCl's vector and a key stream that a second implementation made.

#include <catch2/catch.hpp>
#include <numeric>

#include "base/multibase.hpp"
#include "crypto/hash.hpp"
#include "crypto/xsalsa20.hpp"

namespace p2pa::crypto {
namespace {

Bytes hex(std::string_view text) { return decode_base(Base::kBase16, text).value(); }

struct Counted {
  Bytes key = Bytes(kXsalsaKeySize), nonce = Bytes(kXsalsaNonceSize);
  Counted() {
    std::iota(key.begin(), key.end(), std::uint8_t{0});
    std::iota(nonce.begin(), nonce.end(), std::uint8_t{100});
  }
};

TEST_CASE("the key stream is NaCl's") {
  Xsalsa20 stream(hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"),
                  hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"));
  Bytes bytes(32);
  stream.apply(bytes);
  CHECK(bytes == hex("eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880"));
}

TEST_CASE("a long key stream is right to its end") {
  const Counted counted;
  Xsalsa20 stream(counted.key, counted.nonce);
  Bytes bytes(100'000);
  stream.apply(bytes);
  CHECK(encode_base(Base::kBase16, sha256(bytes)) ==
        "96a151e27a2368800ca9fd3cebda30e30c51d254ef0c2db39218426623694107");
}

TEST_CASE("pieces of any size make one key stream") {
  const Counted counted;
  Bytes whole(5000, 0xaa);
  Xsalsa20(counted.key, counted.nonce).apply(whole);
  for (const std::size_t size : {1, 3, 63, 64, 65, 127, 128, 129, 1000}) {
    INFO(size);
    Xsalsa20 stream(counted.key, counted.nonce);
    Bytes pieces(whole.size(), 0xaa);
    for (std::size_t at = 0; at < pieces.size(); at += size) {
      stream.apply(MutableBytes(pieces).subspan(at, std::min(size, pieces.size() - at)));
    }
    CHECK(pieces == whole);
  }
}

}  // namespace
}  // namespace p2pa::crypto
