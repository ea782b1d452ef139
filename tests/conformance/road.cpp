#include "conformance/road.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "crypto/rng.hpp"
#include "support/web_certificates.hpp"
#include "transport/memory/pair.hpp"
#include "transport/quic/endpoint.hpp"
#include "transport/tcp/endpoint.hpp"
#include "transport/udp/endpoint.hpp"

namespace p2pa::test {
namespace {

constexpr std::int64_t kUnixTime = 1'700'000'000;

std::array<std::uint8_t, 32> seed32(std::uint8_t seed, std::uint8_t purpose) {
  std::array<std::uint8_t, 32> out{};
  out[0] = seed;
  out[1] = purpose;
  return out;
}

bool is_rough(WireKind kind) { return kind == WireKind::kRough || kind == WireKind::kRoughWorld; }
bool in_world(WireKind kind) { return kind == WireKind::kWorld || kind == WireKind::kRoughWorld; }
bool only_on_pipes(std::string_view name) { return name == "memory" || name == "private ws"; }

std::unique_ptr<Wire> make_wire(const RoadOptions& options) {
  const bool rough = is_rough(options.wire);
  return in_world(options.wire) ? make_world_wire(rough, options.seed) : make_pipe_wire(rough);
}

/// What both ends of a real transport have.
struct Side {
  Side(std::uint8_t seed, const Limits& limits)
      : key(KeyPair::from_seed(seed32(seed, 1))), rng(seed32(seed, 2)), resources(limits) {}

  KeyPair key;
  Rng rng;
  resource::Manager resources;
};

/// A road of two sides, of which the first is the client's, with a wire between them.
class TwoSided : public Road {
 public:
  explicit TwoSided(const RoadOptions& options)
      : sides_{Side(1, options.client_limits), Side(2, options.server_limits)}, wire_(make_wire(options)) {}

  const resource::Manager& resources_of(const TransportEnd& end) const override {
    return sides_[&end == &client ? 0 : 1].resources;
  }
  void silence(const TransportEnd& end) override { wire_->silence(&end == &client ? 0 : 1); }

 protected:
  template <class Endpoint>
  bool hand_out(std::size_t side, Endpoint& endpoint) {
    bool worked = false;
    for (TransportEvent event; endpoint.poll_event(event); worked = true) {
      (side == 0 ? client : server).handle(now, event);
    }
    return worked;
  }
  template <class Endpoints>
  Instant next_of(const Endpoints& endpoints) const {
    return std::min({endpoints[0]->next_deadline(), endpoints[1]->next_deadline(), wire_->next()});
  }
  template <class Endpoints>
  void advance_of(const Endpoints& endpoints) {
    for (const auto& endpoint : endpoints) {
      if (endpoint->next_deadline() <= now) endpoint->on_deadline(now);
    }
    wire_->advance(now);
  }

  std::array<Side, 2> sides_;
  std::unique_ptr<Wire> wire_;
  Bytes buffer_ = Bytes(65'536);
};

quic::Config quic_config() {
  quic::Config config;
  config.unix_time = kUnixTime;
  return config;
}

/// QUIC, or our sessions over UDP.
template <class Endpoint, class Config>
class DatagramRoad final : public TwoSided {
 public:
  DatagramRoad(const RoadOptions& options, Config (*config)(), Multiaddr (*multiaddr)(const IpEndpoint&))
      : TwoSided(options), multiaddr_(multiaddr) {
    for (std::size_t i = 0; i < 2; ++i) {
      endpoints_[i] = std::make_unique<Endpoint>(sides_[i].key, sides_[i].rng, sides_[i].resources, config());
      endpoints_[i]->add_socket(Wire::kUdpSocket, wire_->address(i), true);
    }
    wire_->on_datagram = [this](std::size_t side, const InboundDatagram& datagram) {
      endpoints_[side]->handle(now, datagram);
    };
  }

 protected:
  void dial() override {
    const DialTarget target{multiaddr_(wire_->address(1)), sides_[1].key.peer_id(), true};
    client.connections.push_back(endpoints_[0]->dial(now, Wire::kUdpSocket, target).value());
  }

  bool settle() override {
    bool worked = false;
    for (std::size_t i = 0; i < 2; ++i) {
      worked = hand_out(i, *endpoints_[i]) || worked;
      for (Transmit transmit; endpoints_[i]->poll_transmit(now, buffer_, {10}, transmit); worked = true) {
        wire_->send(now, i, transmit, ByteView(buffer_).first(transmit.size));
      }
    }
    return worked;
  }

  Instant next() const override { return next_of(endpoints_); }
  void advance() override { advance_of(endpoints_); }

 private:
  Multiaddr (*multiaddr_)(const IpEndpoint&);
  std::array<std::unique_ptr<Endpoint>, 2> endpoints_;
};

/// RSA: its signatures have one length, so that a road is the same each time.
const std::shared_ptr<const tls::WebCredentials>& web_credentials() {
  static const WebCertificate certificate({.name = "node", .hosts = {}, .ip = {}, .not_before = 0,
                                           .not_after = 4'000'000'000, .algorithm = GNUTLS_PK_RSA,
                                           .bits = 2048});
  static const auto out = tls::WebCredentials::from_pem(certificate.pem(), certificate.key_pem()).value();
  return out;
}

class TcpRoad final : public TwoSided {
 public:
  TcpRoad(const RoadOptions& options, Security security, tcp::Road road = {}, bool in_private_network = false)
      : TwoSided(options), road_(std::move(road)) {
    for (std::size_t i = 0; i < 2; ++i) {
      tcp::Config config;
      config.unix_time = kUnixTime;
      config.security = {security};
      if (in_private_network) config.network_key = PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, 7));
      endpoints_[i] = std::make_unique<tcp::Endpoint>(sides_[i].key, sides_[i].rng, sides_[i].resources, numbers_[i],
                                                      std::move(config));
      endpoints_[i]->add_listener(Wire::kListener, road_);
      if (!road_.tls) continue;
      endpoints_[i]->set_web_trust(tls::WebTrust::anybody());
      endpoints_[i]->set_web_credentials(web_credentials());
    }
    wire_->on_socket = [this](std::size_t side, const SocketEvent& event) {
      endpoints_[side]->handle(now, event);
    };
  }

 protected:
  void dial() override {
    const DialTarget target{tcp::address_of(road_, wire_->address(1)), sides_[1].key.peer_id(), true};
    client.connections.push_back(endpoints_[0]->dial(now, target).value());
  }

  bool settle() override {
    bool worked = false;
    for (std::size_t i = 0; i < 2; ++i) {
      worked = hand_out(i, *endpoints_[i]) || worked;
      for (SocketRequest request; endpoints_[i]->poll_request(request); worked = true) {
        wire_->request(now, i, request);
      }
      for (SocketWrite write; endpoints_[i]->poll_write(now, buffer_, write); worked = true) {
        wire_->write(now, i, write.socket, ByteView(buffer_).first(write.size));
      }
    }
    return worked;
  }

  Instant next() const override { return next_of(endpoints_); }
  void advance() override { advance_of(endpoints_); }

 private:
  const tcp::Road road_;
  std::array<SocketNumbers, 2> numbers_;
  std::array<std::unique_ptr<tcp::Endpoint>, 2> endpoints_;
};

class MemoryRoad final : public Road {
 public:
  explicit MemoryRoad(const RoadOptions& options)
      : pair_({.delay = delay_of(options.wire),
               .segment_bytes_max = is_rough(options.wire) ? std::size_t{7} : std::size_t{64} * 1024},
              KeyPair::from_seed(seed32(1, 1)).peer_id(), KeyPair::from_seed(seed32(2, 1)).peer_id()),
        resources_(options.client_limits) {}

  const resource::Manager& resources_of(const TransportEnd&) const override { return resources_; }
  void silence(const TransportEnd&) override { pair_.lose(); }

 protected:
  void dial() override {}
  bool settle() override {
    bool worked = false;
    for (const auto side : {memory::Pair::kDialer, memory::Pair::kListener}) {
      TransportEvent event;
      event.connection = &pair_.end(side);
      while (pair_.poll_event(side, event.event)) {
        worked = true;
        (side == memory::Pair::kDialer ? client : server).handle(now, event);
      }
    }
    pair_.advance(now);
    return worked;
  }
  Instant next() const override { return pair_.next_deadline(); }
  void advance() override { pair_.advance(now); }

 private:
  memory::Pair pair_;
  resource::Manager resources_;  // the pair asks for none
};

std::unique_ptr<Road> road_by_name(const RoadOptions& options) {
  const std::string& name = options.name;
  if (name == "quic") {
    return std::make_unique<DatagramRoad<quic::Endpoint, quic::Config>>(options, quic_config, quic_multiaddr);
  }
  if (name == "udp") {
    const auto config = [] { return udp::Config{}; };
    return std::make_unique<DatagramRoad<udp::Endpoint, udp::Config>>(options, config, udp_multiaddr);
  }
  if (name == "tcp noise") return std::make_unique<TcpRoad>(options, Security::kNoise);
  if (name == "tcp tls") return std::make_unique<TcpRoad>(options, Security::kTls);
  if (name == "ws") return std::make_unique<TcpRoad>(options, Security::kNoise, tcp::Road{{}, true});
  if (name == "wss") return std::make_unique<TcpRoad>(options, Security::kNoise, tcp::Road{{}, true, true});
  if (name == "private ws") return std::make_unique<TcpRoad>(options, Security::kTls, tcp::Road{{}, true}, true);
  if (name == "memory") return std::make_unique<MemoryRoad>(options);
  return nullptr;
}

}  // namespace

const std::vector<RoadOptions>& all_roads() {
  static const std::vector<RoadOptions> roads = [] {
    std::vector<RoadOptions> out;
    for (const auto wire : {WireKind::kSmooth, WireKind::kRough, WireKind::kWorld, WireKind::kRoughWorld}) {
      for (const char* name : {"quic", "udp", "tcp noise", "tcp tls", "ws", "wss", "private ws", "memory"}) {
        if (!in_world(wire) || !only_on_pipes(name)) out.push_back({.name = name, .wire = wire});
      }
    }
    return out;
  }();
  return roads;
}

std::string describe(const RoadOptions& options) {
  switch (options.wire) {
    case WireKind::kSmooth: return options.name;
    case WireKind::kRough: return options.name + ", rough";
    case WireKind::kWorld: return options.name + ", in the world";
    case WireKind::kRoughWorld: return options.name + ", in a rough world";
  }
  return options.name;
}

std::unique_ptr<Road> make_road(const RoadOptions& options) {
  auto road = road_by_name(options);
  REQUIRE(road != nullptr);
  road->name = options.name;
  road->delay = delay_of(options.wire);
  return road;
}

Connection& Road::connect() {
  dial();
  REQUIRE(run_until([this] {
    return client.connection() != nullptr && server.connection() != nullptr && client.connection()->established() &&
           server.connection()->established();
  }));
  return *client.connection();
}

StreamId Road::request(Connection& c, std::string_view text) {
  const auto stream = c.open_stream(false);
  REQUIRE(stream);
  REQUIRE(c.write(*stream, as_bytes(text)) == text.size());
  c.finish(*stream);
  return *stream;
}

bool Road::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now + limit;
  for (;;) {
    while (settle()) {
    }
    if (done()) return true;
    const Instant at = next();
    if (at > end) break;
    now = std::max(now, at);
    advance();
  }
  now = end;
  return false;
}

void Road::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

}  // namespace p2pa::test
