#include "transport/tls/web_layer.hpp"

#include <gnutls/gnutls.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "base/assert.hpp"
#include "crypto/gnutls_datum.hpp"
#include "transport/tls/certificate_key.hpp"

namespace p2pa::tls {
namespace {

constexpr std::string_view kAlpn = "http/1.1";  // RFC 7301 §6

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Of what can be said in SNI (RFC 6066 §3). An address is no name: only IPv4 ends in a number.
bool is_name(std::string_view host) {
  constexpr std::size_t kNameMax = 253;  // RFC 1035 §2.3.4, as text
  const bool plain = std::ranges::all_of(host, [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || is_digit(c) || c == '.' || c == '-' || c == '_';
  });
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return plain && host.size() <= kNameMax && !std::ranges::all_of(last, is_digit);
}

}  // namespace

/// Nothing may be thrown through GnuTLS.
struct WebLayer::Callbacks {
  static int refuse(gnutls_session_t session, const Error& why) {
    const Error refusal{Code::kBadCertificate, 0, why.why};
    static_cast<WebLayer*>(gnutls_session_get_ptr(session))->refusal_ = refusal;
    return GNUTLS_E_CERTIFICATE_ERROR;
  }

  static int verify(gnutls_session_t session) try {
    const ClientOptions& client = static_cast<WebLayer*>(gnutls_session_get_ptr(session))->client_;
    const auto fine = client.trust->verify(session, client.host, client.unix_time);
    return fine ? 0 : refuse(session, fine.error());
  } catch (const std::bad_alloc&) {
    return GNUTLS_E_MEMORY_ERROR;
  }

  /// The server's certificate has come, and nothing was computed with its key.
  static int on_certificate(gnutls_session_t session, unsigned, unsigned, unsigned incoming,
                            const gnutls_datum_t* message) try {
    if (incoming == 0) return 0;
    const ByteView bytes(message->data, message->size);
    const bool is_13 = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
    const auto certificate = is_13 ? first_certificate(bytes) : first_certificate_12(bytes);
    if (!certificate) return refuse(session, certificate.error());
    const auto fine = check_certificate_key(*certificate);
    return fine ? 0 : refuse(session, fine.error());
  } catch (const std::bad_alloc&) {
    return GNUTLS_E_MEMORY_ERROR;
  }
};

WebLayer::WebLayer(gnutls_session_int* session, ClientOptions options,
                   std::shared_ptr<const WebCredentials> own)
    : client_(std::move(options)), own_(std::move(own)), session_(session) {
  gnutls_session_set_ptr(session, this);
}

std::unique_ptr<WebLayer> WebLayer::make(unsigned flags, ClientOptions options,
                                         std::shared_ptr<const WebCredentials> own) {
  gnutls_session_t session = nullptr;
  if (gnutls_init(&session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS) != 0) return nullptr;
  std::unique_ptr<WebLayer> out(new WebLayer(session, std::move(options), std::move(own)));
  return out->prepare() ? std::move(out) : nullptr;
}

std::unique_ptr<WebLayer> WebLayer::client(ClientOptions options) {
  P2PA_ASSERT(options.trust != nullptr);
  return make(GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP, std::move(options), nullptr);
}

std::unique_ptr<WebLayer> WebLayer::server(std::shared_ptr<const WebCredentials> own) {
  P2PA_ASSERT(own != nullptr);
  return make(GNUTLS_SERVER, {}, std::move(own));
}

bool WebLayer::prepare() {
  gnutls_session_int* const session = session_.get();
  const bool is_server = own_ != nullptr;
  if (!(is_server ? own_->give_to(session) : client_.trust->give_to(session))) return false;
  const gnutls_datum_t name = crypto::datum(as_bytes(kAlpn));
  if (gnutls_alpn_set_protocols(session, &name, 1, is_server ? GNUTLS_ALPN_MANDATORY : 0) != 0) return false;
  if (is_server) return true;
  gnutls_session_set_verify_function(session, Callbacks::verify);
  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, GNUTLS_HOOK_POST,
                                     Callbacks::on_certificate);
  const std::string& host = client_.host;
  return !is_name(host) || gnutls_server_name_set(session, GNUTLS_NAME_DNS, host.data(), host.size()) == 0;
}

Result<void> WebLayer::begin(Bytes& down) {
  if (own_ != nullptr) return {};
  const auto done = shake_hands({}, down);
  return done ? Result<void>() : std::unexpected(done.error());
}

Result<void> WebLayer::receive(ByteView bytes, Bytes& up, Bytes& down) {
  if (!partial_.empty()) {
    partial_.insert(partial_.end(), bytes.begin(), bytes.end());
    bytes = partial_;
  }
  if (!open_) {
    const auto taken = shake_hands(bytes, down);
    if (!taken) return std::unexpected(taken.error());
    bytes = bytes.subspan(*taken);
  }
  if (open_ && !bytes.empty()) {
    const auto taken = read(bytes, up, down);
    if (!taken) return std::unexpected(taken.error());
    bytes = bytes.subspan(*taken);
  }
  partial_ = Bytes(bytes.begin(), bytes.end());
  return {};
}

Result<std::size_t> WebLayer::shake_hands(ByteView bytes, Bytes& down) {
  const auto [code, taken] = session_.handshake(bytes, down);
  if (code == 0) {
    session_.on_established();
    open_ = true;
  }
  if (code == 0 || code == GNUTLS_E_AGAIN) return taken;
  session_.alert(code, down);
  return std::unexpected(refusal_.value_or(session_.error_of(code)));
}

Result<std::size_t> WebLayer::read(ByteView bytes, Bytes& up, Bytes& down) {
  const std::size_t before = up.size();
  up.resize(before + bytes.size() + RecordSession::kFragmentMax);  // room for all, and to see the end of it
  const auto [code, taken, made] = session_.open(bytes, MutableBytes(up).subspan(before));
  up.resize(before + made);
  if (code == 0) return taken;
  const Error error = session_.error_of(code);
  if (error.code != Code::kConnectionClosed) finish(down);
  return std::unexpected(error);
}

void WebLayer::send(ByteView bytes, Bytes& down) {
  P2PA_ASSERT(open_);
  while (!bytes.empty() && !finished_) {
    const ByteView part = bytes.first(std::min(bytes.size(), RecordSession::kFragmentMax));
    const std::size_t before = down.size();
    down.resize(before + part.size() + RecordSession::kOverheadMax);
    const std::size_t made = session_.seal(part, MutableBytes(down).subspan(before));
    down.resize(before + made);
    bytes = bytes.subspan(part.size());
  }
}

void WebLayer::finish(Bytes& down) {
  if (open_ && !std::exchange(finished_, true)) session_.close(down);
}

}  // namespace p2pa::tls
