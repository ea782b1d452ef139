#pragma once
// Ordinary TLS as what a byte stream wears: `/tls` in front of `/ws`. It says who the host is, not the peer.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "transport/layer/byte_layer.hpp"
#include "transport/tls/record_session.hpp"
#include "transport/tls/web_credentials.hpp"

namespace p2pa::tls {

/// One end, by GnuTLS. ALPN is http/1.1, and not needed. No certificate of a client's, no tickets, no early
/// data, no renegotiation. What it keeps of the peer's: a record that is not complete, and of a handshake
/// RecordSession::kHandshakeBytesMax.
class WebLayer final : public ByteLayer {
 public:
  struct ClientOptions {
    std::string host;  ///< whose certificate it must be: a name, which SNI says too, or an IP address
    std::shared_ptr<const WebTrust> trust;  ///< shared with other connections; REQUIRES that there is one
    std::int64_t unix_time = 0;             ///< by which certificates must be valid
  };

  /// Null: no memory. A host that is neither a name nor an address is one that no certificate is for.
  static std::unique_ptr<WebLayer> client(ClientOptions options);
  /// `own` is shared with the other connections that began with it.
  static std::unique_ptr<WebLayer> server(std::shared_ptr<const WebCredentials> own);

  Result<void> begin(Bytes& down) override;
  /// Errors: kBadCertificate (to a client: why), kHandshake and kProtocolViolation (detail: the alert that
  /// `down` tells the peer), kRefused (detail: the peer's alert), kConnectionClosed, kOutOfMemory. A client
  /// is open when its own part is said: a server's refusal may come behind that.
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) override;
  bool open() const override { return open_; }
  /// Nothing goes out any more after finish() and after an error, but for kConnectionClosed.
  void send(ByteView bytes, Bytes& down) override;
  /// Nothing before the end of the handshake.
  void finish(Bytes& down) override;

 private:
  struct Callbacks;  // GnuTLS's way to us

  WebLayer(gnutls_session_int* session, ClientOptions options, std::shared_ptr<const WebCredentials> own);
  static std::unique_ptr<WebLayer> make(unsigned flags, ClientOptions options,
                                        std::shared_ptr<const WebCredentials> own);
  bool prepare();
  /// Both say how much of `bytes` they took: all but a record that is not complete.
  Result<std::size_t> shake_hands(ByteView bytes, Bytes& down);
  Result<std::size_t> read(ByteView bytes, Bytes& up, Bytes& down);

  const ClientOptions client_;                       // without trust: a server's
  const std::shared_ptr<const WebCredentials> own_;  // of a server
  RecordSession session_;                            // goes before what it uses
  bool open_ = false;
  bool finished_ = false;
  std::optional<Error> refusal_;  // why the server's certificate will not do
  Bytes partial_;                 // arrived, and not complete
};

}  // namespace p2pa::tls
