#include "transport/udp/handshake.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"

namespace p2pa::udp {

Handshake::Handshake(bool dialer, const noise::Identity& identity, ByteView ephemeral_secret, Cid dialer_id,
                     const PeerId& expected, const Parameters& ours)
    : dialer_(dialer), identity_(identity), dialer_id_(dialer_id), expected_(expected), ours_(ours) {
  std::ranges::copy(ephemeral_secret, ephemeral_.span().begin());
  if (dialer_) begin();
}

/// From the start, with the same keys: what was sent before holds still.
void Handshake::begin() {
  Bytes prologue;
  ByteWriter writer(prologue);
  writer.append("/p2pagents/udp/1");
  writer.big_endian(dialer_id_);
  noise_.emplace(dialer_, identity_.static_key(), ephemeral_.view(), prologue);
  if (!dialer_) return;
  first_.clear();
  const bool written = noise_->write({}, first_).has_value();
  P2PA_ASSERT(written && first_.size() == kFirstMessageSize);
}

Bytes Handshake::payload() const {
  return encode(HandshakePayload{{identity_.public_key(), identity_.signature(), {}}, ours_});
}

Result<Bytes> Handshake::answer_first(ByteView message) {
  P2PA_ASSERT(!dialer_);
  first_.assign(message.begin(), message.end());
  begin();
  Bytes empty, second;
  if (const auto read = noise_->read(first_, empty); !read) return std::unexpected(read.error());
  if (!empty.empty()) return fail(Code::kMalformed, "udp: message 1 has a payload");
  if (const auto written = noise_->write(payload(), second); !written) return std::unexpected(written.error());
  return second;
}

Result<Bytes> Handshake::answer_second(ByteView message) {
  P2PA_ASSERT(dialer_);
  Bytes theirs, third;
  if (!noise_->read(message, theirs)) {
    begin();
    return Bytes{};
  }
  if (const auto good = take_payload(theirs); !good) return std::unexpected(good.error());
  if (const auto written = noise_->write(payload(), third); !written) return std::unexpected(written.error());
  return third;
}

Result<bool> Handshake::take_third(ByteView message) {
  P2PA_ASSERT(!dialer_);
  Bytes theirs;
  if (!noise_->read(message, theirs)) {
    const Bytes first = first_;
    const bool again = answer_first(first).has_value();
    P2PA_ASSERT(again);
    return false;
  }
  if (const auto good = take_payload(theirs); !good) return std::unexpected(good.error());
  return true;
}

Result<void> Handshake::take_payload(ByteView payload) {
  const auto decoded = decode_handshake(payload);
  if (!decoded) return std::unexpected(decoded.error());
  const auto peer = noise::verify_identity(decoded->identity.identity_key, decoded->identity.identity_sig,
                                           noise_->peer_static());
  if (!peer) return std::unexpected(peer.error());
  if (!expected_.empty() && *peer != expected_) {
    return fail(Code::kPeerIdMismatch, "udp: the other end is somebody else");
  }
  peer_ = *peer;
  theirs_ = decoded->parameters;
  return {};
}

}  // namespace p2pa::udp
