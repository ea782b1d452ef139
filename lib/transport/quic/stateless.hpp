#pragma once
// Answers to datagrams of no connection: Retry, version negotiation, refusal, stateless reset. None
// is larger than what it answers, so that nobody can make us flood a third party. Included from .cpp
// files only.

#include <optional>

#include "transport/quic/compat.hpp"
#include "transport/quic/shared.hpp"

namespace p2pa::quic {

class Stateless final {
 public:
  /// Resets in one second, to all together: a reset may be an answer to a forged packet.
  static constexpr std::uint32_t kResetsPerSecondMax = 100;

  explicit Stateless(Shared& shared);
  ~Stateless();
  Stateless(const Stateless&) = delete;
  Stateless& operator=(const Stateless&) = delete;

  void negotiate_version(const InboundDatagram& from, const ngtcp2_version_cid& asked);
  /// Asks the sender to prove its address first (RFC 9000 §8.1.2).
  void retry(const InboundDatagram& from, const ngtcp2_pkt_hd& first);
  /// The connection id of the first attempt, when the packet's token is one of ours, fresh, and from
  /// this address.
  std::optional<Cid> check_token(const InboundDatagram& from, const ngtcp2_pkt_hd& first) const;
  void refuse(const InboundDatagram& from, const ngtcp2_pkt_hd& first, std::uint64_t code);
  /// For a short packet of a connection that we forgot (RFC 9000 §10.3).
  void reset(const InboundDatagram& from, const Cid& cid, std::size_t packet_size);

 private:
  void send(const InboundDatagram& from, ByteView packet);

  Shared& shared_;
  std::array<std::uint8_t, 32> token_key_;
  std::int64_t reset_second_ = 0;
  std::uint32_t resets_ = 0;  // in that second
};

}  // namespace p2pa::quic
