#pragma once
// All TCP connections of a node: accepts, dials, upgrades, drains.

#include <memory>
#include <vector>

#include "crypto/rng.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/node.hpp"
#include "p2pagents/pre_shared_key.hpp"
#include "resource/manager.hpp"
#include "transport/proxy/proxy_url.hpp"
#include "transport/tcp/road.hpp"
#include "transport/tls/web_credentials.hpp"
#include "transport/transport.hpp"

namespace p2pa::tcp {

/// How long the last bytes of a connection may wait for a peer that reads nothing, and how many
/// connections' do: one more, and the oldest is reset.
inline constexpr Duration kFarewellTimeout = seconds(5);
inline constexpr std::size_t kFarewellsMax = 256;

struct Proxy {
  proxy::ProxyUrl url;
  IpEndpoint endpoint;  ///< of url.proxy
};

struct Config {
  /// What we offer a peer, best first, and take from one. A dialer says the first without waiting for the
  /// answer; who refuses it is dialed again for the next.
  std::vector<Security> security{Security::kNoise, Security::kTls};
  Duration idle_timeout = seconds(30);
  Duration keep_alive = milliseconds(9500);  ///< zero: none
  Duration handshake_timeout = seconds(10);  ///< from the first SYN on
  /// Wall clock in seconds since 1970, for certificates' validity.
  std::int64_t unix_time = 0;
  std::optional<PreSharedKey> network_key{};  ///< of a private network
  std::optional<Proxy> proxy{};               ///< that dials go through
  ConnectionId first_id = 1, id_step = 1;  ///< its connections' numbers, unique in a node of many transports
};

/// The TCP transport: a machine. What sockets do goes in; events, bytes and requests come out. REQUIRES
/// that key, rng, resources and numbers outlive it.
class Endpoint final : public Transport {
 public:
  Endpoint(const KeyPair& key, Rng& rng, resource::Manager& resources, SocketNumbers& numbers, Config config);
  ~Endpoint() override;

  // Transport
  bool dials(const Multiaddr& address) const override { return road_to(address).has_value(); }
  Result<p2pa::Connection*> dial(Instant now, const DialTarget& target) override;
  bool poll_event(TransportEvent& out) override;
  bool has_events() const override;

  /// What is accepted on this socket came on such a road; `remote` of it is of no use. Plain TCP, if never told.
  void add_listener(SocketId listener, const Road& road);
  void remove_listener(SocketId listener);
  /// For secure WebSocket: what we show from now on, and whom we believe, or why nobody. A dial before the
  /// latter is known says kWouldBlock, and that it is wanted.
  void set_web_credentials(std::shared_ptr<const tls::WebCredentials> credentials);
  void set_web_trust(Result<std::shared_ptr<const tls::WebTrust>> trust);
  bool web_trust_wanted() const;
  void handle(Instant now, const SocketEvent& event);
  /// Ends what is left, also what still shakes hands: the node is closing.
  void close(Instant now);
  Instant next_deadline() const;
  void on_deadline(Instant now);
  /// Fills `buffer` (>= 65,536 bytes) with the next bytes for a socket that has none under way.
  bool poll_write(Instant now, MutableBytes buffer, SocketWrite& out);
  bool poll_request(SocketRequest& out);
  bool has_requests() const;

  std::size_t connections_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p2pa::tcp
