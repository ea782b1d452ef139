#include "pair/pair.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

std::array<std::uint8_t, 32> seed_of(std::uint8_t n) {
  std::array<std::uint8_t, 32> out{};
  out[0] = n;
  return out;
}

}  // namespace

TEST_CASE("noise does not disturb a connection, nor make one") {
  Scene s;
  Connection& c = s.connect();
  s.pipe.run_for(seconds(1));
  Rng rng(seed_of(1));
  for (int i = 0; i < 3000; ++i) {
    Bytes noise(1 + rng.below(1400));
    rng.fill(noise);
    if (i % 3 == 0) noise[0] |= 0xc0;
    s.pipe.inject(s.server.address, s.client, noise);
    s.pipe.inject(s.client.address, s.server, noise);
  }
  s.pipe.run_for(seconds(1));
  const StreamId stream = s.request(c, "undisturbed");
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
  CHECK(s.server.endpoint.connections_count() == 1);
}

TEST_CASE("flipped and cut datagrams are as good as lost") {
  for (std::uint8_t seed = 0; seed < 20; ++seed) {
    Scene s;
    Rng rng(seed_of(seed));
    s.pipe.filter = [&](Peer&, Bytes& bytes) {
      if (rng.below(4) != 0) return true;
      if (rng.below(2) == 0) {
        bytes[rng.below(bytes.size())] ^= static_cast<std::uint8_t>(1 + rng.below(255));
      } else {
        bytes.resize(1 + rng.below(bytes.size()));
      }
      return true;
    };
    Connection* c = s.pipe.dial(s.client, s.server);
    REQUIRE(s.pipe.run_until([&] { return s.up() || s.client.closed; }));
    if (!c->established()) continue;  // a flipped first packet may cost the attempt, never the node
    const StreamId stream = s.request(*c, std::string(20'000, 'x'));
    REQUIRE(s.pipe.run_until([&] { return s.client.inbox(*c, stream).closed || s.client.closed; }, seconds(60)));
    CHECK(s.client.inbox(*c, stream).text.size() == 20'000);
  }
}

TEST_CASE("repeated and reordered datagrams change nothing") {
  Link link;
  link.jitter = milliseconds(15);
  Scene s(link);
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    Peer& to = &from == &s.client ? s.server : s.client;
    if (to.connection() != nullptr && to.connection()->established()) s.pipe.inject(from.address, to, bytes);
    return true;
  };
  Connection& c = s.connect();
  const StreamId stream = s.request(c, std::string(300'000, 'x'));
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }, seconds(60)));
  CHECK(s.client.inbox(c, stream).text.size() == 300'000);
}

TEST_CASE("first packets from everywhere stay within the bound of handshakes") {
  Limits limits;
  limits.handshakes_max = 8;
  limits.handshakes_per_ip_max = 4;
  Scene s({}, {}, limits);
  Bytes first;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.client && first.empty()) first = bytes;
    return false;
  };
  s.pipe.dial(s.client, s.server);
  s.pipe.run_for(milliseconds(1));
  REQUIRE(first.size() >= 1200);
  std::size_t sent = 0;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.server) sent += bytes.size();
    return false;
  };
  std::size_t received = 0;
  for (std::uint8_t i = 0; i < 200; ++i) {
    IpEndpoint from = s.client.address;
    from.ip.bytes[2] = i;
    Bytes packet = first;
    packet[6] ^= i;  // another connection id: the packet cannot be read, but that is seen late
    s.pipe.inject(from, s.server, packet);
    received += packet.size();
  }
  s.pipe.run_for(milliseconds(1));
  CHECK(s.server.resources.usage().handshakes <= 8);
  CHECK(s.server.endpoint.connections_count() <= 8);
  CHECK(sent <= 3 * received);
  s.pipe.run_for(seconds(60));
  CHECK(s.server.endpoint.connections_count() == 0);
  CHECK(s.server.resources.usage().handshakes == 0);
}

TEST_CASE("first packets that nobody can read are looked at so often in a second, and then asked for proof") {
  Scene s;
  Bytes first;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    if (&from == &s.client && first.empty()) first = bytes;
    return false;
  };
  s.pipe.dial(s.client, s.server);
  s.pipe.run_for(milliseconds(1));
  REQUIRE(first.size() >= 1200);
  constexpr std::uint32_t kMax = quic::Endpoint::kUselessFirstsMax, kMany = 300;
  const auto flood = [&] {
    for (std::uint32_t i = 1; i <= kMany; ++i) {
      IpEndpoint from = s.client.address;
      from.ip.bytes[2] = static_cast<std::uint8_t>(i);
      Bytes packet = first;
      packet[6] ^= static_cast<std::uint8_t>(i);
      packet[7] ^= static_cast<std::uint8_t>(i >> 8 | 0x80);
      s.pipe.inject(from, s.server, packet);
    }
  };
  flood();
  const auto& dropped = s.server.resources.drops().dropped;
  CHECK(s.server.resources.handshakes_begun() == kMax);
  CHECK(dropped[DropCounters::kAddressUnproven] == kMany - kMax);
  CHECK(s.server.resources.usage().handshakes == 0);
  s.pipe.filter = {};
  s.connect();  // whoever proves the address is let in
  s.pipe.run_for(seconds(1));
  const std::uint64_t before = s.server.resources.handshakes_begun();
  flood();
  CHECK(s.server.resources.handshakes_begun() - before == kMax);
}

TEST_CASE("an answer to a first packet is at most three times as long") {
  Scene s;
  std::size_t sent = 0, received = 0;
  s.pipe.filter = [&](Peer& from, Bytes& bytes) {
    (&from == &s.client ? received : sent) += bytes.size();
    return &from == &s.client;
  };
  s.pipe.dial(s.client, s.server);
  s.pipe.run_for(milliseconds(11));
  CHECK(sent > 0);
  CHECK(sent <= 3 * received);
}
