#pragma once
// Noise XX over datagrams that may be lost, repeated or forged (docs/wire/udp.md §handshake).

#include <optional>

#include "p2pagents/peer_id.hpp"
#include "transport/noise/handshake_xx.hpp"
#include "transport/noise/identity.hpp"
#include "transport/udp/handshake_codec.hpp"
#include "transport/udp/packet_codec.hpp"

namespace p2pa::udp {

/// One end. A message that is not authentic changes nothing: the true one may follow. `identity` is used
/// until the handshake is done.
class Handshake final {
 public:
  /// `dialer_id` is bound into every message. `expected`: whom it must be, empty for anybody.
  /// REQUIRES an `ephemeral_secret` of 32 bytes that was never used before.
  Handshake(bool dialer, const noise::Identity& identity, ByteView ephemeral_secret, Cid dialer_id,
            const PeerId& expected, const Parameters& ours);

  /// The dialer's message 1.
  const Bytes& first() const { return first_; }
  /// Of a listener: takes message 1, and makes message 2. kHandshake, kBadKey: it is of no use.
  Result<Bytes> answer_first(ByteView message);
  /// Of a dialer: takes message 2, and makes message 3. Empty: not authentic, and nothing changed.
  /// kMalformed, kBadKey, kBadSignature, kPeerIdMismatch: it is, and the handshake is over.
  Result<Bytes> answer_second(ByteView message);
  /// Of a listener: takes message 3. False and the errors as above. REQUIRES that answer_first() succeeded.
  Result<bool> take_third(ByteView message);

  /// REQUIRES done().
  const PeerId& peer() const { return peer_; }
  const Parameters& theirs() const { return theirs_; }
  bool done() const { return noise_ && noise_->done(); }
  /// The secrets of the session, 32 bytes each. REQUIRES done().
  void split(MutableBytes sending, MutableBytes receiving) const { noise_->split(sending, receiving); }

 private:
  void begin();
  Bytes payload() const;
  Result<void> take_payload(ByteView payload);

  const bool dialer_;
  const noise::Identity& identity_;
  crypto::SecretBytes<32> ephemeral_;
  const Cid dialer_id_;
  const PeerId expected_;
  const Parameters ours_;
  std::optional<noise::HandshakeXx> noise_;
  Bytes first_;
  PeerId peer_;
  Parameters theirs_;
};

}  // namespace p2pa::udp
