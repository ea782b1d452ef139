#include <catch2/catch.hpp>

#include "base/multibase.hpp"
#include "crypto/rng.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;
using test::to_hex;

namespace {
constexpr Base kAll[] = {Base::kBase16,      Base::kBase16Upper, Base::kBase32,
                         Base::kBase32Upper, Base::kBase36,      Base::kBase36Upper,
                         Base::kBase58Btc,   Base::kBase64,      Base::kBase64Url,
                         Base::kBase64Padded};
}

TEST_CASE("every base gives back what it was given") {
  Rng rng(Bytes(32, 5));
  for (const Base base : kAll) {
    for (int i = 0; i < 200; ++i) {
      Bytes bytes(rng.below(80));
      rng.fill(bytes);
      for (std::size_t zeros = rng.below(4); zeros > 0 && zeros <= bytes.size(); --zeros) {
        bytes[zeros - 1] = 0;
      }
      CHECK(*decode_base(base, encode_base(base, bytes)) == bytes);
      CHECK(*decode_multibase(encode_multibase(base, bytes)) == bytes);
    }
  }
}

TEST_CASE("padding is written, and must be there and right") {
  // RFC 4648 §10
  for (const auto& [bytes, text] : {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}}) {
    CHECK(encode_base(Base::kBase64Padded, as_bytes(bytes)) == text);
    CHECK(as_text(*decode_base(Base::kBase64Padded, text)) == bytes);
  }
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z===", "====", "Zm8", "Zm8==", "Zm9v=", "Zm9v====", "Zg==Zg==",
                           "Zh=="}) {
    INFO(text);
    CHECK_FALSE(decode_base(Base::kBase64Padded, text));
  }
}

TEST_CASE("a character outside the alphabet is malformed") {
  CHECK_FALSE(decode_base(Base::kBase58Btc, "0"));
  CHECK_FALSE(decode_base(Base::kBase58Btc, "O"));
  CHECK_FALSE(decode_base(Base::kBase58Btc, "1I"));
  CHECK_FALSE(decode_base(Base::kBase58Btc, "l"));
  CHECK_FALSE(decode_base(Base::kBase16, "0g"));
  CHECK_FALSE(decode_base(Base::kBase32, "a1"));
  CHECK_FALSE(decode_base(Base::kBase32, "my======"));
  CHECK_FALSE(decode_base(Base::kBase36, "a-"));
  CHECK_FALSE(decode_base(Base::kBase64, "_w"));
  CHECK_FALSE(decode_base(Base::kBase64Url, "/w"));
  CHECK_FALSE(decode_base(Base::kBase64Url, "_w=="));
  CHECK_FALSE(decode_base(Base::kBase16, "\xc3\xa9"));
}

TEST_CASE("letters of either case are taken where the alphabet has one, and only there") {
  CHECK(to_hex(*decode_base(Base::kBase16, "aBcD")) == "abcd");
  CHECK(decode_base(Base::kBase32Upper, "mz") == decode_base(Base::kBase32, "MZ"));
  CHECK_FALSE(decode_base(Base::kBase58Btc, "a") == decode_base(Base::kBase58Btc, "A"));
}

TEST_CASE("bits left over are malformed unless they are zero and too few for a digit") {
  CHECK(to_hex(*decode_base(Base::kBase64Url, "_w")) == "ff");
  CHECK_FALSE(decode_base(Base::kBase64Url, "_x"));   // four bits that are not zero
  CHECK_FALSE(decode_base(Base::kBase64Url, "_"));    // not a byte
  CHECK_FALSE(decode_base(Base::kBase64Url, "_wAAA")); // a digit too many
  CHECK_FALSE(decode_base(Base::kBase16, "fff"));
  CHECK_FALSE(decode_base(Base::kBase32, "7"));
  CHECK_FALSE(decode_base(Base::kBase32, "76a"));
}

TEST_CASE("text of any base is bounded") {
  CHECK(decode_base(Base::kBase16, std::string(kBaseTextMax, '0')));
  const auto over = decode_base(Base::kBase16, std::string(kBaseTextMax + 1, '0'));
  CHECK(over.error() == Error{Code::kMalformed, kBaseTextMax, ""});
  CHECK_FALSE(decode_base(Base::kBase58Btc, std::string(kBaseTextMax + 1, '1')));
}

TEST_CASE("a prefix that is no base of ours is told apart from bad text") {
  CHECK(decode_multibase("").error().code == Code::kMalformed);
  CHECK(decode_multibase("?abc").error().code == Code::kUnsupported);
  CHECK(decode_multibase(std::string_view("\0abc", 4)).error().code == Code::kUnsupported);
  CHECK(decode_multibase("f0").error().code == Code::kMalformed);
  CHECK(decode_multibase("z")->empty());
}
