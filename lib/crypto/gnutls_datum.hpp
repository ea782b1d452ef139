#pragma once
// For .cpp files that talk to GnuTLS.

#include <gnutls/gnutls.h>

#include "p2pagents/bytes.hpp"

namespace p2pa::crypto {

/// The same bytes as GnuTLS takes them. Its inputs are not const, though it does not write to them.
inline gnutls_datum_t datum(ByteView bytes) {
  return {const_cast<unsigned char*>(bytes.data()), static_cast<unsigned int>(bytes.size())};
}

}  // namespace p2pa::crypto
