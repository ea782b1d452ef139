#pragma once
// What the two ends of ordinary TLS begin with, as `/wss` wants it: a server with its certificate, a client
// with whom it trusts to have signed one. Both come from bytes; who reads files is elsewhere.

#include <cstdint>
#include <memory>
#include <string>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

struct gnutls_certificate_credentials_st;
struct gnutls_priority_st;
struct gnutls_session_int;

namespace p2pa::tls {

/// GnuTLS's part of both: algorithms, and certificates of some kind. TLS 1.2 with forward secrecy, or 1.3.
class WebSettings {
 public:
  /// Throws std::bad_alloc.
  WebSettings();
  ~WebSettings();
  WebSettings(const WebSettings&) = delete;
  WebSettings& operator=(const WebSettings&) = delete;

  gnutls_certificate_credentials_st* certificates() const { return certificates_; }
  /// False: no memory. Outlives the session.
  bool give_to(gnutls_session_int* session) const;

 private:
  gnutls_certificate_credentials_st* certificates_ = nullptr;
  gnutls_priority_st* priorities_ = nullptr;
};

/// A server's certificate and key. Shared by the connections that began with it: who renews it gives new ones
/// another, and the old ones keep theirs.
class WebCredentials final {
 public:
  /// PEM: the server's certificate, and those of who signed it up to a root, as `fullchain.pem` has it; its
  /// key, PKCS #8 or older, without a password. The caller wipes the key; this one is in GnuTLS's hands.
  /// Errors: kBadCertificate (no certificate), kBadKey (no key, or that of another certificate).
  static Result<std::shared_ptr<const WebCredentials>> from_pem(ByteView chain, ByteView key);

  bool give_to(gnutls_session_int* session) const { return settings_.give_to(session); }

 private:
  WebCredentials() = default;

  WebSettings settings_;
};

/// Whose signature under a server's certificate a client believes. Shared by its connections.
class WebTrust final {
 public:
  /// More than anybody shows who has a reason to.
  static constexpr unsigned kChainMax = 10;

  /// PEM: certificates of roots, as many as there are; of the system's, what its bundle holds, or an own one.
  /// kBadCertificate: not one.
  static Result<std::shared_ptr<const WebTrust>> from_pem(ByteView roots);
  /// Everybody's, even under their own: for tests, and where what is carried is secured once more, as all
  /// that libp2p speaks is. Such TLS hides nothing from who is on the way and wants to know.
  static std::shared_ptr<const WebTrust> anybody();

  bool give_to(gnutls_session_int* session) const { return settings_.give_to(session); }
  /// Does the certificate that the session was shown belong to `host`, a name or an IP address, signed by who
  /// is trusted, all of them valid at `unix_time`? kBadCertificate, and why not.
  Result<void> verify(gnutls_session_int* session, const std::string& host, std::int64_t unix_time) const;

 private:
  explicit WebTrust(bool anybody) : anybody_(anybody) {}

  WebSettings settings_;
  const bool anybody_;
};

}  // namespace p2pa::tls
