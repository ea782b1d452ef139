#include "transport/noise/noise_channel.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

namespace p2pa::noise {

namespace {

/// spec: connections/inlined-muxer-negotiation.md §multiplexer-negotiation-over-noise. Empty: none.
template <class Initiators, class Responders>
std::string first_in_common(const Initiators& initiators, const Responders& responders) {
  const auto both = std::ranges::find_first_of(initiators, responders);
  return both == std::end(initiators) ? std::string() : std::string(*both);
}

bool usable(std::string_view muxer) { return !muxer.empty() && muxer.size() <= kMuxerBytesMax; }

}  // namespace

NoiseChannel::Handshake::Handshake(bool is_initiator, const Identity& ours, ByteView ephemeral_secret,
                                   const PeerId& whom, std::vector<std::string> our_muxers)
    : initiator(is_initiator),
      identity(ours),
      messages(is_initiator, ours.static_key(), ephemeral_secret),
      expected(whom),
      muxers(std::move(our_muxers)) {}

NoiseChannel::NoiseChannel(bool initiator, const Identity& identity, Rng& rng, const PeerId& expected,
                           std::vector<std::string> muxers) {
  P2PA_ASSERT(muxers.size() <= kMuxersMax && std::ranges::all_of(muxers, usable));
  crypto::X25519Secret ephemeral;
  rng.fill(ephemeral.span());
  handshake_ =
      std::make_unique<Handshake>(initiator, identity, ephemeral.view(), expected, std::move(muxers));
}

Result<std::size_t> NoiseChannel::handshake(ByteView in, Bytes& out) {
  P2PA_ASSERT(state_ == State::kHandshake);
  const auto taken = advance(in, out);
  if (!taken) {
    state_ = State::kFailed;
  } else if (handshake_->messages.done()) {
    handshake_->messages.split(sending_, receiving_);
    state_ = State::kEstablished;
  }
  if (state_ != State::kHandshake) handshake_.reset();
  return taken;
}

const PeerId& NoiseChannel::peer() const {
  P2PA_ASSERT(established());
  return peer_;
}

std::string_view NoiseChannel::muxer() const {
  P2PA_ASSERT(established());
  return muxer_;
}

/// Without its length; nothing as long as it is not complete.
std::optional<ByteView> NoiseChannel::first_message(ByteView in) {
  ByteReader reader(in);
  const auto size = reader.big_endian<std::uint16_t>();
  if (!size) return {};
  const auto message = reader.take(*size);
  if (!message) return {};
  return *message;
}

Result<std::size_t> NoiseChannel::advance(ByteView in, Bytes& out) {
  std::size_t taken = 0;
  while (!handshake_->messages.done()) {
    if (handshake_->messages.our_turn()) {
      if (const auto sent = send_message(out); !sent) return std::unexpected(sent.error());
      continue;
    }
    const auto message = first_message(in.subspan(taken));
    if (!message) break;
    if (const auto received = receive_message(*message); !received) return std::unexpected(received.error());
    taken += kLengthSize + message->size();
  }
  return taken;
}

Result<void> NoiseChannel::send_message(Bytes& out) {
  Handshake& handshake = *handshake_;
  Bytes payload, message;
  if (!handshake.messages.at_first()) {
    payload = encode({handshake.identity.public_key(), handshake.identity.signature(),
                      {handshake.muxers.begin(), handshake.muxers.end()}});
  }
  if (const auto written = handshake.messages.write(payload, message); !written) return written;
  ByteWriter writer(out);
  writer.big_endian(static_cast<std::uint16_t>(message.size()));
  writer.append(message);
  return {};
}

Result<void> NoiseChannel::receive_message(ByteView message) {
  const bool without_payload = handshake_->messages.at_first();
  Bytes payload;
  if (const auto read = handshake_->messages.read(message, payload); !read) return read;
  if (!without_payload) return receive_payload(payload);
  if (!payload.empty()) return fail(Code::kMalformed, "noise: the first message has a payload");
  return {};
}

Result<void> NoiseChannel::receive_payload(ByteView protobuf) {
  const auto payload = decode(protobuf);
  if (!payload) return std::unexpected(payload.error());
  const auto peer =
      verify_identity(payload->identity_key, payload->identity_sig, handshake_->messages.peer_static());
  if (!peer) return std::unexpected(peer.error());
  if (!handshake_->expected.empty() && *peer != handshake_->expected) {
    return fail(Code::kPeerIdMismatch, "noise: the other end is somebody else");
  }
  peer_ = *peer;
  return choose_muxer(payload->muxers);
}

Result<void> NoiseChannel::choose_muxer(const std::vector<std::string_view>& theirs) {
  std::vector<std::string>& ours = handshake_->muxers;
  if (ours.empty() || theirs.empty()) return {};
  muxer_ = handshake_->initiator ? first_in_common(ours, theirs) : first_in_common(theirs, ours);
  if (muxer_.empty()) return fail(Code::kHandshake, "noise: no muxer in common");
  // An initiator may name the chosen one alone, and then a responder that goes by its own order, as some
  // do, comes to the same.
  if (handshake_->initiator) ours = {muxer_};
  return {};
}

Result<SecureChannel::Progress> NoiseChannel::open(ByteView in, MutableBytes out) {
  P2PA_ASSERT(established() && out.size() >= kPlainBytesMax);
  Progress progress;
  while (const auto message = first_message(in.subspan(progress.taken))) {
    const MutableBytes room = out.subspan(progress.made);
    if (message->size() > room.size() + kTagSize) break;
    const auto made = open_message(*message, room);
    if (!made && progress.taken == 0) return std::unexpected(made.error());
    if (!made) break;
    progress.taken += kLengthSize + message->size();
    progress.made += *made;
  }
  return progress;
}

Result<std::size_t> NoiseChannel::open_message(ByteView message, MutableBytes out) {
  if (message.size() < kTagSize) return fail(Code::kProtocolViolation, "noise: a message without its tag");
  const std::size_t size = message.size() - kTagSize;
  if (const auto opened = receiving_.open({}, message, out.first(size)); !opened) {
    return std::unexpected(opened.error());
  }
  return size;
}

std::size_t NoiseChannel::seal(ByteView plain, MutableBytes out) {
  P2PA_ASSERT(established() && plain.size() <= seal_max() && out.size() >= plain.size() + seal_overhead());
  const std::size_t size = plain.size() + kTagSize;
  out[0] = static_cast<std::uint8_t>(size >> 8);
  out[1] = static_cast<std::uint8_t>(size);
  sending_.seal({}, plain, out.subspan(kLengthSize, size));
  return kLengthSize + size;
}

/// Noise has no such notice: the end of the byte stream is all there is (spec: noise/README.md).
void NoiseChannel::finish(Bytes&) {}

}  // namespace p2pa::noise
