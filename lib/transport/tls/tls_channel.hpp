#pragma once
// TLS 1.3 on a byte stream, `/tls/1.0.0` (spec: tls/tls.md, connections/inlined-muxer-negotiation.md).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "transport/secure/secure_channel.hpp"
#include "transport/tls/credentials.hpp"
#include "transport/tls/record_session.hpp"

namespace p2pa::tls {

/// How multistream knows it.
inline constexpr std::string_view kProtocol = "/tls/1.0.0";

/// Both ends show a certificate. No SNI, no tickets, no early data. The server takes the first of the
/// client's muxers that it has; a client without ALPN is served, one whose names are all unknown is not.
class TlsChannel final : public SecureChannel {
 public:
  /// Which peer, and what over it.
  struct Options {
    PeerId expected;                            ///< empty: anybody
    std::span<const std::string_view> muxers;  ///< the preferred first; REQUIRES size() <= kMuxersMax
    std::int64_t unix_time = 0;                 ///< by which the peer's certificate must be valid
  };
  /// Of GnuTLS, which takes eight names, and the last is "libp2p".
  static constexpr std::size_t kMuxersMax = 7;
  static constexpr std::size_t kHandshakeBytesMax = RecordSession::kHandshakeBytesMax;

  /// `own` outlives the channel. Null: no memory.
  static std::unique_ptr<TlsChannel> client(const Credentials& own, const Options& options);
  static std::unique_ptr<TlsChannel> server(const Credentials& own, const Options& options);
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  /// Errors: those of verify_peer(); kHandshake (detail: our alert), kRefused (detail: the peer's),
  /// kOutOfMemory. A server is established when the client's Finished was verified, a client when its own
  /// went out: the server's refusal, if any, comes from open().
  Result<std::size_t> handshake(ByteView in, Bytes& out) override;
  bool established() const override { return established_; }
  const PeerId& peer() const override { return peer_; }
  std::string_view muxer() const override { return muxer_; }

  /// Errors, besides those of the port: kRefused (detail: the peer's alert), kOutOfMemory. A record that
  /// ends the channel is taken only by a call that made nothing before it.
  Result<Progress> open(ByteView in, MutableBytes out) override;
  /// Several records, where the peer wants small ones. REQUIRES that neither finish() was called nor open()
  /// failed, but for kConnectionClosed. Throws std::bad_alloc.
  std::size_t seal(ByteView plain, MutableBytes out) override;
  std::size_t seal_max() const override;
  std::size_t seal_overhead() const override;
  /// After an error of open(): the alert that says so.
  void finish(Bytes& out) override;

 private:
  struct Callbacks;  // GnuTLS's way to us

  TlsChannel(gnutls_session_int* session, const Options& options);
  static std::unique_ptr<TlsChannel> make(unsigned flags, const Credentials& own, const Options& options);
  bool offer(std::span<const std::string_view> muxers);
  int establish();

  RecordSession session_;
  const PeerId expected_;
  const std::int64_t unix_time_;
  bool established_ = false;
  PeerId peer_;
  std::string muxer_;
  std::optional<Error> refusal_;  // why the peer's certificate will not do
};

}  // namespace p2pa::tls
