#pragma once
// The certificate by which a libp2p peer proves its PeerId in TLS 1.3 (spec: tls/tls.md).

#include <cstdint>

#include "crypto/rng.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa::tls {

/// A self-signed certificate over a key of its own, and that key; both DER, the key as PKCS #8.
/// Ed25519 throughout: each handshake flight then has one size for ever, where ECDSA's signatures
/// vary by a byte or two and with them the sizes of packets.
struct Certificate {
  Bytes certificate;
  Bytes private_key;  ///< the caller wipes it
};

/// Valid from an hour before `unix_time` for a hundred years. Same identity, same state of the
/// generator, same time: the same bytes.
Certificate make_certificate(const KeyPair& identity, Rng& rng, std::int64_t unix_time);

struct VerifiedPeer {
  PeerId peer;
  Bytes public_key;  ///< the host key's protobuf
};

/// Larger ones are refused unread: an RSA identity with an RSA certificate key stays below 4 KiB.
inline constexpr std::size_t kCertificateBytesMax = 8192;

/// All rules of tls/tls.md for one certificate, and nothing else: whose it is must still be compared
/// with whom one wanted. Errors: kMalformed (not X.509 in DER), kBadCertificate (validity, missing
/// extension, unknown critical extension, unique ids, a key or algorithm we do not take),
/// kBadSignature (of the certificate, or of the host key), kBadKey (host key).
Result<VerifiedPeer> verify_certificate(ByteView der, std::int64_t unix_time);

/// The same, and kPeerIdMismatch when it is not `expected`; empty: anybody.
Result<VerifiedPeer> verify_peer(ByteView der, std::int64_t unix_time, const PeerId& expected);

}  // namespace p2pa::tls
