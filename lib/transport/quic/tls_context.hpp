#pragma once
// What all TLS sessions of an endpoint share.

#include <cstdint>

#include "transport/quic/anti_replay.hpp"
#include "transport/tls/credentials.hpp"

struct gnutls_anti_replay_st;

namespace p2pa::quic {

/// Our credentials, the key of the tickets we give, and the memory against replays. Outlives every TlsSession.
class TlsContext final {
 public:
  explicit TlsContext(const tls::Certificate& own);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const tls::Credentials& credentials() const { return credentials_; }
  gnutls_anti_replay_st* anti_replay() const { return anti_replay_; }
  ByteView ticket_key() const { return ticket_key_; }
  AntiReplay& seen() { return seen_; }

  /// How far the clocks of ticket and server may be apart for early data to be taken.
  static constexpr std::int64_t kReplayWindowSeconds = 10;

 private:
  const tls::Credentials credentials_;
  gnutls_anti_replay_st* anti_replay_ = nullptr;
  Bytes ticket_key_;
  AntiReplay seen_;
};

}  // namespace p2pa::quic
