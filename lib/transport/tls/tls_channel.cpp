#include "transport/tls/tls_channel.hpp"

#include <gnutls/gnutls.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "crypto/gnutls_datum.hpp"
#include "transport/tls/certificate_key.hpp"

namespace p2pa::tls {
namespace {

constexpr std::string_view kNoMuxer = "libp2p";  // spec: inlined-muxer-negotiation.md: by multistream, then

}  // namespace

/// Nothing may be thrown through GnuTLS, which would leave its own memory behind.
struct TlsChannel::Callbacks {
  static TlsChannel& channel_of(gnutls_session_t session) {
    return *static_cast<TlsChannel*>(gnutls_session_get_ptr(session));
  }

  static int verify(gnutls_session_t session) try {
    TlsChannel& channel = channel_of(session);
    const ByteView certificate = peer_certificate(session);
    if (certificate.empty()) {
      channel.refusal_ = Error{Code::kBadCertificate, 0, "more than one certificate"};
      return GNUTLS_E_CERTIFICATE_ERROR;
    }
    const auto verified = verify_peer(certificate, channel.unix_time_, channel.expected_);
    if (verified) {
      channel.peer_ = verified->peer;
      return 0;
    }
    channel.refusal_ = verified.error();
    return GNUTLS_E_CERTIFICATE_ERROR;
  } catch (const std::bad_alloc&) {
    return GNUTLS_E_MEMORY_ERROR;
  }

  /// The peer's certificate has come, and nothing was computed with its key.
  static int on_certificate(gnutls_session_t session, unsigned, unsigned, unsigned incoming,
                            const gnutls_datum_t* message) try {
    const ByteView bytes(message->data, message->size);
    constexpr std::uint8_t kNone[] = {0, 0, 0, 0};  // RFC 8446 §4.4.2: GnuTLS has the alert for it
    if (incoming == 0 || std::ranges::equal(bytes, kNone)) return 0;
    const auto fine = check_certificate_message(bytes);
    if (fine) return 0;
    channel_of(session).refusal_ = fine.error();
    return GNUTLS_E_CERTIFICATE_ERROR;
  } catch (const std::bad_alloc&) {
    return GNUTLS_E_MEMORY_ERROR;
  }
};

TlsChannel::TlsChannel(gnutls_session_int* session, const Options& options)
    : session_(session), expected_(options.expected), unix_time_(options.unix_time) {
  gnutls_session_set_ptr(session, this);
  gnutls_session_set_verify_function(session, Callbacks::verify);
  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, GNUTLS_HOOK_POST,
                                     Callbacks::on_certificate);
}

std::unique_ptr<TlsChannel> TlsChannel::make(unsigned flags, const Credentials& own, const Options& options) {
  gnutls_session_t session = nullptr;
  if (gnutls_init(&session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS) != 0) return nullptr;
  std::unique_ptr<TlsChannel> out(new TlsChannel(session, options));
  return own.give_to(session) && out->offer(options.muxers) ? std::move(out) : nullptr;
}

std::unique_ptr<TlsChannel> TlsChannel::client(const Credentials& own, const Options& options) {
  // One key share, and our certificate whatever names of authorities the server lists.
  return make(GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP | GNUTLS_FORCE_CLIENT_CERT, own, options);
}

std::unique_ptr<TlsChannel> TlsChannel::server(const Credentials& own, const Options& options) {
  auto out = make(GNUTLS_SERVER, own, options);
  if (out) gnutls_certificate_server_set_request(out->session_.get(), GNUTLS_CERT_REQUIRE);
  return out;
}

bool TlsChannel::offer(std::span<const std::string_view> muxers) {
  P2PA_ASSERT(muxers.size() <= kMuxersMax);
  std::array<gnutls_datum_t, kMuxersMax + 1> names;
  std::ranges::transform(muxers, names.begin(), [](auto name) { return crypto::datum(as_bytes(name)); });
  names[muxers.size()] = crypto::datum(as_bytes(kNoMuxer));
  const auto count = static_cast<unsigned>(muxers.size() + 1);
  return gnutls_alpn_set_protocols(session_.get(), names.data(), count, GNUTLS_ALPN_MANDATORY) == 0;
}

Result<std::size_t> TlsChannel::handshake(ByteView in, Bytes& out) {
  P2PA_ASSERT(!established_);
  auto [code, taken] = session_.handshake(in, out);
  if (code == 0) code = establish();
  if (code == 0 || code == GNUTLS_E_AGAIN) return taken;
  session_.alert(code, out);
  return std::unexpected(refusal_.value_or(session_.error_of(code)));
}

int TlsChannel::establish() {
  if (peer_.empty()) return GNUTLS_E_CERTIFICATE_REQUIRED;
  gnutls_datum_t chosen{};
  if (gnutls_alpn_get_selected_protocol(session_.get(), &chosen) == 0) {
    muxer_ = as_text({chosen.data, chosen.size});
  }
  if (muxer_ == kNoMuxer) muxer_.clear();
  established_ = true;
  session_.on_established();
  return 0;
}

Result<SecureChannel::Progress> TlsChannel::open(ByteView in, MutableBytes out) {
  P2PA_ASSERT(out.size() >= kPlainBytesMax);
  const auto [code, taken, made] = session_.open(in, out);
  if (code != 0 && made == 0) return std::unexpected(session_.error_of(code));
  return Progress{taken, made};
}

std::size_t TlsChannel::seal(ByteView plain, MutableBytes out) {
  P2PA_ASSERT(out.size() >= plain.size() + seal_overhead());
  return session_.seal(plain, out);
}

std::size_t TlsChannel::seal_max() const { return RecordSession::kFragmentMax; }

std::size_t TlsChannel::seal_overhead() const { return RecordSession::kOverheadMax13; }

void TlsChannel::finish(Bytes& out) { session_.close(out); }

}  // namespace p2pa::tls
