#include "conformance/road.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <deque>

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

IpEndpoint address_of(std::uint8_t seed) {
  IpEndpoint out;
  out.ip.bytes = {192, 0, 2, seed};
  out.port = 4001;
  return out;
}

/// Takes out what is due, the soonest first; what is due at once in the order in which it was sent.
template <class Item>
std::vector<Item> take_due(std::vector<Item>& waiting, Instant now) {
  std::vector<Item> due;
  std::erase_if(waiting, [&](Item& item) {
    if (item.at > now) return false;
    const auto later = std::ranges::find_if(due, [&](const Item& other) { return other.at > item.at; });
    due.insert(later, std::move(item));
    return true;
  });
  return due;
}

/// What both ends of a real transport have.
struct Side {
  Side(std::uint8_t seed, const Limits& limits)
      : key(KeyPair::from_seed(seed32(seed, 1))), rng(seed32(seed, 2)), resources(limits), address(address_of(seed)) {}

  KeyPair key;
  Rng rng;
  resource::Manager resources;
  IpEndpoint address;
  bool silent = false;
};

/// A road of two sides, of which the first is the client's.
class TwoSided : public Road {
 public:
  TwoSided(const RoadOptions& options)
      : options_(options), sides_{Side(1, options.client_limits), Side(2, options.server_limits)} {}

  const resource::Manager& resources_of(const TransportEnd& end) const override {
    return sides_[&end == &client ? 0 : 1].resources;
  }
  void silence(const TransportEnd& end) override { sides_[&end == &client ? 0 : 1].silent = true; }

 protected:
  TransportEnd& end(std::size_t side) { return side == 0 ? client : server; }
  /// Jitter that reorders what is sent one behind the other.
  Duration delay() {
    if (!options_.rough) return options_.delay;
    return options_.delay + microseconds(static_cast<std::int64_t>(rng_.below(3000)));
  }

  const RoadOptions options_;
  std::array<Side, 2> sides_;
  Rng rng_{seed32(3, 3)};
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
      endpoints_[i]->add_socket(1, sides_[i].address, true);
    }
  }

 protected:
  void dial() override {
    const DialTarget target{multiaddr_(sides_[1].address), sides_[1].key.peer_id(), true};
    client.connections.push_back(endpoints_[0]->dial(now, 1, target).value());
  }

  bool settle() override {
    bool worked = false;
    for (std::size_t i = 0; i < 2; ++i) {
      TransportEvent event;
      while (endpoints_[i]->poll_event(event)) {
        worked = true;
        end(i).handle(now, event);
      }
      Transmit transmit;
      while (endpoints_[i]->poll_transmit(now, buffer_, {10}, transmit)) {
        worked = true;
        launch(i, transmit);
      }
    }
    return worked;
  }

  Instant next() const override {
    Instant next = std::min(endpoints_[0]->next_deadline(), endpoints_[1]->next_deadline());
    for (const Flight& flight : flights_) next = std::min(next, flight.at);
    return next;
  }

  void advance() override {
    for (const auto& endpoint : endpoints_) {
      if (endpoint->next_deadline() <= now) endpoint->on_deadline(now);
    }
    const std::vector<Flight> arrived = take_due(flights_, now);
    for (const Flight& flight : arrived) {
      const Side& to = sides_[flight.to];
      if (to.silent || sides_[1 - flight.to].silent) continue;
      endpoints_[flight.to]->handle(now, {1, to.address, sides_[1 - flight.to].address, Ecn::kNone,
                                          flight.bytes.size(), flight.bytes});
    }
  }

 private:
  struct Flight {
    Instant at;
    std::size_t to;
    Bytes bytes;
  };

  void launch(std::size_t from, const Transmit& transmit) {
    for (std::size_t at = 0; at < transmit.size; at += transmit.segment_size) {
      const ByteView one = ByteView(buffer_).subspan(at, std::min(transmit.segment_size, transmit.size - at));
      if (options_.rough && rng_.below(50) == 0) continue;
      flights_.push_back({now + delay(), 1 - from, Bytes(one.begin(), one.end())});
    }
  }

  Multiaddr (*multiaddr_)(const IpEndpoint&);
  std::array<std::unique_ptr<Endpoint>, 2> endpoints_;
  std::vector<Flight> flights_;
  Bytes buffer_ = Bytes(65'536);
};

/// TCP sockets that keep every promise of TCP, and none beyond it.
const std::shared_ptr<const tls::WebCredentials>& web_credentials() {
  static const WebCertificate certificate({.name = "node", .not_before = 0, .not_after = 4'000'000'000});
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
      endpoints_[i]->add_listener(kListener, road_);
      endpoints_[i]->set_web_trust(tls::WebTrust::anybody());
      endpoints_[i]->set_web_credentials(web_credentials());
    }
  }

 protected:
  void dial() override {
    const DialTarget target{tcp::address_of(road_, sides_[1].address), sides_[1].key.peer_id(), true};
    client.connections.push_back(endpoints_[0]->dial(now, target).value());
  }

  bool settle() override {
    bool worked = false;
    for (std::size_t i = 0; i < 2; ++i) {
      TransportEvent event;
      while (endpoints_[i]->poll_event(event)) {
        worked = true;
        end(i).handle(now, event);
      }
      SocketRequest request;
      while (endpoints_[i]->poll_request(request)) {
        worked = true;
        on_request(i, request);
      }
      SocketWrite write;
      while (endpoints_[i]->poll_write(now, buffer_, write)) {
        worked = true;
        launch(i, Item::kBytes, ByteView(buffer_).first(write.size));
        // It fits the window of the system: at once. Every third time it does not.
        if (++writes_ % 3 != 0) endpoints_[i]->handle(now, written(write.socket));
        else queue_.push_back({now + options_.delay * 2, i, Item::kWritten, {}});
      }
    }
    return worked;
  }

  Instant next() const override {
    Instant next = std::min(endpoints_[0]->next_deadline(), endpoints_[1]->next_deadline());
    for (const Item& item : queue_) next = std::min(next, item.at);
    return next;
  }

  void advance() override {
    for (const auto& endpoint : endpoints_) {
      if (endpoint->next_deadline() <= now) endpoint->on_deadline(now);
    }
    for (const Item& item : take_due(queue_, now)) arrive(item);
  }

 private:
  struct Item {
    enum What { kSyn, kAccept, kBytes, kEnd, kReset, kWritten };
    Instant at;
    std::size_t to;
    What what;
    Bytes bytes;
  };

  static SocketEvent written(SocketId socket) {
    return {.kind = SocketEvent::Kind::kWritten, .socket = socket};
  }

  void on_request(std::size_t side, const SocketRequest& request) {
    switch (request.kind) {
      case SocketRequest::Kind::kConnect:
        sockets_[side] = request.socket;
        return launch(side, Item::kSyn, {});
      case SocketRequest::Kind::kFinish: return launch(side, Item::kEnd, {});
      case SocketRequest::Kind::kAbort: return launch(side, Item::kReset, {});
    }
  }

  void launch(std::size_t from, Item::What what, ByteView bytes) {
    if (sides_[from].silent) return;
    Instant& last = last_arrival_[from];
    do {
      std::size_t n = bytes.size();
      if (options_.rough) n = std::min<std::size_t>(n, 1 + rng_.below(1500));
      last = std::max(last, now + delay());
      queue_.push_back({last, 1 - from, what, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n))});
      bytes = bytes.subspan(n);
    } while (!bytes.empty());
  }

  void arrive(const Item& item) {
    using Kind = SocketEvent::Kind;
    if (sides_[item.to].silent) return;
    SocketEvent event{.kind = Kind::kBytes, .socket = sockets_[item.to]};
    event.local = sides_[item.to].address;
    event.remote = sides_[1 - item.to].address;
    switch (item.what) {
      case Item::kSyn:
        event.kind = Kind::kAccepted;
        event.listener = kListener;
        event.socket = sockets_[item.to] = kAcceptedSockets + 1;
        launch(item.to, Item::kAccept, {});
        break;
      case Item::kAccept: event.kind = Kind::kConnected; break;
      case Item::kBytes: event.bytes = item.bytes; break;
      case Item::kEnd: event.kind = Kind::kEnd; break;
      case Item::kReset:
        event.kind = Kind::kLost;
        event.error = {Code::kConnectionLost, 0, "reset"};
        break;
      case Item::kWritten: event.kind = Kind::kWritten; break;
    }
    endpoints_[item.to]->handle(now, event);
  }

  static constexpr SocketId kListener = 1;

  const tcp::Road road_;
  std::array<SocketNumbers, 2> numbers_;
  std::array<std::unique_ptr<tcp::Endpoint>, 2> endpoints_;
  std::array<SocketId, 2> sockets_{};
  std::array<Instant, 2> last_arrival_{};
  std::vector<Item> queue_;
  std::size_t writes_ = 0;
  Bytes buffer_ = Bytes(65'536);
};

class MemoryRoad final : public Road {
 public:
  explicit MemoryRoad(const RoadOptions& options)
      : pair_({.delay = options.delay, .segment_bytes_max = options.rough ? std::size_t{7} : std::size_t{64} * 1024},
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

}  // namespace

const std::vector<std::string>& road_names() {
  static const std::vector<std::string> names = {"quic",       "udp", "tcp noise", "tcp tls", "ws", "wss",
                                                 "private ws", "memory"};
  return names;
}

std::unique_ptr<Road> make_road(RoadOptions options) {
  std::unique_ptr<Road> road;
  if (options.name == "quic") {
    road = std::make_unique<DatagramRoad<quic::Endpoint, quic::Config>>(options, quic_config, quic_multiaddr);
  }
  if (options.name == "udp") {
    const auto config = [] { return udp::Config{}; };
    road = std::make_unique<DatagramRoad<udp::Endpoint, udp::Config>>(options, config, udp_multiaddr);
  }
  if (options.name == "tcp noise") road = std::make_unique<TcpRoad>(options, Security::kNoise);
  if (options.name == "ws") road = std::make_unique<TcpRoad>(options, Security::kNoise, tcp::Road{{}, true});
  if (options.name == "wss") road = std::make_unique<TcpRoad>(options, Security::kNoise, tcp::Road{{}, true, true});
  if (options.name == "private ws") {
    road = std::make_unique<TcpRoad>(options, Security::kTls, tcp::Road{{}, true}, true);
  }
  if (options.name == "tcp tls") road = std::make_unique<TcpRoad>(options, Security::kTls);
  if (options.name == "memory") road = std::make_unique<MemoryRoad>(options);
  REQUIRE(road != nullptr);
  road->name = std::move(options.name);
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
