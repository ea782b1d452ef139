#include "swarm/gater.hpp"

#include <catch2/catch.hpp>

#include "p2pagents/key_pair.hpp"

using namespace p2pa;
using namespace p2pa::swarm;

namespace {

PeerId peer(std::uint8_t n) { return KeyPair::from_seed(Bytes(32, n)).peer_id(); }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }
GateRule rule(std::string_view text) { return *parse_gate_rule(text); }

const Multiaddr kInside = *Multiaddr::parse("/ip4/10.1.2.3/udp/4001/quic-v1");
const Multiaddr kOutside = *Multiaddr::parse("/ip4/203.0.113.1/tcp/4001");

}  // namespace

TEST_CASE("in the beginning everything passes") {
  const Gater gater;
  CHECK(gater.peer(peer(1)).has_value());
  CHECK(gater.connection(peer(1), kInside).has_value());
  CHECK(gater.connection({}, kOutside).has_value());
  CHECK(gater.accept(ip("10.1.2.3")).has_value());
  CHECK(gater.stream("/a/1").has_value());
}

TEST_CASE("a denied peer passes at no address") {
  Gater gater;
  gater.deny(peer(1));
  CHECK(gater.peer(peer(1)).error().code == Code::kGated);
  CHECK(gater.connection(peer(1), kInside).error().code == Code::kGated);
  CHECK(gater.connection(peer(2), kInside).has_value());
  CHECK(gater.accept(ip("10.1.2.3")).has_value());  // who it is shows later
  CHECK(gater.forget(peer(1)));
  CHECK_FALSE(gater.forget(peer(1)));
  CHECK(gater.connection(peer(1), kInside).has_value());
}

TEST_CASE("from a denied range nobody passes") {
  Gater gater;
  gater.deny(rule("10.0.0.0/8"));
  CHECK(gater.accept(ip("10.1.2.3")).error().code == Code::kGated);
  CHECK(gater.accept(ip("11.1.2.3")).has_value());
  CHECK(gater.connection(peer(1), kInside).error().code == Code::kGated);
  CHECK(gater.connection(peer(1), kOutside).has_value());
  CHECK(gater.peer(peer(1)).has_value());
}

TEST_CASE("a denied protocol gets no stream") {
  Gater gater;
  gater.deny(rule("/a/1"));
  CHECK(gater.stream("/a/1").error().code == Code::kGated);
  CHECK(gater.stream("/a/1.1").has_value());
}

TEST_CASE("while only what is allowed may pass, a peer or an address makes a connection pass") {
  Gater gater;
  gater.set_allowed_only(true);
  CHECK(gater.peer(peer(1)).error().code == Code::kGated);
  CHECK(gater.accept(ip("10.1.2.3")).error().code == Code::kGated);
  CHECK(gater.connection(peer(1), kInside).error().code == Code::kGated);
  CHECK(gater.connection({}, kInside).error().code == Code::kGated);

  REQUIRE(gater.allow(peer(1)).has_value());
  CHECK(gater.peer(peer(1)).has_value());
  CHECK(gater.peer(peer(2)).error().code == Code::kGated);
  CHECK(gater.connection(peer(1), kOutside).has_value());
  CHECK(gater.connection(peer(2), kOutside).error().code == Code::kGated);
  CHECK(gater.accept(ip("203.0.113.1")).has_value());  // it may be that peer
  CHECK(gater.connection({}, kOutside).has_value());

  REQUIRE(gater.allow(rule("10.0.0.0/8")).has_value());
  CHECK(gater.peer(peer(2)).has_value());
  CHECK(gater.connection(peer(2), kInside).has_value());
  CHECK(gater.connection(peer(2), kOutside).error().code == Code::kGated);

  gater.set_allowed_only(false);
  CHECK(gater.connection(peer(2), kOutside).has_value());
}

TEST_CASE("the address of a relay speaks for nobody behind it") {
  Gater gater;
  const std::string relay = "/ip4/10.1.2.3/udp/4001/quic-v1/p2p/" + peer(9).to_string();
  const Multiaddr relayed = *Multiaddr::parse(relay + "/p2p-circuit");
  REQUIRE(gater.allow(rule("10.0.0.0/8")).has_value());
  gater.set_allowed_only(true);
  CHECK(gater.connection(peer(1), relayed).error().code == Code::kGated);
  gater.set_allowed_only(false);
  gater.deny(rule("10.1.0.0/16"));
  CHECK(gater.connection(peer(1), relayed).error().code == Code::kGated);
}

TEST_CASE("what is denied does not pass though it is allowed") {
  Gater gater;
  for (const bool only : {false, true}) {
    gater.set_allowed_only(only);
    REQUIRE(gater.allow(peer(1)).has_value());
    REQUIRE(gater.allow(rule("10.1.2.3")).has_value());
    gater.deny(rule("10.0.0.0/8"));
    gater.deny(peer(2));
    CHECK(gater.connection(peer(1), kInside).error().code == Code::kGated);
    CHECK(gater.connection(peer(2), kOutside).error().code == Code::kGated);
    CHECK(gater.accept(ip("10.1.2.3")).error().code == Code::kGated);
    CHECK(gater.connection(peer(1), kOutside).has_value());
  }
}

TEST_CASE("a rule is told by its text") {
  CHECK(std::get<PeerId>(rule(peer(1).to_string())) == peer(1));
  CHECK(std::get<IpRange>(rule("2001:db8::/32")).contains(ip("2001:db8::1")));
  CHECK(std::get<std::string>(rule("/ipfs/ping/1.0.0")) == "/ipfs/ping/1.0.0");
  for (const char* bad : {"", "10.0.0.1/8", "nobody", "12D3KooW", "example.org"}) {
    CHECK(parse_gate_rule(bad).error().code == Code::kInvalidArgument);
  }
  Gater gater;
  CHECK(gater.allow(rule("/a/1")).error().code == Code::kInvalidArgument);
}
