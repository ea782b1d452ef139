// Private networks: the key file, and the cipher around a connection.

#include <catch2/catch.hpp>

#include "p2pagents/pre_shared_key.hpp"
#include "transport/pnet/pnet_layer.hpp"

namespace p2pa::pnet {
namespace {

const std::string kHex = "377f1ab022c885ab554482599939b559791442c699c24d8dcf086ab294b8f735";
const std::string kHead = "/key/swarm/psk/1.0.0/\n";

Result<PreSharedKey> parse(const std::string& text) { return PreSharedKey::parse(as_bytes(text)); }

TEST_CASE("a network's key file is read in each of its encodings") {
  const auto key = parse(kHead + "/base16/\n" + kHex);
  REQUIRE(key);
  CHECK(key->bytes()[0] == 0x37);
  CHECK(key->bytes()[31] == 0x35);
  const std::string base64 = "N38asCLIhatVRIJZmTm1WXkUQsaZwk2NzwhqspS49zU";
  const std::string raw(as_text(key->bytes()));
  for (const std::string& rest : {"/base16/\n" + kHex + "\n", "/base16/\r\n" + kHex + "\r\n\r\n",
                                  "/base64/\n" + base64, "/base64/\n" + base64 + "=\n", "/bin/\n" + raw}) {
    INFO(rest);
    const auto other = parse(kHead + rest);
    REQUIRE(other);
    CHECK(std::ranges::equal(other->bytes(), key->bytes()));
  }
}

TEST_CASE("what is written is read again") {
  const auto key = parse(kHead + "/base16/\n" + kHex).value();
  CHECK(key.to_file() == kHead + "/base16/\n" + kHex + "\n");
}

TEST_CASE("what is no network's key file is refused, by what is wrong with it") {
  for (const std::string& text :
       {std::string(), std::string("/key/swarm/psk/1.0.0/"), kHead, kHead + "/base16/", kHead + "/base16/\n",
        "/key/swarm/psk/2.0.0/\n/base16/\n" + kHex, kHead + "/base32/\n" + kHex, kHead + kHex,
        kHead + "/base16/\n" + kHex.substr(2), kHead + "/base16/\n" + kHex + "00", kHead + "/base16/\n" + kHex + "0",
        kHead + "/base16/\n" + kHex + "\n" + kHex, kHead + "/base16/\nx" + kHex.substr(1),
        kHead + "/base64/\n" + kHex, kHead + "/bin/\n" + std::string(31, 'x'), kHead + "/bin/\n" + std::string(33, 'x'),
        kHead + "/base16/\n" + kHex + std::string(300, '\n')}) {
    INFO(text);
    const auto key = parse(text);
    REQUIRE_FALSE(key);
    CHECK(key.error().code == Code::kBadKeyFile);
  }
}

struct End {
  explicit End(std::uint8_t seed, const PreSharedKey& key) : rng(Bytes(32, seed)), layer(key, rng) {}
  Rng rng;
  Layer layer;
  Bytes up, down;

  std::string received() { return std::string(as_text(std::exchange(up, {}))); }
};

/// A key of one byte, over and over.
PreSharedKey key_of(std::uint8_t byte) { return PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, byte)); }

TEST_CASE("two ends with the key understand each other, however their bytes are cut") {
  const PreSharedKey key = key_of(7);
  for (const std::size_t piece : {1, 5, 24, 25, 1000}) {
    INFO(piece);
    End a(1, key), b(2, key);
    REQUIRE(a.layer.begin(a.down));
    CHECK(a.layer.open());
    a.layer.send(as_bytes("hello, "), a.down);
    a.layer.send(as_bytes("private world"), a.down);
    CHECK(a.down.size() == 24 + 20);
    for (std::size_t at = 0; at < a.down.size(); at += piece) {
      const ByteView part = ByteView(a.down).subspan(at, std::min(piece, a.down.size() - at));
      REQUIRE(b.layer.receive(part, b.up, b.down));
    }
    CHECK(b.received() == "hello, private world");
    CHECK(b.down.empty());
  }
}

TEST_CASE("each direction has a key stream of its own, and so has each connection") {
  const PreSharedKey key = key_of(7);
  End a(1, key), b(2, key), again(1, key);
  for (End* end : {&a, &b}) {
    REQUIRE(end->layer.begin(end->down));
    end->layer.send(Bytes(64), end->down);
  }
  CHECK(a.down != b.down);
  Layer second(key, a.rng);
  Bytes down;
  REQUIRE(second.begin(down));
  second.send(Bytes(64), down);
  CHECK(down != a.down);
}

TEST_CASE("an end that hears itself is told so") {
  const PreSharedKey key = key_of(7);
  End a(1, key);
  REQUIRE(a.layer.begin(a.down));
  a.layer.send(as_bytes("/multistream/1.0.0"), a.down);
  Bytes answer;
  const auto fine = a.layer.receive(a.down, a.up, answer);
  REQUIRE_FALSE(fine);
  CHECK(fine.error().code == Code::kHandshake);
  CHECK(a.up.empty());
}

TEST_CASE("an end with another key gets noise, and is answered nothing") {
  const PreSharedKey ours = key_of(7), theirs = key_of(8);
  End a(1, ours), b(2, theirs);
  REQUIRE(a.layer.begin(a.down));
  a.layer.send(as_bytes("/multistream/1.0.0"), a.down);
  REQUIRE(b.layer.receive(a.down, b.up, b.down));
  CHECK(b.up.size() == 18);
  CHECK(b.received() != "/multistream/1.0.0");
  CHECK(b.down.empty());
}

}  // namespace
}  // namespace p2pa::pnet
