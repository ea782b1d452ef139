#pragma once
// What the connections of one endpoint have in common.

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "transport/layer/layer_stack.hpp"
#include "transport/mux/ready_list.hpp"
#include "transport/mux/shared.hpp"
#include "transport/noise/noise_channel.hpp"
#include "transport/secure/secure_channel.hpp"
#include "transport/tcp/endpoint.hpp"
#include "transport/tls/tls_channel.hpp"
#include "transport/tls/web_credentials.hpp"

namespace p2pa::tcp {

class Connection;

/// The last bytes of a connection that is no more.
struct Farewell {
  SocketId socket = 0;
  Bytes bytes;
  bool writing = false;  ///< the socket still has earlier ones under way
};

struct Shared {
  Shared(const KeyPair& identity, Rng& generator, resource::Manager& manager, SocketNumbers& socket_numbers,
         Config configuration);

  void request(SocketRequest::Kind kind, SocketId socket, const IpEndpoint& remote = {}) {
    requests.push_back({kind, socket, remote});
  }

  void keep_socket(SocketId socket, Connection& connection) { sockets[socket] = &connection; }
  void forget_socket(SocketId socket) { sockets.erase(socket); }
  void set_now(Instant instant) {
    now = instant;
    if (!start) start = instant;
  }
  /// What proves who we are, made when it is first asked for.
  const noise::Identity& noise();
  const tls::Credentials& tls();
  /// The wall clock, as far as certificates need it: the configured time, carried on by `now`.
  std::int64_t unix_time() const { return config.unix_time + (now - start.value_or(now)).ns / 1'000'000'000; }

  const KeyPair& key;
  Rng& rng;
  resource::Manager& resources;
  SocketNumbers& numbers;
  const Config config;
  std::shared_ptr<const tls::WebCredentials> web_credentials;  ///< null: no secure WebSocket is accepted
  Result<std::shared_ptr<const tls::WebTrust>> web_trust =     ///< an error: why none is dialed
      fail(Code::kWouldBlock, "the roots of certificates are being read");
  bool web_trust_wanted = false;
  mux::Shared mux;
  std::deque<SocketRequest> requests;
  mux::ReadyList<Connection> ready;
  std::unordered_map<SocketId, Connection*> sockets;  ///< looked up, never walked
  std::vector<Farewell> farewells;  ///< of connections that closed since the endpoint last looked
  Instant now{};
  std::optional<Instant> start;

  static constexpr std::size_t kWriteBytes = 65'536;  ///< of one write
  static constexpr std::size_t kPlainBytes = SecureChannel::kPlainBytesMax;
  /// Scratch of kPlainBytes, one for all.
  MutableBytes plain_space();
  /// What layers make of as much as this fits one write. Scratch, one for all.
  static constexpr std::size_t kUndressedBytes = 49'152;
  static_assert(kUndressedBytes + 4 * LayerStack::kLayersMax * ByteLayer::kOverheadMax <= kWriteBytes);
  MutableBytes undressed_space();
  /// What may wait for a socket that takes nothing while the peer makes the layers answer. Beyond it is no
  /// peer that waits for the answers.
  static constexpr std::size_t kDressedMax = 4 * kWriteBytes;
  Bytes undressed;  ///< likewise, of what arrived

 private:
  std::optional<noise::Identity> noise_;
  std::optional<tls::Credentials> tls_;
  std::unique_ptr<std::uint8_t[]> plain_, undressed_;
};

}  // namespace p2pa::tcp
