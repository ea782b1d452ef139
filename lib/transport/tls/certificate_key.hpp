#pragma once
// The key inside a certificate. For .cpp files that talk to GnuTLS.

#include <gnutls/abstract.h>

#include <memory>
#include <type_traits>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::tls {

struct PubkeyDelete {
  void operator()(gnutls_pubkey_t key) const { gnutls_pubkey_deinit(key); }
};
using Pubkey = std::unique_ptr<std::remove_pointer_t<gnutls_pubkey_t>, PubkeyDelete>;

/// Reads a SubjectPublicKeyInfo that may be computed with: Ed25519, ECDSA, or RSA within its bounds.
/// kBadCertificate: any other.
Result<Pubkey> import_certificate_key(ByteView spki);

/// May anything be computed with the key of this certificate? kMalformed, kBadCertificate: no.
Result<void> check_certificate_key(ByteView certificate);

/// The first certificate in a TLS 1.3 Certificate message (RFC 8446 §4.4.2). kMalformed: there is none.
Result<ByteView> first_certificate(ByteView message);
/// The same of TLS 1.2 (RFC 5246 §7.4.2).
Result<ByteView> first_certificate_12(ByteView message);

/// May anything be computed with the key of the certificate in this message? To be asked before TLS checks a
/// signature by it: with a modulus and an exponent of 8,000 bytes that takes a minute (CVE-2023-39533).
Result<void> check_certificate_message(ByteView message);

}  // namespace p2pa::tls
