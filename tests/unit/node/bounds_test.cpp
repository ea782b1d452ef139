// What a host asks for is bounded too: one over each bound, by name.

#include <catch2/catch.hpp>
#include <string>

#include "node/impl.hpp"
#include "protocols/rpc/stream_call.hpp"
#include "p2pagents/sim.hpp"

using namespace p2pa;

namespace {

struct Alone {
  sim::World world{1};
  sim::NodeId id = world.add_node({});
  Node& node = world.node(id);
  PeerId far = KeyPair::from_seed(Bytes(32, 9)).peer_id();

  /// The far peer is dialed, and nobody is there.
  Alone() { REQUIRE(node.add_address(far, Multiaddr::parse("/ip4/192.0.2.99/udp/9/quic-v1").value())); }
};

}  // namespace

TEST_CASE("one over those who may wait for a dial is refused, the others wait on") {
  Alone s;
  std::size_t refused = 0, ended = 0;
  for (std::size_t i = 0; i <= swarm::kDialWaitersMax; ++i) {
    s.node.dial(s.far, [&](Result<ConnectionInfo> result) {
      ++ended;
      refused += result.error().code == Code::kRateLimited ? 1 : 0;
    });
  }
  s.world.run_for(seconds(1));
  CHECK(refused == 1);
  CHECK(ended == 1);
  s.world.run_for(minutes(1));
  CHECK(refused == 1);
  CHECK(ended == swarm::kDialWaitersMax + 1);
}

TEST_CASE("one over the streams that may wait for a peer is refused, the others wait on") {
  Alone s;
  std::size_t refused = 0, ended = 0;
  for (std::size_t i = 0; i <= swarm::kWaitingOpensMax; ++i) {
    s.node.open_stream(s.far, "/test/1", [&](Result<AgentStream*> result) {
      ++ended;
      refused += result.error().code == Code::kLimitStreams ? 1 : 0;
    });
  }
  s.world.run_for(seconds(1));
  CHECK(refused == 1);
  CHECK(ended == 1);
  s.world.run_for(minutes(1));
  CHECK(ended == swarm::kWaitingOpensMax + 1);
}

TEST_CASE("one listen address over the bound is refused") {
  Alone s;
  const auto address = [](std::size_t i) {
    return Multiaddr::parse("/ip4/0.0.0.0/udp/" + std::to_string(5000 + i) + "/quic-v1").value();
  };
  for (std::size_t i = 0; i < kListenAddressesMax; ++i) REQUIRE(s.node.listen(address(i)));
  CHECK(s.node.listen(address(kListenAddressesMax)).error().code == Code::kLimitConnections);
}

TEST_CASE("of qlog that no driver takes, what is over the bound is dropped") {
  Alone s;
  NodeCore::Impl& core = s.node.core().impl();
  for (std::size_t i = 0; i <= kFileEffectsMax; ++i) core.append_qlog(1, as_bytes("x"));
  CHECK(core.file_effects.size() == kFileEffectsMax);
}

TEST_CASE("what a call says before it has a stream is kept up to a bound") {
  Alone s;
  Call* call = s.node.open_call(s.far, "x", {}, {});
  constexpr std::size_t kPiece = 1024;
  std::size_t kept = 0;
  Result<void> sent;
  while ((sent = call->send(Bytes(kPiece)))) kept += kPiece;
  CHECK(sent.error().code == Code::kWouldBlock);
  CHECK(kept <= rpc::kUnsentBytesMax);
  CHECK(kept > rpc::kUnsentBytesMax - 2 * kPiece);
}
