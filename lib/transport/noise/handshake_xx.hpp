#pragma once
// HandshakeState of the Noise Protocol Framework (rev 34 §5.3) for the pattern XX (§7.5).

#include <cstddef>
#include <cstdint>

#include "crypto/x25519.hpp"
#include "transport/noise/symmetric_state.hpp"

namespace p2pa::noise {

/// Messages without their length.
inline constexpr std::size_t kMessageBytesMax = 65'535;

/// One end of the handshake, message by message: the initiator writes the first and the third one, the
/// responder the second. What the payloads mean is the caller's. Not to be used after an error.
class HandshakeXx {
 public:
  /// `static_key` is used until the handshake is done. REQUIRES an `ephemeral_secret` of 32 bytes that
  /// was never used before.
  HandshakeXx(bool initiator, const crypto::X25519KeyPair& static_key, ByteView ephemeral_secret,
              ByteView prologue = {});

  bool done() const { return message_ == kMessages; }
  /// Is the next message the first one? Anybody can read its payload.
  bool at_first() const { return message_ == 0; }
  /// Whose message is the next one?
  bool our_turn() const { return !done() && initiator_ == (message_ % 2 == 0); }

  /// Appends our next message. kBadKey: the peer's key is a point of small order.
  /// REQUIRES our_turn(), and a payload that leaves room for 96 bytes of keys and tags.
  Result<void> write(ByteView payload, Bytes& out);
  /// Takes the peer's next message, and puts its payload in place of what is in `payload`. kHandshake:
  /// too short, or not authentic. kBadKey: as above. REQUIRES !our_turn() && !done().
  Result<void> read(ByteView message, Bytes& payload);

  /// The peer's static key: proven when the payload came behind it.
  const crypto::X25519Public& peer_static() const { return peer_static_; }
  /// The same at both ends, and for no other handshake (§11.2).
  const crypto::Sha256Digest& handshake_hash() const { return symmetric_.handshake_hash(); }
  /// REQUIRES done().
  void split(CipherState& sending, CipherState& receiving) const;
  /// The same keys as they are, 32 bytes each.
  void split(MutableBytes sending, MutableBytes receiving) const;

 private:
  static constexpr std::size_t kMessages = 3;
  enum class Token : std::uint8_t;
  struct Pattern;
  static const Pattern kPattern[kMessages];

  Result<void> write_token(Token token, Bytes& out);
  Result<void> read_token(Token token, ByteView& message);
  Result<void> mix_shared(Token token);

  bool initiator_;
  std::size_t message_ = 0;
  const crypto::X25519KeyPair& static_;
  crypto::X25519KeyPair ephemeral_;
  crypto::X25519Public peer_static_{}, peer_ephemeral_{};
  SymmetricState symmetric_;
};

}  // namespace p2pa::noise
