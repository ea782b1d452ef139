#pragma once
// Signed envelopes (libp2p/specs RFC 0002): bytes of a kind, signed for a purpose by a key that travels
// with them.

#include <string_view>

#include "identity/public_key.hpp"
#include "p2pagents/key_pair.hpp"

namespace p2pa {

struct Envelope {
  /// Longer ones are not looked at.
  static constexpr std::size_t kBytesMax = 16 * 1024;

  PublicKey key;       ///< who signed
  Bytes payload_type;  ///< what the payload is
  Bytes payload;
  Bytes signature;

  /// What is signed: each part behind its length (RFC 0002 §signature-production).
  static Bytes signed_bytes(std::string_view domain, ByteView payload_type, ByteView payload);
  /// Signs. `domain` is what the signature is for, so that it is good for nothing else.
  static Bytes seal(const KeyPair& key, std::string_view domain, ByteView payload_type,
                    ByteView payload);
  /// Decodes and verifies. kMalformed: not an envelope. kBadKey, kBadSignature: see PublicKey. Who the
  /// signer has to be, and which types are welcome, is the caller's to check.
  static Result<Envelope> open(ByteView bytes, std::string_view domain);

  /// The two halves of open(), for whom the payload type has to tell the domain.
  static Result<Envelope> decode(ByteView bytes);
  Result<void> verify(std::string_view domain) const;
};

}  // namespace p2pa
