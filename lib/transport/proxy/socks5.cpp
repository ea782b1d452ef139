#include "transport/proxy/socks5.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"

namespace p2pa::proxy {

namespace {

constexpr std::uint8_t kVersion = 5;
constexpr std::uint8_t kPasswordVersion = 1;  // RFC 1929 §2

enum Method : std::uint8_t { kNoAuthentication = 0, kPassword = 2, kNoneAcceptable = 0xff };
enum AddressType : std::uint8_t { kIp4 = 1, kName = 3, kIp6 = 4 };

constexpr std::uint8_t kConnect = 1;

void append_counted(ByteWriter& writer, const std::string& text) {
  writer.u8(static_cast<std::uint8_t>(text.size()));
  writer.append(text);
}

/// RFC 1928 §6.
const char* why_refused(std::uint8_t reply) {
  switch (reply) {
    case 1: return "socks proxy: failed";
    case 2: return "socks proxy: its rules forbid to connect there";
    case 3: return "socks proxy: cannot reach the network";
    case 4: return "socks proxy: cannot reach the host";
    case 5: return "socks proxy: the host refuses the connection";
    case 6: return "socks proxy: got no answer from there in time";
    case 7: return "socks proxy: does not do CONNECT";
    case 8: return "socks proxy: does not know this type of address";
    default: return "socks proxy: refuses, for a reason of its own";
  }
}

}  // namespace

Socks5::Socks5(HostPort target, std::optional<Credentials> credentials)
    : target_(std::move(target)), credentials_(std::move(credentials)) {
  P2PA_ASSERT(!credentials_ || credentials_->fit_socks());
}

Result<void> Socks5::begin(Bytes& down) {
  ByteWriter writer(down);
  writer.u8(kVersion);
  writer.u8(credentials_ ? 2 : 1);
  writer.u8(kNoAuthentication);
  if (credentials_) writer.u8(kPassword);
  return {};
}

Result<std::size_t> Socks5::greet(ByteView bytes, Bytes& down) {
  const ByteView piece = bytes.first(std::min(wanted_ - answer_.size(), bytes.size()));
  answer_.insert(answer_.end(), piece.begin(), piece.end());
  if (answer_.size() == wanted_) {
    if (const auto advanced = advance(down); !advanced) return std::unexpected(advanced.error());
  }
  return piece.size();
}

Result<void> Socks5::advance(Bytes& down) {
  switch (state_) {
    case State::kMethod: return take_method(down);
    case State::kStatus: return take_status(down);
    case State::kReply: break;
  }
  return take_reply();
}

void Socks5::await(State state, std::size_t bytes) {
  state_ = state;
  wanted_ = bytes;
  answer_.clear();
}

/// RFC 1928 §3.
Result<void> Socks5::take_method(Bytes& down) {
  if (answer_[0] != kVersion) return fail(Code::kMalformed, "socks proxy: the answer is not SOCKS 5");
  const std::uint8_t method = answer_[1];
  if (method == kNoneAcceptable && credentials_) {
    return fail(Code::kRefused, "socks proxy: takes neither nobody nor user and password", method);
  }
  if (method == kNoneAcceptable) return fail(Code::kRefused, "socks proxy: wants credentials", method);
  if (method == kNoAuthentication) {
    ask(down);
    await(State::kReply, 4);
    return {};
  }
  if (method != kPassword || !credentials_) {
    return fail(Code::kProtocolViolation, "socks proxy: chooses a method that was not offered", method);
  }
  say_credentials(down);
  await(State::kStatus, 2);
  return {};
}

/// RFC 1929 §2.
Result<void> Socks5::take_status(Bytes& down) {
  if (answer_[0] != kPasswordVersion) return fail(Code::kMalformed, "socks proxy: not a status");
  const std::uint8_t status = answer_[1];
  if (status != 0) return fail(Code::kRefused, "socks proxy: does not take user and password", status);
  ask(down);
  await(State::kReply, 4);
  return {};
}

/// RFC 1928 §6: version, reply, a zero, and an address that is of no use for us. Its size is known when its
/// type is or, of a name, the byte behind that.
Result<void> Socks5::take_reply() {
  constexpr std::size_t kHead = 4, kPort = 2;
  if (answer_[0] != kVersion) return fail(Code::kMalformed, "socks proxy: the reply is not SOCKS 5");
  const std::uint8_t reply = answer_[1];
  if (reply != 0) return fail(Code::kRefused, why_refused(reply), reply);
  if (answer_[2] != 0) return fail(Code::kMalformed, "socks proxy: what is reserved is not zero");
  switch (answer_[3]) {
    case kIp4: wanted_ = kHead + 4 + kPort; break;
    case kIp6: wanted_ = kHead + 16 + kPort; break;
    case kName: wanted_ = kHead + 1 + (answer_.size() > kHead ? answer_[kHead] + kPort : 0); break;
    default: return fail(Code::kMalformed, "socks proxy: not a type of address", answer_[3]);
  }
  P2PA_ASSERT(wanted_ <= kAnswerMax);
  if (answer_.size() == wanted_) granted();
  return {};
}

void Socks5::say_credentials(Bytes& down) const {
  ByteWriter writer(down);
  writer.u8(kPasswordVersion);
  append_counted(writer, credentials_->user);
  append_counted(writer, credentials_->password);
}

/// RFC 1928 §4.
void Socks5::ask(Bytes& down) const {
  ByteWriter writer(down);
  writer.u8(kVersion);
  writer.u8(kConnect);
  writer.u8(0);
  if (const auto& ip = target_.ip()) {
    writer.u8(ip->v6 ? kIp6 : kIp4);
    writer.append(ByteView(ip->bytes).first(ip->v6 ? 16 : 4));
  } else {
    writer.u8(kName);
    append_counted(writer, target_.host());
  }
  writer.big_endian(target_.port());
}

}  // namespace p2pa::proxy
