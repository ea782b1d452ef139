#include "crypto/rsa_bounds.hpp"

#include <cstdint>

#include "crypto/signature.hpp"

namespace p2pa::crypto {

namespace {

/// A number that GnuTLS allocated.
struct OwnedDatum {
  gnutls_datum_t value{};
  OwnedDatum() = default;
  OwnedDatum(const OwnedDatum&) = delete;
  OwnedDatum& operator=(const OwnedDatum&) = delete;
  ~OwnedDatum() { gnutls_free(value.data); }
};

bool exponent_in_bounds(gnutls_pubkey_t key) {
  OwnedDatum modulus, exponent;
  if (gnutls_pubkey_export_rsa_raw2(key, &modulus.value, &exponent.value, GNUTLS_EXPORT_FLAG_NO_LZ) != 0) {
    return false;
  }
  std::uint64_t value = 0;
  if (exponent.value.size > 4) return false;
  for (unsigned i = 0; i < exponent.value.size; ++i) value = value << 8 | exponent.value.data[i];
  return value >= 3 && value % 2 == 1 && value < std::uint64_t{1} << 31;
}

}  // namespace

Result<void> check_rsa_bounds(gnutls_pubkey_t key) {
  unsigned bits = 0;
  gnutls_pubkey_get_pk_algorithm(key, &bits);
  if (bits < kRsaBitsMin || bits > kRsaBitsMax) return fail(Code::kBadKey, "key: RSA of a size out of bounds", bits);
  if (!exponent_in_bounds(key)) return fail(Code::kBadKey, "key: RSA exponent out of bounds");
  return {};
}

}  // namespace p2pa::crypto
