#pragma once
// What the connections of one endpoint have in common.

#include <array>
#include <optional>
#include <vector>

#include "transport/mux/ready_list.hpp"
#include "transport/mux/shared.hpp"
#include "transport/quic/cid_table.hpp"
#include "transport/quic/endpoint.hpp"
#include "transport/quic/farewell.hpp"
#include "transport/quic/outbox.hpp"
#include "transport/quic/session_cache.hpp"
#include "transport/quic/tls_context.hpp"

namespace p2pa::quic {

class Connection;

struct Shared {
  Shared(const KeyPair& identity, Rng& generator, resource::Manager& manager, Config configuration);

  /// The wall clock, as far as certificates need it: the configured time, carried on by `now`.
  std::int64_t unix_time() const { return config.unix_time + (now - start.value_or(now)).ns / 1'000'000'000; }
  /// RFC 9000 §10.3.2: a function of the id and of a secret that survives a restart. 16 bytes.
  void reset_token(const Cid& cid, std::uint8_t* token) const;
  void set_now(Instant instant) {
    now = instant;
    if (!start) start = instant;
  }

  const KeyPair& key;
  Rng& rng;
  resource::Manager& resources;
  Config config;
  std::array<std::uint8_t, 32> reset_key;  ///< stateless resets: of the identity, so that a restart keeps it
  TlsContext tls;
  mux::Shared mux;
  SessionCache sessions;
  mux::ReadyList<Connection> ready;
  CidTable cids;
  CidTable reset_tokens;  ///< the ends of packets by which peers say that they forgot a connection
  Outbox outbox;
  std::vector<Farewell> farewells;  ///< of connections that closed since the endpoint last looked
  Instant now{};  ///< of the call under way, for calls of the application, which bring none
  std::optional<Instant> start;
};

}  // namespace p2pa::quic
