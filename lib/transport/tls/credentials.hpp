#pragma once
// What every TLS session of ours begins with, over QUIC and over a byte stream.

#include "p2pagents/bytes.hpp"
#include "transport/tls/certificate.hpp"

struct gnutls_certificate_credentials_st;
struct gnutls_priority_st;
struct gnutls_session_int;

namespace p2pa::tls {

/// Our certificate, and the algorithms we take. Outlives every session they were given to.
class Credentials final {
 public:
  explicit Credentials(const Certificate& own);
  ~Credentials();
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  /// False: no memory.
  bool give_to(gnutls_session_int* session) const;

 private:
  gnutls_certificate_credentials_st* certificate_ = nullptr;
  gnutls_priority_st* priorities_ = nullptr;
};

/// The peer's only certificate, from the handshake or from a ticket; empty when there is none, or more than
/// one. It lives as long as the session.
ByteView peer_certificate(gnutls_session_int* session);

}  // namespace p2pa::tls
