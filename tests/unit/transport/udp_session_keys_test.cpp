// Who may speak in a UDP session: cookies, keys, and packets that come once.

#include <catch2/catch.hpp>

#include "transport/udp/cookie.hpp"
#include "transport/udp/replay_window.hpp"
#include "transport/udp/session_keys.hpp"

using namespace p2pa;
using namespace p2pa::udp;

namespace {

const Bytes kOne(32, 1), kTwo(32, 2);
constexpr Cid kId = 77;

Bytes sealed(SessionKeys& keys, std::uint64_t number, std::string_view text = "nine bytes") {
  Bytes out(kDataHeaderSize + text.size() + kTagSize);
  keys.seal(kId, number, as_bytes(text), out);
  return out;
}

std::string opened(SessionKeys& keys, ByteView packet) {
  const auto header = decode_data(packet);
  if (!header) return "no header";
  Bytes out(packet.size() - kDataHeaderSize - kTagSize);
  return keys.open(*header, packet, out) ? std::string(as_text(out)) : "refused";
}

}  // namespace

TEST_CASE("a cookie is good for its address, its id, its message and ten seconds") {
  Rng rng(Bytes(32, 3)), other_rng(Bytes(32, 4));
  const CookieJar jar(rng), other(other_rng);
  const Instant now{seconds(100).ns};
  const IpEndpoint from = *IpEndpoint::parse("192.0.2.1:4001");
  const Bytes message(kFirstMessageSize, 5), another(kFirstMessageSize, 6);
  const auto cookie = jar.bake(now, from, kId, message);
  CHECK(jar.accepts(now, from, kId, message, cookie));
  CHECK(jar.accepts(now + CookieJar::kLifetime, from, kId, message, cookie));
  CHECK_FALSE(jar.accepts(now + CookieJar::kLifetime + nanoseconds(1), from, kId, message, cookie));
  CHECK_FALSE(jar.accepts(now - nanoseconds(1), from, kId, message, cookie));
  CHECK_FALSE(jar.accepts(now, *IpEndpoint::parse("192.0.2.1:4002"), kId, message, cookie));
  CHECK_FALSE(jar.accepts(now, *IpEndpoint::parse("192.0.2.2:4001"), kId, message, cookie));
  CHECK_FALSE(jar.accepts(now, from, kId + 1, message, cookie));
  CHECK_FALSE(jar.accepts(now, from, kId, another, cookie));
  CHECK_FALSE(other.accepts(now, from, kId, message, cookie));
  CHECK_FALSE(jar.accepts(now, from, kId, message, {}));
  for (std::size_t i = 0; i < kCookieSize; ++i) {
    auto forged = cookie;
    forged[i] ^= 1;
    CHECK_FALSE(jar.accepts(now, from, kId, message, forged));
  }
}

TEST_CASE("a packet is opened by the other end alone, and only as it was sealed") {
  const Cipher cipher = GENERATE(Cipher::kChacha20Poly1305, Cipher::kAes256Gcm);
  SessionKeys a(cipher, kOne, kTwo), b(cipher, kTwo, kOne);
  const Bytes packet = sealed(a, 5);
  CHECK(opened(b, packet) == "nine bytes");
  CHECK(opened(a, packet) == "refused");
  for (std::size_t i = 1; i < packet.size(); ++i) {
    Bytes forged = packet;
    forged[i] ^= 1;
    CHECK(opened(b, forged) == "refused");
  }
  Bytes other_phase = packet;
  other_phase[0] ^= 1;
  CHECK(opened(b, other_phase) == "refused");
  CHECK(opened(b, packet) == "nine bytes");
}

TEST_CASE("a new phase is followed, in both directions, and late packets of the old one are read") {
  const Cipher cipher = GENERATE(Cipher::kChacha20Poly1305, Cipher::kAes256Gcm);
  SessionKeys a(cipher, kOne, kTwo), b(cipher, kTwo, kOne);
  CHECK(opened(b, sealed(a, 0)) == "nine bytes");
  const Bytes late = sealed(a, 1);
  a.update();
  CHECK_FALSE(a.phase_begin());
  CHECK(opened(b, sealed(a, 2)) == "nine bytes");
  CHECK(a.phase_begin() == 2u);
  CHECK(b.phase());
  CHECK(opened(b, late) == "nine bytes");
  CHECK(opened(a, sealed(b, 0)) == "nine bytes");
  CHECK(a.phase());
  // And once more: then nobody knows the first key any more.
  b.update();
  CHECK(opened(a, sealed(b, 1)) == "nine bytes");
  CHECK_FALSE(a.phase());
  CHECK(opened(b, sealed(a, 3)) == "nine bytes");
  CHECK(opened(b, late) == "refused");
}

TEST_CASE("when both begin a phase at once it is one") {
  const Cipher cipher = GENERATE(Cipher::kChacha20Poly1305, Cipher::kAes256Gcm);
  SessionKeys a(cipher, kOne, kTwo), b(cipher, kTwo, kOne);
  CHECK(opened(b, sealed(a, 0)) == "nine bytes");
  CHECK(opened(a, sealed(b, 0)) == "nine bytes");
  a.update();
  b.update();
  CHECK(opened(b, sealed(a, 1)) == "nine bytes");
  CHECK(opened(a, sealed(b, 1)) == "nine bytes");
  CHECK(a.phase());
  CHECK(b.phase());
}

TEST_CASE("the key of the phase before goes when its packets are too old") {
  const Cipher cipher = GENERATE(Cipher::kChacha20Poly1305, Cipher::kAes256Gcm);
  SessionKeys a(cipher, kOne, kTwo), b(cipher, kTwo, kOne);
  const Bytes late = sealed(a, 0);
  a.update();
  CHECK(opened(b, sealed(a, 1)) == "nine bytes");
  CHECK(opened(b, sealed(a, ReplayWindow::kSize)) == "nine bytes");
  CHECK(opened(b, late) == "nine bytes");
  CHECK(opened(b, sealed(a, ReplayWindow::kSize + 1)) == "nine bytes");
  CHECK(opened(b, late) == "refused");
}

TEST_CASE("a key is worn after as many packets as it may seal") {
  SessionKeys a(Cipher::kAes256Gcm, kOne, kTwo);
  for (std::uint64_t i = 0; i + 1 < SessionKeys::kPacketsPerKey; ++i) static_cast<void>(sealed(a, i, ""));
  CHECK_FALSE(a.worn());
  static_cast<void>(sealed(a, SessionKeys::kPacketsPerKey));
  CHECK(a.worn());
  a.update();
  CHECK_FALSE(a.worn());
}

TEST_CASE("every packet number is fresh once, and old ones are not") {
  ReplayWindow window;
  CHECK(window.fresh(0));
  window.mark(0);
  CHECK_FALSE(window.fresh(0));
  window.mark(5);
  CHECK(window.fresh(4));
  window.mark(4);
  CHECK_FALSE(window.fresh(4));
  window.mark(ReplayWindow::kSize + 4);
  CHECK_FALSE(window.fresh(5));  // it is the oldest that is remembered, and was seen
  CHECK(window.fresh(6));
  CHECK_FALSE(window.fresh(1));  // never seen, but too old
  window.mark(1'000'000);
  CHECK(window.fresh(999'999));
  CHECK(window.fresh(1'000'000 - ReplayWindow::kSize + 1));
  CHECK_FALSE(window.fresh(1'000'000 - ReplayWindow::kSize));
  CHECK(window.fresh(UINT64_MAX - 1));
}

TEST_CASE("the window remembers exactly what was marked, in any order") {
  ReplayWindow window;
  std::vector<bool> seen(20'000);
  std::uint64_t newest = 0;
  Rng rng(Bytes(32, 5));
  for (int i = 0; i < 30'000; ++i) {
    const std::uint64_t base = newest > 1200 ? newest - 1200 : 0;
    const std::uint64_t n = std::min<std::uint64_t>(base + rng.below(1210), seen.size() - 1);
    const bool fresh = n >= newest || (newest - n < ReplayWindow::kSize && !seen[n]);
    REQUIRE(window.fresh(n) == (fresh && !seen[n]));
    if (!window.fresh(n)) continue;
    window.mark(n);
    seen[n] = true;
    newest = std::max(newest, n);
  }
}
