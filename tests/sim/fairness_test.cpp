// What QUIC and sessions over UDP take of a link that they share with TCP.

#include <catch2/catch.hpp>

#include <cstdio>
#include <memory>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr const char* kProtocol = "/test/bulk/1";
constexpr std::uint64_t kRate = 10'000'000;
constexpr Duration kRtt = milliseconds(40);
constexpr std::size_t kQueue = kRate / 8 * static_cast<std::size_t>(kRtt.ms()) / 1000;  // what the link holds
constexpr Duration kHeadStart = seconds(5), kMeasured = minutes(1);

/// A stream from a node on one host to a node on another that is always full.
class Flow {
 public:
  Flow(World& world, HostId from, HostId to, const std::string& listen) {
    const NodeId receiver = world.add_node(listening(listen), to), sender = world.add_node({}, from);
    introduce(world, sender, receiver);
    REQUIRE(world.node(receiver).handle_protocol(kProtocol, [count = bytes_](AgentStream& stream) {
      stream.set_handler({.on_readable = [count](AgentStream& here) {
        while (!here.peek().empty()) {
          *count += here.peek().size();
          here.consume(here.peek().size());
        }
      }});
    }));
    world.node(sender).open_stream(world.node(receiver).id(), kProtocol, [](Result<AgentStream*> stream) {
      REQUIRE(stream);
      (*stream)->set_handler({.on_writable = fill});
      fill(**stream);
    });
  }

  std::uint64_t bytes() const { return *bytes_; }  ///< that arrived so far

 private:
  static void fill(AgentStream& stream) {
    static const Bytes piece(64 * 1024, 0x3c);
    while (stream.write(piece).value_or(0) == piece.size()) {
    }
  }

  std::shared_ptr<std::uint64_t> bytes_ = std::make_shared<std::uint64_t>(0);
};

struct Shares {
  double ours = 0, tcp = 0;  ///< Mbit/s
};

/// TCP comes to a link that the other fills already, and both are counted from then on.
Shares share(const std::string& listen) {
  World world(1, "fairness");
  world.set_default_link({.delay = kRtt / 2, .rate_bits_per_s = kRate, .queue_bytes = kQueue});
  const HostId from = world.add_host(), to = world.add_host();
  const Flow ours(world, from, to, listen);
  world.run_for(kHeadStart);
  const std::uint64_t before = ours.bytes();
  const Flow tcp(world, from, to, "/ip4/0.0.0.0/tcp/4002");
  world.run_for(kMeasured);
  CHECK(world.failure() == "");
  const auto rate = [](std::uint64_t bytes) {
    return static_cast<double>(bytes) * 8 / 1e6 / kMeasured.seconds();
  };
  return {rate(ours.bytes() - before), rate(tcp.bytes())};
}

void check(const char* road, const Shares& shares) {
  std::printf("%s: %.1f Mbit/s beside TCP's %.1f, %.2f times as much\n", road, shares.ours, shares.tcp,
              shares.ours / shares.tcp);
  CHECK(shares.ours / shares.tcp > 0.5);
  CHECK(shares.ours / shares.tcp < 2.0);
  CHECK(shares.ours + shares.tcp > 0.85 * kRate / 1e6);
}

}  // namespace

TEST_CASE("a session over UDP takes half to twice of what TCP beside it gets") {
  check("p2pa-udp", share("/ip4/0.0.0.0/udp/4001/p2pa-udp"));
}

// The CUBIC of ngtcp2 0.12 grows by half each round trip once a second has passed since the last loss: on longer
// paths than this one, where that is most of the time, it takes up to four times as much.
TEST_CASE("QUIC takes half to twice of what TCP beside it gets") {
  check("quic-v1", share("/ip4/0.0.0.0/udp/4001/quic-v1"));
}
