#pragma once
// SymmetricState of the Noise Protocol Framework (rev 34 §5.2) with SHA-256.

#include "crypto/hash.hpp"
#include "crypto/secret_bytes.hpp"
#include "transport/noise/cipher_state.hpp"

namespace p2pa::noise {

/// What the handshake knows so far: a hash over all that was sent, and the keys that the secrets made.
/// The names are the specification's.
class SymmetricState {
 public:
  /// Of `Noise_XX_25519_ChaChaPoly_SHA256`.
  SymmetricState();

  void mix_key(ByteView input);
  void mix_hash(ByteView data);
  /// Appends to `out`; in the clear as long as there is no key.
  void encrypt_and_hash(ByteView plain, Bytes& out);
  /// Replaces `out`. kHandshake: not authentic, or too short.
  Result<void> decrypt_and_hash(ByteView data, Bytes& out);
  /// How much longer than its plain text a message is now.
  std::size_t overhead() const { return cipher_.has_key() ? kTagSize : 0; }
  /// The end: the keys of the two directions.
  void split(CipherState& from_initiator, CipherState& from_responder) const;
  /// The same keys as they are, for who numbers messages by itself. REQUIRES 32 bytes each.
  void split(MutableBytes from_initiator, MutableBytes from_responder) const;

  const crypto::Sha256Digest& handshake_hash() const { return hash_; }

 private:
  crypto::Sha256Digest hash_;
  crypto::SecretBytes<crypto::kSha256Size> chaining_key_;
  CipherState cipher_;
};

}  // namespace p2pa::noise
