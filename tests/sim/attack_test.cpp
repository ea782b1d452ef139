// Attacks on a node beside honest traffic: what is over a bound is refused, the reason is counted, and the others
// keep their goodput. (Floods of handshakes with spoofed addresses: flood_test.)

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <utility>

#include "honest_work.hpp"
#include "node/core.hpp"
#include "node/impl.hpp"
#include "protocols/rpc/packing.hpp"
#include "protocols/rpc/rpc_codec.hpp"
#include "resource/manager.hpp"
#include "support/hand_peer.hpp"
#include "support/web_certificates.hpp"
#include "support/yamux_end.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

const std::vector<std::string> kRoads = {"/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001",
                                         "/ip4/0.0.0.0/tcp/4001/ws", "/ip4/0.0.0.0/udp/4001/p2pa-udp"};
constexpr std::uint16_t kTcpPort = 4001, kWsPort = 4002, kWssPort = 4003;

/// Again and again until it says that it is over.
void every(World& world, Duration pause, std::function<bool()> act) {
  world.after(pause, [&world, pause, act = std::move(act)]() mutable {
    if (act()) every(world, pause, std::move(act));
  });
}

std::function<NodeOptions(World&)> on(const std::string& address) {
  return [address](World&) { return listening(address); };
}

/// Attackers that are nodes, and their connections to the server.
struct AttackingNodes {
  AttackingNodes(World& in, HonestWork& work, std::size_t count) : world(in), server(work.server_id()) {
    for (std::size_t i = 0; i < count; ++i) {
      nodes.push_back(world.add_node({}));
      introduce(world, nodes.back(), work.server());
      REQUIRE(connect(world, nodes.back(), server));
    }
  }
  /// In a turn of each that is connected: its place among them, and its connection.
  void act(const std::function<void(std::size_t, Connection&)>& fn) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      static_cast<void>(world.node(nodes[i]).post([fn, i, to = server](Node& node) {
        if (Connection* const connection = node.core().impl().swarm.best_connection(to)) fn(i, *connection);
      }));
    }
  }

  World& world;
  PeerId server;
  std::vector<NodeId> nodes;
};

/// One that dials by TCP and is secured, and then says any bytes.
class SecuredHand {
 public:
  SecuredHand(World& world, HostId from, HostId to, test::HandPeer::Muxers muxers = {"/yamux/1.0.0"})
      : world_(world), from_(from), to_(to), muxers_(std::move(muxers)) {
    dial();
  }
  /// Hears what came, answers the handshake, and begins anew when it was cut off. True: it may say something.
  bool go_on() {
    if (!world_.tcp_alive(connection_)) {
      ++cut_off;
      dial();
    }
    const Bytes heard = world_.take_tcp(connection_);
    if (const Bytes out = peer_->hear(heard); !out.empty()) world_.write_tcp(connection_, out);
    peer_->plain.clear();
    return peer_->channel.established();
  }
  void say(ByteView plain) { world_.write_tcp(connection_, peer_->seal(plain)); }
  void say(const yamux::Frame& frame, ByteView body = {}) { say(test::bytes_of(frame, body)); }

  std::size_t cut_off = 0;

 private:
  void dial() {
    peer_.emplace(true, muxers_);
    connection_ = world_.open_tcp(from_, to_, kTcpPort);
    world_.write_tcp(connection_, peer_->begin());
  }

  World& world_;
  const HostId from_, to_;
  const test::HandPeer::Muxers muxers_;
  std::optional<test::HandPeer> peer_;
  RawTcpId connection_ = 0;
};

using Hands = std::vector<std::unique_ptr<SecuredHand>>;

std::shared_ptr<Hands> hands(World& world, HonestWork& work, std::size_t count) {
  auto out = std::make_shared<Hands>();
  for (std::size_t i = 0; i < count; ++i) {
    out->push_back(std::make_unique<SecuredHand>(world, world.add_host(), work.server_host()));
  }
  return out;
}

}  // namespace

TEST_CASE("peers that send more than their window are cut off each time, and cost the others nothing", "[tcp]") {
  check_goodput("window overruns", on(kRoads[1]), [](World& world, HonestWork& work) {
    const auto attackers = hands(world, work, 4);  // all in one name, which may have eight connections
    every(world, milliseconds(1), [attackers] {
      for (const auto& hand : *attackers) {
        if (!hand->go_on()) continue;
        // The announcement alone, behind a stream's first bytes; and a stream that begins with too much.
        hand->say({yamux::FrameType::kData, yamux::kSyn, 1, 3}, as_bytes("abc"));
        hand->say({yamux::FrameType::kData, 0, 1, yamux::kWindowInitial - 2});
        hand->say({yamux::FrameType::kData, yamux::kSyn, 3, yamux::kWindowInitial + 1});
      }
      return true;
    });
    return [&world, &work, attackers] {
      std::size_t cut_off = 0;
      for (const auto& hand : *attackers) cut_off += hand->cut_off;
      CHECK(cut_off > 50);
      CHECK(work.dropped(DropCounters::kConnectionViolation) >= cut_off);
      CHECK(work.usage().memory < 1 << 20);
      CHECK(work.usage().connections <= 1 + HonestWork::kNewcomers + attackers->size());
    };
  });
}

TEST_CASE("streams that are opened and reset without end are bounded, counted, and cost the others nothing") {
  const std::string road = GENERATE(from_range(kRoads));
  check_goodput("a storm of resets, " + road, on(road), [](World& world, HonestWork& work) {
    constexpr std::size_t kAtOnce = 20, kAttackers = 3;
    const auto attackers = std::make_shared<AttackingNodes>(world, work, kAttackers);
    const auto open = std::make_shared<std::array<std::vector<StreamId>, kAttackers>>();
    const auto resets = std::make_shared<std::size_t>(0);
    const auto most = std::make_shared<std::uint32_t>(0);
    every(world, milliseconds(5), [&work, attackers, open, resets, most] {
      *most = std::max(*most, work.usage().streams);
      attackers->act([open, resets](std::size_t i, Connection& connection) {
        for (const StreamId stream : std::exchange((*open)[i], {})) {
          connection.reset(stream, wire_code::kNone);
          ++*resets;
        }
        for (std::size_t n = 0; n < kAtOnce; ++n) {
          const auto stream = connection.open_stream(false);
          if (!stream) return;
          static_cast<void>(connection.write(*stream, as_bytes("\x13/multi")));
          (*open)[i].push_back(*stream);
        }
      });
      return true;
    });
    return [&work, resets, most] {
      CHECK(*resets > 5000);
      CHECK(*most <= kAttackers * Limits{}.streams_inbound_per_connection_max);
      CHECK(work.dropped(DropCounters::kStreamUnknown) > *resets / 4);  // many a stream went before it was seen
      CHECK(work.usage().memory < 2 << 20);
    };
  });
}

TEST_CASE("streams that are opened by hand and reset in one breath, and over all bounds, are refused", "[tcp]") {
  check_goodput("a storm of resets by hand", on(kRoads[1]), [](World& world, HonestWork& work) {
    const auto attackers = hands(world, work, 3);
    const auto next = std::make_shared<std::uint32_t>(1);
    every(world, milliseconds(2), [attackers, next] {
      Bytes frames;
      for (int i = 0; i < 20; ++i, *next += 4) {
        for (const yamux::Frame& frame :
             {yamux::Frame{yamux::FrameType::kWindowUpdate, yamux::kSyn, *next, 0},
              yamux::Frame{yamux::FrameType::kWindowUpdate, yamux::kRst, *next, 0},
              yamux::Frame{yamux::FrameType::kWindowUpdate, yamux::kSyn, *next + 2, 0}}) {  // this one stays
          const Bytes bytes = test::bytes_of(frame);
          frames.insert(frames.end(), bytes.begin(), bytes.end());
        }
      }
      for (const auto& hand : *attackers) {
        if (hand->go_on()) hand->say(frames);
      }
      return true;
    });
    return [&work, attackers] {
      CHECK(work.dropped(DropCounters::kStreamLimit) > 10'000);
      CHECK(work.dropped(DropCounters::kStreamUnknown) > 1000);
      CHECK(work.usage().streams <= attackers->size() * Limits{}.streams_inbound_per_connection_max + 50);
    };
  });
}

TEST_CASE("streams that are opened without end, each with half a sentence, cost the others nothing") {
  const std::string road = GENERATE(from_range(kRoads));
  const auto server = [&road](World&) {
    NodeOptions options = listening(road);
    options.limits.streams_per_peer_max = 64;
    return options;
  };
  check_goodput("a flood of streams, " + road, server, [](World& world, HonestWork& work) {
    const auto attackers = std::make_shared<AttackingNodes>(world, work, 3);
    const auto opened = std::make_shared<std::size_t>(0);
    const auto over = std::make_shared<bool>(false);
    every(world, milliseconds(5), [attackers, opened, over] {
      attackers->act([opened](std::size_t, Connection& connection) {
        for (int n = 0; n < 4; ++n) {
          const auto stream = connection.open_stream(false);
          if (!stream) return;
          ++*opened;
          static_cast<void>(connection.write(*stream, as_bytes("\x13/multi")));
        }
      });
      return !*over;
    });
    return [&world, &work, attackers, opened, over] {
      CHECK(*opened > 1000);
      const LimitCounters limits = world.node(work.server()).limit_counters();
      CHECK(limits.refused[LimitCounters::kStreamsPerPeer] > 500);
      CHECK(work.dropped(DropCounters::kStreamLimit) > 500);
      *over = true;
      CHECK(work.usage().streams <= 64 * attackers->nodes.size() + 20);
      world.run_for(seconds(12));
      CHECK(work.dropped(DropCounters::kStreamSlow) >= 64);  // a protocol has to be agreed on in time
    };
  });
}

TEST_CASE("messages that unpack to more than they may, or to what they do not say, cost the others nothing") {
  const std::string road = GENERATE(from_range(kRoads));
  constexpr std::size_t kMemory = 8 << 20;
  const auto server = [&road](World&) {
    NodeOptions options = listening(road);
    options.limits.memory_per_peer_max = kMemory;
    return options;
  };
  check_goodput("bombs, " + road, server, [](World& world, HonestWork& work) {
    REQUIRE(world.node(work.server()).serve("sink", UnaryMethod([](const PeerId&, ByteView) {
      return std::expected<Bytes, ApplicationError>(Bytes{});
    })));
    // As much as the rules allow of zeros, and what is over them.
    Bytes zeros = pattern(2000, 3);
    zeros.resize(3 << 20);
    rpc::Packer packer;
    const ByteView packed = packer.pack(zeros);
    REQUIRE_FALSE(packed.empty());
    REQUIRE(packed.size() < 4000);
    std::vector<Bytes> bombs;
    for (const std::size_t size : {zeros.size(), zeros.size() - 1, std::size_t{6} << 20, packed.size() * 5000}) {
      Bytes& bomb = bombs.emplace_back();
      append_frame(bomb, rpc::Request{"sink", 0, false, std::nullopt});
      append_frame(bomb, rpc::PackedMessage{size, packed});
    }
    const auto attackers = std::make_shared<AttackingNodes>(world, work, 3);
    const auto most = std::make_shared<std::size_t>(0);
    const auto thrown = std::make_shared<std::size_t>(0);
    every(world, milliseconds(10), [&world, &work, attackers, bombs, most, thrown] {
      *most = std::max(*most, work.usage().memory);
      for (const NodeId node : attackers->nodes) {
        const Bytes& bomb = bombs[(*thrown)++ % bombs.size()];
        static_cast<void>(world.node(node).post([bomb, to = work.server_id()](Node& self) {
          self.open_stream(to, rpc::kPackedProtocolId, [bomb](Result<AgentStream*> stream) {
            if (!stream) return;
            (*stream)->set_handler({});
            static_cast<void>((*stream)->write(bomb));
            (*stream)->finish();
          });
        }));
      }
      return true;
    });
    return [&work, attackers, most, thrown] {
      CHECK(*thrown > 300);
      CHECK(work.dropped(DropCounters::kMessage) > *thrown / 2);
      CHECK(*most <= attackers->nodes.size() * kMemory);
    };
  });
}

namespace {

/// Handshakes that come byte by byte, on every stage of every road over TCP: what is said at once, and then slowly.
struct Slow {
  const char* stage;
  std::uint16_t port;
  std::string at_once, slowly;
};

constexpr std::string_view kHeaderLine = "\x13/multistream/1.0.0\n";

std::vector<Slow> slow_stages() {
  const std::string line(kHeaderLine), noise = line + "\x07/noise\n", tls = line + "\x0b/tls/1.0.0\n";
  const std::string record("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);  // and 500 bytes to come
  const std::string request = "GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nX: ";
  return {{"silence", kTcpPort, "", ""},
          {"multistream", kTcpPort, "", line},
          {"Noise", kTcpPort, noise, std::string("\x00\x20", 2) + std::string(30, 'e')},
          {"TLS", kTcpPort, tls, record + std::string(400, 'r')},
          {"WebSocket", kWsPort, "", request + std::string(400, 'x')},
          {"below WebSocket", kWssPort, "", record + std::string(400, 'r')}};
}

/// RSA: its signatures have one length, as both runs of a seed need it.
const test::WebCertificate& web_certificate() {
  static const test::WebCertificate out({.name = "server", .hosts = {"example.com"}, .ip = {}, .not_before = 0,
                                         .not_after = 4'000'000'000, .algorithm = GNUTLS_PK_RSA, .bits = 2048});
  return out;
}

NodeOptions on_every_road_over_tcp(World& world) {
  NodeOptions options = listening(kRoads[1]);
  options.listen.push_back(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4002/ws"));
  options.listen.push_back(*Multiaddr::parse("/ip4/0.0.0.0/tcp/4003/tls/ws"));
  options.web_certificate_file = "chain.pem";
  options.web_key_file = "key.pem";
  // The first host of the world is the server's.
  world.write_file(0, "chain.pem", web_certificate().pem());
  world.write_file(0, "key.pem", web_certificate().key_pem());
  return options;
}

/// One slow handshake after the other from one host.
class SlowHand {
 public:
  SlowHand(World& world, HostId from, HostId to, const Slow& slow) : world_(world), from_(from), to_(to), slow_(slow) {
    dial();
  }
  void go_on() {
    static_cast<void>(world_.take_tcp(connection_));
    if (!world_.tcp_alive(connection_)) {
      ++cut_off;
      return dial();
    }
    if (said_ < slow_.slowly.size()) world_.write_tcp(connection_, as_bytes(slow_.slowly).subspan(said_++, 1));
  }
  std::size_t cut_off = 0;

 private:
  void dial() {
    said_ = 0;
    connection_ = world_.open_tcp(from_, to_, slow_.port);
    world_.write_tcp(connection_, as_bytes(slow_.at_once));
  }

  World& world_;
  const HostId from_, to_;
  const Slow slow_;
  RawTcpId connection_ = 0;
  std::size_t said_ = 0;
};

}  // namespace

TEST_CASE("handshakes that come byte by byte are bounded, cut off in time, and keep nobody out", "[tcp][ws]") {
  const auto stages = slow_stages();
  const auto stage = GENERATE(range(std::size_t{0}, std::size_t{7}));  // one more: all together
  const std::string name = stage < stages.size() ? stages[stage].stage : "all";
  check_goodput("slow handshakes, " + name, on_every_road_over_tcp, [&](World& world, HonestWork& work) {
    const auto attackers = std::make_shared<std::vector<SlowHand>>();
    // More than there are places for, and each address up to its own bound.
    constexpr std::size_t kHosts = 12, kEach = 25;
    for (std::size_t i = 0; i < kHosts; ++i) {
      const HostId host = world.add_host();
      for (std::size_t n = 0; n < kEach; ++n) {
        const Slow& slow = stages[stage < stages.size() ? stage : (i + n) % stages.size()];
        attackers->emplace_back(world, host, work.server_host(), slow);
      }
    }
    every(world, milliseconds(400), [attackers] {
      for (SlowHand& hand : *attackers) hand.go_on();
      return true;
    });
    world.run_for(seconds(2));  // a system's backlog is bounded, too
    CHECK(work.usage().handshakes > Limits{}.handshakes_max / 2);
    CHECK(work.dropped(DropCounters::kHandshakeRefused) > 0);
    return [&world, &work, attackers] {
      CHECK(work.dropped(DropCounters::kHandshakeSlow) == 0);
      world.run_for(seconds(10));
      CHECK(work.dropped(DropCounters::kHandshakeSlow) > Limits{}.handshakes_max / 2);
      CHECK(work.usage().connections == 1 + HonestWork::kNewcomers);
    };
  });
}

TEST_CASE("peers that are secured and never say how streams shall share the connection keep nobody out", "[tcp]") {
  check_goodput("no muxer", on(kRoads[1]), [](World& world, HonestWork& work) {
    const auto attackers = std::make_shared<Hands>();
    for (std::size_t i = 0; i < 10; ++i) {
      const HostId host = world.add_host();
      for (std::size_t n = 0; n < 15; ++n) {
        attackers->push_back(
            std::make_unique<SecuredHand>(world, host, work.server_host(), test::HandPeer::Muxers{}));
      }
    }
    const auto said = std::make_shared<std::size_t>(0);
    every(world, milliseconds(20), [attackers, said] {
      for (const auto& hand : *attackers) {
        if (hand->go_on() && *said % 20 == 0) hand->say(as_bytes(kHeaderLine).subspan(*said / 20 % 19, 1));
      }
      ++*said;
      return true;
    });
    return [&world, &work] {
      CHECK(work.usage().handshakes > 50);
      world.run_for(seconds(10));
      CHECK(work.dropped(DropCounters::kHandshakeSlow) + work.dropped(DropCounters::kHandshakeFailed) > 50);
      CHECK(work.usage().connections == 1 + HonestWork::kNewcomers);
    };
  });
}
