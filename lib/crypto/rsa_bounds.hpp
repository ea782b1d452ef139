#pragma once
// RSA is checked before it is computed with: the work grows with the cube of what a stranger chose. For .cpp
// files that talk to GnuTLS.

#include <gnutls/abstract.h>

#include "p2pagents/error.hpp"

namespace p2pa::crypto {

/// Is the modulus of kRsaBitsMin to kRsaBitsMax bits, and the exponent odd and of 31 bits at most, as go has
/// it? kBadKey; detail: the bits of the modulus when they are the reason. REQUIRES an RSA key.
Result<void> check_rsa_bounds(gnutls_pubkey_t key);

}  // namespace p2pa::crypto
