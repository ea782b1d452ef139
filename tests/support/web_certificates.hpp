#pragma once
// Certificates as web servers have them, made when they are needed.

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "p2pagents/bytes.hpp"

namespace p2pa::test {

/// What a certificate says.
struct CertificateSpec {
  std::string name;                ///< of the subject
  std::vector<std::string> hosts;  ///< "*.example.com" too
  Bytes ip{};                      ///< four or sixteen bytes, besides
  std::int64_t not_before = 0, not_after = 0;
  bool authority = false;  ///< may sign others
  const char* purpose = GNUTLS_KP_TLS_WWW_SERVER;
  gnutls_pk_algorithm_t algorithm = GNUTLS_PK_ECDSA;
  unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
};

/// A certificate and its key.
class WebCertificate final {
 public:
  /// Signed by `issuer`; null: by itself.
  explicit WebCertificate(const CertificateSpec& spec, const WebCertificate* issuer = nullptr) {
    P2PA_ASSERT(gnutls_x509_privkey_init(&key_) == 0 && gnutls_x509_crt_init(&certificate_) == 0);
    P2PA_ASSERT(gnutls_x509_privkey_generate(key_, spec.algorithm, spec.bits, 0) == 0);
    static std::uint32_t serial = 0;
    ++serial;
    const std::uint8_t id[] = {1, static_cast<std::uint8_t>(serial >> 8), static_cast<std::uint8_t>(serial)};
    P2PA_ASSERT(gnutls_x509_crt_set_version(certificate_, 3) == 0);
    P2PA_ASSERT(gnutls_x509_crt_set_serial(certificate_, id, sizeof id) == 0);
    P2PA_ASSERT(gnutls_x509_crt_set_key(certificate_, key_) == 0);
    P2PA_ASSERT(gnutls_x509_crt_set_dn(certificate_, ("CN=" + spec.name).c_str(), nullptr) == 0);
    P2PA_ASSERT(gnutls_x509_crt_set_activation_time(certificate_, spec.not_before) == 0);
    P2PA_ASSERT(gnutls_x509_crt_set_expiration_time(certificate_, spec.not_after) == 0);
    P2PA_ASSERT(gnutls_x509_crt_set_basic_constraints(certificate_, spec.authority ? 1 : 0, -1) == 0);
    const unsigned usage = spec.authority ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE;
    P2PA_ASSERT(gnutls_x509_crt_set_key_usage(certificate_, usage) == 0);
    if (!spec.authority) P2PA_ASSERT(gnutls_x509_crt_set_key_purpose_oid(certificate_, spec.purpose, 0) == 0);
    for (const std::string& host : spec.hosts) add(GNUTLS_SAN_DNSNAME, as_bytes(host));
    if (!spec.ip.empty()) add(GNUTLS_SAN_IPADDRESS, spec.ip);
    const WebCertificate& signer = issuer == nullptr ? *this : *issuer;
    P2PA_ASSERT(gnutls_x509_crt_sign2(certificate_, signer.certificate_, signer.key_, GNUTLS_DIG_SHA256, 0) ==
                0);
  }
  ~WebCertificate() {
    gnutls_x509_crt_deinit(certificate_);
    gnutls_x509_privkey_deinit(key_);
  }
  WebCertificate(const WebCertificate&) = delete;
  WebCertificate& operator=(const WebCertificate&) = delete;

  Bytes pem() const {
    gnutls_datum_t out{};
    P2PA_ASSERT(gnutls_x509_crt_export2(certificate_, GNUTLS_X509_FMT_PEM, &out) == 0);
    return taken(out);
  }
  Bytes key_pem() const {
    gnutls_datum_t out{};
    P2PA_ASSERT(gnutls_x509_privkey_export2_pkcs8(key_, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN,
                                                  &out) == 0);
    return taken(out);
  }
  gnutls_x509_crt_t certificate() const { return certificate_; }
  gnutls_x509_privkey_t key() const { return key_; }

 private:
  void add(gnutls_x509_subject_alt_name_t type, ByteView value) {
    const auto size = static_cast<unsigned>(value.size());
    P2PA_ASSERT(gnutls_x509_crt_set_subject_alt_name(certificate_, type, value.data(), size,
                                                     GNUTLS_FSAN_APPEND) == 0);
  }
  static Bytes taken(gnutls_datum_t& from) {
    Bytes out(from.data, from.data + from.size);
    gnutls_free(from.data);
    return out;
  }

  gnutls_x509_privkey_t key_ = nullptr;
  gnutls_x509_crt_t certificate_ = nullptr;
};

}  // namespace p2pa::test
