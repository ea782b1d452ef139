#include "transport/tls/record_session.hpp"

#include <gnutls/gnutls.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/assert.hpp"

namespace p2pa::tls {
namespace {

// RFC 8446 §5.1, §5.2
constexpr std::size_t kHeaderSize = 5, kExpansionMax = 256;
constexpr std::uint8_t kTypeFirst = 20, kTypeData = 23, kVersionMajor = 3;
/// What a record of ours adds: its header, the type of its content, the tag of the cipher; in TLS 1.2 its
/// nonce instead of the type (RFC 5288 §3).
constexpr std::size_t kOverhead13 = kHeaderSize + 1 + 16, kOverhead12 = kHeaderSize + 8 + 16;
/// RFC 8446 §4.6.3: it may go out in front of any record.
constexpr std::size_t kKeyUpdateRecord = 4 + 1 + kOverhead13;

// RFC 8449: a peer may want smaller records. GnuTLS obeys, but does not tell, and agrees to none smaller than
// this, the type of the content included.
constexpr std::size_t kSmallFragment = 512 - 1;
constexpr std::size_t kRecordsMax = (RecordSession::kFragmentMax + kSmallFragment - 1) / kSmallFragment;
static_assert(kKeyUpdateRecord + kRecordsMax * kOverhead13 <= RecordSession::kOverheadMax13);
static_assert(kRecordsMax * kOverhead12 <= RecordSession::kOverheadMax);

}  // namespace

/// Nothing may be thrown through GnuTLS, which would leave its own memory behind.
struct RecordSession::Callbacks {
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, std::size_t size) {
    RecordSession& session = *static_cast<RecordSession*>(self);
    if (session.input_.empty()) {
      gnutls_transport_set_errno(session.session_, EAGAIN);
      return -1;
    }
    const ByteView part = session.input_.first(std::min(size, session.input_.size()));
    std::ranges::copy(part, static_cast<std::uint8_t*>(data));
    session.input_ = session.input_.subspan(part.size());
    return static_cast<ssize_t>(part.size());
  }

  static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size) try {
    RecordSession& session = *static_cast<RecordSession*>(self);
    const ByteView made(static_cast<const std::uint8_t*>(data), size);
    if (session.output_ != nullptr) {
      session.output_->insert(session.output_->end(), made.begin(), made.end());
    } else {
      if (made.size() > session.room_.size()) return refuse(session);
      std::ranges::copy(made, session.room_.begin());
      session.room_ = session.room_.subspan(made.size());
    }
    return static_cast<ssize_t>(size);
  } catch (const std::bad_alloc&) {
    return refuse(*static_cast<RecordSession*>(self));
  }

  /// Makes GNUTLS_E_PUSH_ERROR of it.
  static ssize_t refuse(RecordSession& session) {
    gnutls_transport_set_errno(session.session_, ENOMEM);
    return -1;
  }
};

RecordSession::RecordSession(gnutls_session_int* session) : session_(session), lowest_type_(kTypeFirst) {
  gnutls_transport_set_ptr(session, this);
  gnutls_transport_set_pull_function(session, Callbacks::pull);
  gnutls_transport_set_push_function(session, Callbacks::push);
}

RecordSession::~RecordSession() { gnutls_deinit(session_); }

/// The size of the record that `in` begins with; 0: it is not complete. Negative, an error of GnuTLS: it is
/// not to be taken. Were GnuTLS to get it in parts, it would keep each in a buffer as large as a record.
std::ptrdiff_t RecordSession::next_record(ByteView in) const {
  if (in.size() < kHeaderSize) return 0;
  if (in[0] < lowest_type_ || in[0] > kTypeData || in[1] != kVersionMajor) return GNUTLS_E_UNEXPECTED_PACKET;
  const std::size_t length = std::size_t{in[3]} << 8 | in[4];
  if (length > kFragmentMax + kExpansionMax) return GNUTLS_E_RECORD_OVERFLOW;
  if (no_data_ + length > kHandshakeBytesMax) return GNUTLS_E_HANDSHAKE_TOO_LARGE;
  return in.size() >= kHeaderSize + length ? static_cast<std::ptrdiff_t>(kHeaderSize + length) : 0;
}

RecordSession::Step RecordSession::handshake(ByteView in, Bytes& out) {
  P2PA_ASSERT(!established_);
  output_ = &out;
  Step step;
  std::ptrdiff_t record = 0;
  do {
    const ByteView rest = in.subspan(step.taken);
    record = next_record(rest);
    input_ = rest.first(record > 0 ? static_cast<std::size_t>(record) : 0);
    step.taken += input_.size();
    no_data_ += input_.size();
    step.code = record < 0 ? static_cast<int>(record) : gnutls_handshake(session_);
  } while (step.code == GNUTLS_E_AGAIN && record > 0);
  output_ = nullptr;
  return step;
}

void RecordSession::alert(int code, Bytes& out) {
  if (code == GNUTLS_E_SESSION_EOF) return;
  output_ = &out;
  gnutls_alert_send_appropriate(session_, code);
  output_ = nullptr;
}

void RecordSession::on_established() {
  established_ = true;
  no_data_ = 0;
  // Once TLS 1.3 enciphers, all look like data.
  if (gnutls_protocol_get_version(session_) == GNUTLS_TLS1_3) lowest_type_ = kTypeData;
}

RecordSession::Progress RecordSession::open(ByteView in, MutableBytes out) {
  P2PA_ASSERT(established_ && out.size() >= kFragmentMax);
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
  progress.code = end_;
  return progress;
}

std::size_t RecordSession::seal(ByteView plain, MutableBytes out) {
  P2PA_ASSERT(established_ && !plain.empty() && plain.size() <= kFragmentMax);
  room_ = out;
  while (!plain.empty()) {
    const ssize_t sent = gnutls_record_send(session_, plain.data(), plain.size());
    if (sent == GNUTLS_E_MEMORY_ERROR) throw std::bad_alloc();  // tidy-allow: as a container of ours would
    P2PA_ASSERT(sent > 0);
    plain = plain.subspan(static_cast<std::size_t>(sent));
  }
  return out.size() - std::exchange(room_, {}).size();
}

void RecordSession::close(Bytes& out) {
  P2PA_ASSERT(established_);
  if (end_ != 0 && end_ != GNUTLS_E_SESSION_EOF) return alert(end_, out);
  output_ = &out;
  gnutls_bye(session_, GNUTLS_SHUT_WR);
  output_ = nullptr;
}

Error RecordSession::error_of(int code) const {
  if (code == GNUTLS_E_SESSION_EOF && established_) {
    return fail(Code::kConnectionClosed, "the peer ended its direction").error();
  }
  switch (code) {
    case GNUTLS_E_SESSION_EOF:
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
      return fail(Code::kRefused, "the peer's alert", gnutls_alert_get(session_)).error();
    case GNUTLS_E_PUSH_ERROR:
    case GNUTLS_E_MEMORY_ERROR: return fail(Code::kOutOfMemory, "TLS: no memory").error();
    default:
      return fail(established_ ? Code::kProtocolViolation : Code::kHandshake, "TLS went wrong",
                  static_cast<std::uint64_t>(gnutls_error_to_alert(code, nullptr)))
          .error();
  }
}

}  // namespace p2pa::tls
