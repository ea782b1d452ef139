#include "swarm/dial_ranker.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace p2pa;
using swarm::ranked;
using swarm::stagger;

namespace {

std::vector<Multiaddr> addresses(std::initializer_list<const char*> texts) {
  std::vector<Multiaddr> out;
  for (const char* text : texts) out.push_back(Multiaddr::parse(text).value());
  return out;
}

}  // namespace

TEST_CASE("QUIC comes first, then UDP sessions, TCP, WebSocket, the rest, then the second of each, and relays last") {
  const auto best_first = addresses({
      "/ip4/192.0.2.1/udp/1/quic-v1",
      "/ip4/192.0.2.1/udp/2/p2pa-udp",
      "/ip4/192.0.2.1/tcp/1",
      "/ip4/192.0.2.1/tcp/2/ws",
      "/ip4/192.0.2.1/udp/1/webrtc-direct",
      "/ip4/192.0.2.1/tcp/3/tls/ws",
      "/ip4/192.0.2.1/udp/1/quic-v1/webtransport",
      "/ip4/192.0.2.9/udp/1/quic-v1/p2p-circuit",
      "/ip4/192.0.2.9/tcp/1/p2p-circuit",
  });
  const std::vector<Multiaddr> shuffled{best_first[7], best_first[3], best_first[4], best_first[2], best_first[5],
                                        best_first[1], best_first[8], best_first[0], best_first[6]};
  const auto out = ranked(shuffled);
  REQUIRE(out.size() == best_first.size());
  for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i].to_string() == best_first[i].to_string());
}

TEST_CASE("the families take turns, IPv6 first, each in its given order") {
  const auto out = ranked(addresses({"/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/192.0.2.1/udp/2/quic-v1",
                                     "/ip6/2001:db8::1/udp/1/quic-v1", "/ip4/192.0.2.1/udp/3/quic-v1",
                                     "/ip6/2001:db8::1/tcp/1", "/ip4/192.0.2.1/tcp/1"}));
  const auto expected = addresses({"/ip6/2001:db8::1/udp/1/quic-v1", "/ip4/192.0.2.1/udp/1/quic-v1",
                                   "/ip6/2001:db8::1/tcp/1", "/ip4/192.0.2.1/tcp/1",
                                   "/ip4/192.0.2.1/udp/2/quic-v1", "/ip4/192.0.2.1/udp/3/quic-v1"});
  CHECK(out == expected);
}

TEST_CASE("only a dial of nothing but addresses of our own networks hurries") {
  CHECK(stagger(addresses({"/ip4/10.1.2.3/udp/1/quic-v1", "/ip6/fd00::1/tcp/1", "/ip4/127.0.0.1/tcp/1"})) ==
        swarm::kLocalDialStagger);
  CHECK(stagger(addresses({"/ip4/10.1.2.3/udp/1/quic-v1", "/ip4/192.0.2.1/tcp/1"})) == swarm::kDialStagger);
  CHECK(stagger(addresses({"/ip4/10.1.2.3/udp/1/quic-v1", "/dns4/example.com/tcp/1"})) == swarm::kDialStagger);
  CHECK(stagger(addresses({"/ip4/10.1.2.3/tcp/1/p2p-circuit"})) == swarm::kDialStagger);
}
