#include "transport/tls/web_credentials.hpp"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <algorithm>
#include <new>
#include <type_traits>
#include <vector>

#include "crypto/gnutls_datum.hpp"
#include "transport/tls/certificate_key.hpp"

namespace p2pa::tls {
namespace {

// Only ciphers that authenticate what they encipher, only keys that are forgotten (RFC 9325 §4.2).
constexpr const char* kPriorities =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:"
    "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1";

struct PrivateKeyDelete {
  void operator()(gnutls_privkey_t key) const { gnutls_privkey_deinit(key); }
};
using PrivateKey = std::unique_ptr<std::remove_pointer_t<gnutls_privkey_t>, PrivateKeyDelete>;

struct CertificateDelete {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};
using X509 = std::unique_ptr<std::remove_pointer_t<gnutls_x509_crt_t>, CertificateDelete>;

std::unexpected<Error> bad(const char* why) { return fail(Code::kBadCertificate, why); }

Result<X509> import(const gnutls_datum_t& der) {
  if (const auto fine = check_certificate_key({der.data, der.size}); !fine) return bad(fine.error().why);
  gnutls_x509_crt_t raw = nullptr;
  if (gnutls_x509_crt_init(&raw) != 0) return fail(Code::kOutOfMemory, "GnuTLS");
  X509 certificate(raw);
  if (gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER) != 0) return bad("the certificate is not X.509");
  return certificate;
}

/// The root that signed it; null: none that is trusted.
gnutls_x509_crt_t root_of(gnutls_x509_trust_list_t roots, gnutls_x509_crt_t certificate) {
  gnutls_x509_crt_t root = nullptr;
  return gnutls_x509_trust_list_get_issuer(roots, certificate, &root, 0) == 0 ? root : nullptr;
}

/// Moves who signed the last of `chain`, by its name, from `others` to its end. False: there is none.
bool extend(std::vector<X509>& chain, std::vector<X509>& others) {
  const auto issuer = std::ranges::find_if(others, [&](const X509& other) {
    return gnutls_x509_crt_check_issuer(chain.back().get(), other.get()) != 0;
  });
  if (issuer == others.end()) return false;
  chain.push_back(std::move(*issuer));
  others.erase(issuer);
  return true;
}

Result<void> check_time(gnutls_x509_crt_t certificate, std::int64_t unix_time) {
  if (unix_time < gnutls_x509_crt_get_activation_time(certificate)) {
    return bad("a certificate is not valid yet");
  }
  if (unix_time > gnutls_x509_crt_get_expiration_time(certificate)) return bad("a certificate has expired");
  return {};
}

constexpr const char* kOtherHost = "the certificate is for another host";

const char* reason(unsigned status) {
  if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) return "nobody who is trusted signed the certificate";
  if ((status & GNUTLS_CERT_UNEXPECTED_OWNER) != 0) return kOtherHost;
  if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0) return "the certificate is not for servers";
  if ((status & GNUTLS_CERT_INSECURE_ALGORITHM) != 0) return "a certificate's algorithm is broken";
  if ((status & GNUTLS_CERT_SIGNER_NOT_CA) != 0) return "a certificate was signed by who may sign none";
  return "a certificate's signature or one of its limits is violated";
}

/// Time is not GnuTLS's to ask for: who signed whom is known before, and each was looked at.
Result<void> check_chain(gnutls_x509_trust_list_t roots, const std::vector<X509>& chain,
                         const std::string& host) {
  if (host.contains('\0')) return bad(kOtherHost);  // GnuTLS would read no further
  std::vector<gnutls_x509_crt_t> list(chain.size());
  std::ranges::transform(chain, list.begin(), [](const X509& each) { return each.get(); });
  std::string name = host, purpose = GNUTLS_KP_TLS_WWW_SERVER;  // GnuTLS's are not const
  const auto entry = [](gnutls_vdata_types_t type, std::string& text) {
    gnutls_typed_vdata_st out{};
    out.type = type;
    out.data = reinterpret_cast<unsigned char*>(text.data());
    return out;
  };
  gnutls_typed_vdata_st wanted[] = {entry(GNUTLS_DT_DNS_HOSTNAME, name),
                                    entry(GNUTLS_DT_KEY_PURPOSE_OID, purpose)};
  constexpr unsigned kFlags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
                              GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN;
  unsigned status = 0;
  const int code = gnutls_x509_trust_list_verify_crt2(roots, list.data(), static_cast<unsigned>(list.size()),
                                                      wanted, std::size(wanted), kFlags, &status, nullptr);
  if (code < 0) return bad("the chain of certificates is wrong");
  if (status != 0) return bad(reason(status));
  return {};
}

/// Asked before GnuTLS makes credentials of it, which forgets a certificate that it cannot read.
bool is_chain(const gnutls_datum_t& pem) {
  gnutls_x509_crt_t* list = nullptr;
  unsigned count = 0;
  if (gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, 0) < 0) return false;
  for (unsigned i = 0; i < count; ++i) gnutls_x509_crt_deinit(list[i]);
  gnutls_free(static_cast<void*>(list));
  return count > 0;
}

}  // namespace

WebSettings::WebSettings() {
  const bool good = gnutls_certificate_allocate_credentials(&certificates_) == 0 &&
                    gnutls_priority_init(&priorities_, kPriorities, nullptr) == 0;
  if (good) return;
  if (certificates_ != nullptr) gnutls_certificate_free_credentials(certificates_);
  throw std::bad_alloc();  // tidy-allow: as a container of ours would
}

WebSettings::~WebSettings() {
  gnutls_priority_deinit(priorities_);
  gnutls_certificate_free_credentials(certificates_);
}

bool WebSettings::give_to(gnutls_session_int* session) const {
  return gnutls_priority_set(session, priorities_) == 0 &&
         gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, certificates_) == 0;
}

Result<std::shared_ptr<const WebCredentials>> WebCredentials::from_pem(ByteView chain, ByteView key) {
  const gnutls_datum_t chain_pem = crypto::datum(chain), key_pem = crypto::datum(key);
  gnutls_privkey_t raw = nullptr;
  if (gnutls_privkey_init(&raw) != 0) return fail(Code::kOutOfMemory, "GnuTLS");
  const PrivateKey readable(raw);
  if (gnutls_privkey_import_x509_raw(raw, &key_pem, GNUTLS_X509_FMT_PEM, nullptr, 0) != 0) {
    return fail(Code::kBadKey, "not a private key in PEM without a password");
  }
  if (!is_chain(chain_pem)) return bad("not a chain of certificates in PEM");
  std::shared_ptr<WebCredentials> out(new WebCredentials);
  const int code = gnutls_certificate_set_x509_key_mem2(out->settings_.certificates(), &chain_pem, &key_pem,
                                                        GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) return fail(Code::kBadKey, "the key of another certificate");
  if (code < 0) return bad("not a chain of certificates in PEM");
  return out;
}

Result<std::shared_ptr<const WebTrust>> WebTrust::from_pem(ByteView roots) {
  std::shared_ptr<WebTrust> out(new WebTrust(false));
  const gnutls_datum_t pem = crypto::datum(roots);
  if (gnutls_certificate_set_x509_trust_mem(out->settings_.certificates(), &pem, GNUTLS_X509_FMT_PEM) <= 0) {
    return bad("no certificates of roots in PEM");
  }
  return out;
}

std::shared_ptr<const WebTrust> WebTrust::anybody() {
  return std::shared_ptr<const WebTrust>(new WebTrust(true));
}

Result<void> WebTrust::verify(gnutls_session_int* session, const std::string& host,
                              std::int64_t unix_time) const {
  if (anybody_) return {};
  unsigned count = 0;
  const gnutls_datum_t* const shown = gnutls_certificate_get_peers(session, &count);
  if (shown == nullptr || count == 0) return bad("no certificate");
  if (count > kChainMax) return bad("more certificates than are taken");
  std::vector<X509> chain, others;
  for (unsigned i = 0; i < count; ++i) {
    auto certificate = import(shown[i]);
    if (!certificate) return std::unexpected(certificate.error());
    (i == 0 ? chain : others).push_back(std::move(*certificate));
  }
  gnutls_x509_trust_list_t roots = nullptr;
  gnutls_certificate_get_trust_list(settings_.certificates(), &roots);
  gnutls_x509_crt_t root = root_of(roots, chain.back().get());
  while (root == nullptr && extend(chain, others)) root = root_of(roots, chain.back().get());
  // What nobody signed who is trusted may be as old as it likes: it is refused for the former.
  if (const auto done = check_chain(roots, chain, host); !done) return done;
  for (const X509& each : chain) {
    if (const auto done = check_time(each.get(), unix_time); !done) return done;
  }
  return root != nullptr ? check_time(root, unix_time) : Result<void>();
}

}  // namespace p2pa::tls
