#include "swarm/duplicates.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using namespace p2pa::swarm;

namespace {

using Ids = std::vector<ConnectionId>;

/// The same connection at its other end, where it has another number.
Duplicate mirrored(Duplicate d) {
  d.id = 100 - d.id;
  d.outbound = !d.outbound;
  return d;
}

Carrier carrier(const char* address) { return carrier_of(*Multiaddr::parse(address)); }

}  // namespace

TEST_CASE("a single connection is never too many") {
  CHECK(surplus({}, 1).empty());
  CHECK(surplus({{7, Carrier::kRelayed, true, false}}, 1).empty());
}

TEST_CASE("of two that were dialed at once both ends keep what the smaller PeerId dialed") {
  const Duplicate mine{1, Carrier::kQuic, true, true}, theirs{2, Carrier::kQuic, false, false};
  CHECK(surplus({mine, theirs}, 1) == Ids{2});
  CHECK(surplus({theirs, mine}, 1) == Ids{2});
  CHECK(surplus({mirrored(mine), mirrored(theirs)}, 1) == Ids{98});
}

TEST_CASE("the better carrier wins, whoever dialed it") {
  const Duplicate quic{5, Carrier::kQuic, false, false}, tcp{1, Carrier::kStream, true, true};
  const Duplicate relayed{2, Carrier::kRelayed, true, true};
  CHECK(surplus({tcp, quic, relayed}, 1) == Ids{1, 2});
  CHECK(surplus({tcp, quic, relayed}, 2) == Ids{2});
  CHECK(surplus({tcp, quic, relayed}, 3).empty());
  const Duplicate session{6, Carrier::kSession, false, false};
  CHECK(surplus({session, tcp}, 1) == Ids{1});
  CHECK(surplus({session, quic}, 1) == Ids{6});
}

TEST_CASE("of equal ones the end that dialed them gives up the younger, and the other end none") {
  const Duplicate first{3, Carrier::kQuic, true, true}, second{4, Carrier::kQuic, true, true};
  CHECK(surplus({second, first}, 1) == Ids{4});
  CHECK(surplus({mirrored(first), mirrored(second)}, 1).empty());
  // What is worse than those goes at both ends all the same.
  const Duplicate worse{5, Carrier::kStream, true, true};
  CHECK(surplus({first, second, worse}, 1) == Ids{4, 5});
  CHECK(surplus({mirrored(first), mirrored(second), mirrored(worse)}, 1) == Ids{95});
}

TEST_CASE("what carries a connection is seen by its address") {
  CHECK(carrier("/ip4/192.0.2.1/udp/4001/quic-v1") == Carrier::kQuic);
  CHECK(carrier("/ip4/192.0.2.1/udp/4001/p2pa-udp") == Carrier::kSession);
  CHECK(carrier("/ip4/192.0.2.1/tcp/4001") == Carrier::kStream);
  CHECK(carrier("/ip4/192.0.2.1/tcp/4001/ws") == Carrier::kStream);
  CHECK(carrier("/ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/"
                "p2p-circuit") == Carrier::kRelayed);
}
