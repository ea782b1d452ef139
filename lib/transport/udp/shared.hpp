#pragma once
// What the sessions of one endpoint have in common.

#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include "transport/mux/ready_list.hpp"
#include "transport/mux/shared.hpp"
#include "transport/noise/identity.hpp"
#include "transport/udp/cookie.hpp"
#include "transport/udp/endpoint.hpp"
#include "transport/udp/loss_recovery.hpp"

namespace p2pa::udp {

class Connection;

/// What is left to say when a session has closed.
struct Farewell {
  ConnectionId connection = 0;
  Cid cid = 0;     ///< by which the peer sends
  IpEndpoint from{};     ///< of an inbound one: where its INITIAL came from,
  Cid dialer_cid = 0;    ///< and its source id
  Bytes packet;    ///< CLOSE, to be repeated; empty: say nothing
  Transmit to;
  Duration pause;  ///< the probe time-out
};

struct Shared {
  Shared(const KeyPair& key, Rng& generator, resource::Manager& manager, const Config& configuration)
      : rng(generator),
        resources(manager),
        config(configuration),
        identity(key, generator),
        cookies(generator),
        mux(manager) {}

  /// An id that no session here has.
  Cid fresh_cid() {
    for (;;) {
      const Cid cid = rng.next_u64();
      if (!cids.contains(cid)) return cid;
    }
  }

  Rng& rng;
  resource::Manager& resources;
  const Config config;
  const noise::Identity identity;
  const CookieJar cookies;
  mux::Shared mux;
  mux::ReadyList<Connection> ready;
  std::unordered_map<Cid, Connection*> cids;  ///< looked up, never walked
  std::vector<Farewell> farewells;            ///< of sessions that closed since the endpoint last looked
  Instant now{};                              ///< of the call under way, for calls of the application
  Bytes plain;                                ///< scratch: the frames of a packet
  std::vector<SentFrame> sent;                ///< scratch: and what to do about their loss
  std::array<std::uint8_t, 65'536> opened;    ///< scratch: the frames of a packet that came
};

}  // namespace p2pa::udp
