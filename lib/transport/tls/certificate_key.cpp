#include "transport/tls/certificate_key.hpp"

#include "crypto/gnutls_datum.hpp"
#include "crypto/rsa_bounds.hpp"
#include "transport/tls/certificate.hpp"
#include "transport/tls/der.hpp"

namespace p2pa::tls {

namespace {

using der::Tag;

Result<ByteView> sized_24(ByteReader& reader) {
  const auto size = reader.take(3);
  if (!size) return std::unexpected(size.error());
  return reader.take(std::size_t{(*size)[0]} << 16 | std::size_t{(*size)[1]} << 8 | (*size)[2]);
}

/// RFC 5280 §4.1: version, serialNumber, signature, issuer, validity, subject, and then it.
Result<ByteView> subject_public_key_info(ByteView certificate) {
  constexpr int kElementsBefore = 6;
  ByteReader file(certificate);
  const auto outer = der::read(file, Tag::kSequence);
  if (!outer) return std::unexpected(outer.error());
  ByteReader reader(outer->content);
  const auto tbs = der::read(reader, Tag::kSequence);
  if (!tbs) return std::unexpected(tbs.error());
  ByteReader fields(tbs->content);
  for (int i = 0; i < kElementsBefore; ++i) {
    if (const auto skipped = der::read(fields); !skipped) return std::unexpected(skipped.error());
  }
  const auto spki = der::read(fields, Tag::kSequence);
  if (!spki) return std::unexpected(spki.error());
  return spki->whole;
}

}  // namespace

Result<Pubkey> import_certificate_key(ByteView spki) {
  gnutls_pubkey_t raw = nullptr;
  if (gnutls_pubkey_init(&raw) != 0) return fail(Code::kOutOfMemory, "GnuTLS");
  Pubkey key(raw);
  const gnutls_datum_t data = crypto::datum(spki);
  if (gnutls_pubkey_import(raw, &data, GNUTLS_X509_FMT_DER) != 0) {
    return fail(Code::kBadCertificate, "the certificate's key is not taken");
  }
  switch (gnutls_pubkey_get_pk_algorithm(raw, nullptr)) {
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_ECDSA: return key;
    case GNUTLS_PK_RSA: break;
    default: return fail(Code::kBadCertificate, "the certificate's key is not taken");
  }
  if (!crypto::check_rsa_bounds(raw)) {
    return fail(Code::kBadCertificate, "the certificate's RSA key is out of bounds");
  }
  return key;
}

Result<void> check_certificate_key(ByteView certificate) {
  if (certificate.size() > kCertificateBytesMax) {
    return fail(Code::kBadCertificate, "the certificate is too large");
  }
  const auto spki = subject_public_key_info(certificate);
  if (!spki) return std::unexpected(spki.error());
  const auto key = import_certificate_key(*spki);
  if (!key) return std::unexpected(key.error());
  return {};
}

Result<ByteView> first_certificate(ByteView message) {
  ByteReader reader(message);
  const auto context_size = reader.u8();
  if (!context_size || !reader.skip(*context_size)) return fail(Code::kMalformed, "TLS: no certificate");
  return first_certificate_12(reader.rest());
}

Result<ByteView> first_certificate_12(ByteView message) {
  ByteReader reader(message);
  const auto list = sized_24(reader);
  if (!list) return fail(Code::kMalformed, "TLS: no certificate");
  ByteReader entries(*list);
  const auto certificate = sized_24(entries);
  if (!certificate) return fail(Code::kMalformed, "TLS: no certificate");
  return *certificate;
}

Result<void> check_certificate_message(ByteView message) {
  const auto certificate = first_certificate(message);
  return certificate ? check_certificate_key(*certificate) : std::unexpected(certificate.error());
}

}  // namespace p2pa::tls
