#include "web_certificate.hpp"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

namespace interop {
namespace {

constexpr std::time_t kDay = 24 * 60 * 60;

struct Pair {
  Pair() : made(gnutls_x509_privkey_init(&key) == 0 && gnutls_x509_crt_init(&certificate) == 0) {}
  ~Pair() {
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_crt_t certificate = nullptr;
  bool made;
};

bool fill(const Pair& pair) {
  const unsigned char serial = 1;
  const unsigned curve = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
  const std::time_t now = std::time(nullptr);
  gnutls_x509_crt_t certificate = pair.certificate;
  return gnutls_x509_privkey_generate(pair.key, GNUTLS_PK_ECDSA, curve, 0) == 0 &&
         gnutls_x509_crt_set_version(certificate, 3) == 0 &&
         gnutls_x509_crt_set_serial(certificate, &serial, 1) == 0 &&
         gnutls_x509_crt_set_key(certificate, pair.key) == 0 &&
         gnutls_x509_crt_set_dn(certificate, "CN=p2pagents interop", nullptr) == 0 &&
         gnutls_x509_crt_set_activation_time(certificate, now - kDay) == 0 &&
         gnutls_x509_crt_set_expiration_time(certificate, now + kDay) == 0 &&
         gnutls_x509_crt_sign2(certificate, certificate, pair.key, GNUTLS_DIG_SHA256, 0) == 0;
}

bool write(const std::string& path, int exported, gnutls_datum_t& pem) {
  if (exported != 0) return false;
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(pem.data), static_cast<std::streamsize>(pem.size));
  gnutls_free(pem.data);
  return static_cast<bool>(file.flush());
}

}  // namespace

std::unique_ptr<WebCertificate> WebCertificate::make() {
  const Pair pair;
  std::string form = std::filesystem::temp_directory_path() / "interop-XXXXXX";
  if (!pair.made || !fill(pair) || mkdtemp(form.data()) == nullptr) return nullptr;
  std::unique_ptr<WebCertificate> out(new WebCertificate(form));
  gnutls_datum_t pem{};
  int exported = gnutls_x509_crt_export2(pair.certificate, GNUTLS_X509_FMT_PEM, &pem);
  if (!write(out->certificate_file(), exported, pem)) return nullptr;
  exported = gnutls_x509_privkey_export2_pkcs8(pair.key, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN, &pem);
  if (!write(out->key_file(), exported, pem)) return nullptr;
  return out;
}

WebCertificate::~WebCertificate() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

}  // namespace interop
