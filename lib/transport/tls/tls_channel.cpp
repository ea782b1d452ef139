#include "transport/tls/tls_channel.hpp"

#include <gnutls/gnutls.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "crypto/gnutls_datum.hpp"
#include "transport/tls/certificate_key.hpp"

namespace p2pa::tls {
namespace {

constexpr std::string_view kNoMuxer = "libp2p";  // spec: inlined-muxer-negotiation.md: by multistream, then

// RFC 8446 §5.1, §5.2
constexpr std::size_t kHeaderSize = 5, kFragmentMax = 16'384, kExpansionMax = 256;
constexpr std::uint8_t kTypeFirst = 20, kTypeData = 23, kVersionMajor = 3;
/// What a record of ours adds: its header, the type of its content, the tag of the cipher.
constexpr std::size_t kOverhead = kHeaderSize + 1 + 16;
/// RFC 8446 §4.6.3: it may go out in front of any record.
constexpr std::size_t kKeyUpdateRecord = 4 + 1 + kOverhead;

// RFC 8449: a peer may want smaller records. GnuTLS obeys, but does not tell, and agrees to none smaller than
// this, the type of the content included.
constexpr std::size_t kSmallFragment = 512 - 1;
constexpr std::size_t kRecordsMax = (kFragmentMax + kSmallFragment - 1) / kSmallFragment;

}  // namespace

/// Nothing may be thrown through GnuTLS, which would leave its own memory behind.
struct TlsChannel::Callbacks {
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, std::size_t size) {
    TlsChannel& channel = *static_cast<TlsChannel*>(self);
    if (channel.input_.empty()) {
      gnutls_transport_set_errno(channel.session_, EAGAIN);
      return -1;
    }
    const ByteView part = channel.input_.first(std::min(size, channel.input_.size()));
    std::ranges::copy(part, static_cast<std::uint8_t*>(data));
    channel.input_ = channel.input_.subspan(part.size());
    return static_cast<ssize_t>(part.size());
  }

  static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size) try {
    TlsChannel& channel = *static_cast<TlsChannel*>(self);
    const ByteView made(static_cast<const std::uint8_t*>(data), size);
    if (channel.output_ != nullptr) {
      channel.output_->insert(channel.output_->end(), made.begin(), made.end());
    } else {
      if (made.size() > channel.room_.size()) return refuse(channel);
      std::ranges::copy(made, channel.room_.begin());
      channel.room_ = channel.room_.subspan(made.size());
    }
    return static_cast<ssize_t>(size);
  } catch (const std::bad_alloc&) {
    return refuse(*static_cast<TlsChannel*>(self));
  }

  /// Makes GNUTLS_E_PUSH_ERROR of it.
  static ssize_t refuse(TlsChannel& channel) {
    gnutls_transport_set_errno(channel.session_, ENOMEM);
    return -1;
  }

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
  gnutls_transport_set_ptr(session, this);
  gnutls_transport_set_pull_function(session, Callbacks::pull);
  gnutls_transport_set_push_function(session, Callbacks::push);
  gnutls_session_set_verify_function(session, Callbacks::verify);
  gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_CERTIFICATE_PKT, GNUTLS_HOOK_POST,
                                     Callbacks::on_certificate);
}

TlsChannel::~TlsChannel() { gnutls_deinit(session_); }

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
  if (out) gnutls_certificate_server_set_request(out->session_, GNUTLS_CERT_REQUIRE);
  return out;
}

bool TlsChannel::offer(std::span<const std::string_view> muxers) {
  P2PA_ASSERT(muxers.size() <= kMuxersMax);
  std::array<gnutls_datum_t, kMuxersMax + 1> names;
  std::ranges::transform(muxers, names.begin(), [](auto name) { return crypto::datum(as_bytes(name)); });
  names[muxers.size()] = crypto::datum(as_bytes(kNoMuxer));
  const auto count = static_cast<unsigned>(muxers.size() + 1);
  return gnutls_alpn_set_protocols(session_, names.data(), count, GNUTLS_ALPN_MANDATORY) == 0;
}

/// The size of the record that `in` begins with; 0: it is not complete. Negative, an error of GnuTLS: it is
/// not to be taken. Were GnuTLS to get it in parts, it would keep each in a buffer as large as a record.
std::ptrdiff_t TlsChannel::next_record(ByteView in) const {
  if (in.size() < kHeaderSize) return 0;
  const std::uint8_t lowest = established_ ? kTypeData : kTypeFirst;  // once enciphered, all look like data
  if (in[0] < lowest || in[0] > kTypeData || in[1] != kVersionMajor) return GNUTLS_E_UNEXPECTED_PACKET;
  const std::size_t length = std::size_t{in[3]} << 8 | in[4];
  if (length > kFragmentMax + kExpansionMax) return GNUTLS_E_RECORD_OVERFLOW;
  if (no_data_ + length > kHandshakeBytesMax) return GNUTLS_E_HANDSHAKE_TOO_LARGE;
  return in.size() >= kHeaderSize + length ? static_cast<std::ptrdiff_t>(kHeaderSize + length) : 0;
}

Result<std::size_t> TlsChannel::handshake(ByteView in, Bytes& out) {
  P2PA_ASSERT(!established_);
  output_ = &out;
  std::size_t taken = 0;
  std::ptrdiff_t record = 0;
  int code = 0;
  do {
    const ByteView rest = in.subspan(taken);
    record = next_record(rest);
    input_ = rest.first(record > 0 ? static_cast<std::size_t>(record) : 0);
    taken += input_.size();
    no_data_ += input_.size();
    code = record < 0 ? static_cast<int>(record) : gnutls_handshake(session_);
  } while (code == GNUTLS_E_AGAIN && record > 0);
  if (code == 0) code = establish();
  const bool good = code == 0 || code == GNUTLS_E_AGAIN;
  if (!good && code != GNUTLS_E_SESSION_EOF) gnutls_alert_send_appropriate(session_, code);
  output_ = nullptr;
  if (!good) return failed(code);
  return taken;
}

int TlsChannel::establish() {
  if (peer_.empty()) return GNUTLS_E_CERTIFICATE_REQUIRED;
  gnutls_datum_t chosen{};
  if (gnutls_alpn_get_selected_protocol(session_, &chosen) == 0) muxer_ = as_text({chosen.data, chosen.size});
  if (muxer_ == kNoMuxer) muxer_.clear();
  established_ = true;
  no_data_ = 0;
  return 0;
}

Result<SecureChannel::Progress> TlsChannel::open(ByteView in, MutableBytes out) {
  P2PA_ASSERT(established_ && out.size() >= kPlainBytesMax);
  Progress progress;
  while (end_ == 0 && out.size() - progress.made >= kFragmentMax) {
    const ByteView rest = in.subspan(progress.taken);
    const std::ptrdiff_t record = next_record(rest);
    if (record == 0) break;
    input_ = rest.first(record > 0 ? static_cast<std::size_t>(record) : 0);
    const MutableBytes room = out.subspan(progress.made);
    const ssize_t made = record < 0 ? record : gnutls_record_recv(session_, room.data(), room.size());
    if (made <= 0 && made != GNUTLS_E_AGAIN) {  // which is the answer to a ticket, or to new keys
      end_ = made == 0 ? GNUTLS_E_SESSION_EOF : static_cast<int>(made);
      break;
    }
    progress.taken += static_cast<std::size_t>(record);
    progress.made += made > 0 ? static_cast<std::size_t>(made) : 0;
    no_data_ = made > 0 ? 0 : no_data_ + static_cast<std::size_t>(record);
  }
  if (end_ != 0 && progress.made == 0) return failed(end_);
  return progress;
}

std::size_t TlsChannel::seal(ByteView plain, MutableBytes out) {
  P2PA_ASSERT(established_ && !plain.empty() && plain.size() <= seal_max());
  P2PA_ASSERT(out.size() >= plain.size() + seal_overhead());
  room_ = out;
  while (!plain.empty()) {
    const ssize_t sent = gnutls_record_send(session_, plain.data(), plain.size());
    if (sent == GNUTLS_E_MEMORY_ERROR) throw std::bad_alloc();  // tidy-allow: as a container of ours would
    P2PA_ASSERT(sent > 0);
    plain = plain.subspan(static_cast<std::size_t>(sent));
  }
  return out.size() - std::exchange(room_, {}).size();
}

std::size_t TlsChannel::seal_max() const { return kFragmentMax; }

std::size_t TlsChannel::seal_overhead() const { return kKeyUpdateRecord + kRecordsMax * kOverhead; }

void TlsChannel::finish(Bytes& out) {
  P2PA_ASSERT(established_);
  output_ = &out;
  if (end_ == 0 || end_ == GNUTLS_E_SESSION_EOF) {
    gnutls_bye(session_, GNUTLS_SHUT_WR);
  } else {
    gnutls_alert_send_appropriate(session_, end_);
  }
  output_ = nullptr;
}

std::unexpected<Error> TlsChannel::failed(int code) const {
  if (refusal_) return std::unexpected(*refusal_);
  if (code == GNUTLS_E_SESSION_EOF && established_) {
    return fail(Code::kConnectionClosed, "the peer ended its direction");
  }
  switch (code) {
    case GNUTLS_E_SESSION_EOF:
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
      return fail(Code::kRefused, "the peer's alert", gnutls_alert_get(session_));
    case GNUTLS_E_PUSH_ERROR:
    case GNUTLS_E_MEMORY_ERROR: return fail(Code::kOutOfMemory, "TLS: no memory");
    default:
      return fail(established_ ? Code::kProtocolViolation : Code::kHandshake, "TLS went wrong",
                  static_cast<std::uint64_t>(gnutls_error_to_alert(code, nullptr)));
  }
}

}  // namespace p2pa::tls
