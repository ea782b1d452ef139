#include "protocols/identify/identify.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_writer.hpp"
#include "base/varint.hpp"
#include "identity/peer_record.hpp"

namespace p2pa::identify {

namespace {

/// Of the first message, kept free for its length and the observed address.
constexpr std::size_t kReservedBytes = 256;

/// Takes of `all`, the first ones first, what fits `bytes_left` as fields of a message.
template <class T, class Size>
std::vector<T> fitting(const std::vector<T>& all, std::size_t count_max, std::size_t& bytes_left, Size size) {
  constexpr std::size_t kFieldHead = 3;
  std::vector<T> out;
  for (const T& each : all) {
    if (out.size() == count_max) break;
    if (size(each) + kFieldHead > bytes_left) continue;  // a shorter one behind it may
    bytes_left -= size(each) + kFieldHead;
    out.push_back(each);
  }
  return out;
}

}  // namespace

std::vector<std::string> Identify::protocol_ids() const {
  return {std::string(kIdentifyId), std::string(kPushId)};
}

// --- what we say

void Identify::refresh_local() {
  if (!std::exchange(local_.stale, false)) return;
  if (local_.version == 0) local_.version = 1;
  std::vector<Multiaddr> addresses = context_.addresses();
  for (Multiaddr& address : addresses) address = address.without_peer_id();
  Message message;
  const ByteView key = context_.key.public_key();
  message.public_key.emplace(key.begin(), key.end());
  message.protocol_version = std::string(kProtocolVersion);
  message.agent_version = context_.agent_version.substr(0, kVersionBytesMax);
  // Protocols may take half of the room, addresses what is left of it.
  const std::size_t room = kSentBytesMax - kReservedBytes - encode(message).size();
  std::size_t left = room / 2;
  message.protocols = fitting(context_.protocols(), ~std::size_t{0}, left,
                              [](const std::string& p) { return p.size(); });
  left += room - room / 2;
  message.listen_addresses = fitting(addresses, PeerRecord::kAddressesMax, left,
                                     [](const Multiaddr& a) { return a.bytes().size(); });
  local_.fields = encode(message);
  const PeerRecord record{context_.key.peer_id(), context_.record_sequence + local_.version,
                          std::move(*message.listen_addresses)};
  Message signed_part;
  signed_part.signed_peer_record = record.seal(context_.key);
  local_.record = encode(signed_part);
}

void Identify::tell(Stream& stream) {
  refresh_local();
  Message observed;
  observed.observed_address = stream.connection().remote_address().without_peer_id();
  Bytes first = encode(observed);
  if (first.size() > kReservedBytes / 2) first.clear();
  ByteWriter(first).append(local_.fields);
  Bytes out;
  if (first.size() + local_.record.size() + varint_size(kSentBytesMax) <= kSentBytesMax) {
    ByteWriter(first).append(local_.record);
    wire::append_frame(out, first);
  } else {
    wire::append_frame(out, first);
    wire::append_frame(out, local_.record);
  }
  const auto taken = stream.write(out);
  if (!taken || *taken != out.size()) return stream.reset(wire_code::kStreamResourceLimit);
  stream.finish();
  if (const auto peer = peers_.find(stream.peer()); peer != peers_.end()) {
    peer->second.told = local_.version;
  }
}

void Identify::local_changed(Instant now) {
  local_.stale = true;
  ++local_.version;
  if (push_due_ != kNever) return;
  push_due_ = pushed_once_ ? std::max(now, pushed_ + kPushInterval) : now;
}

void Identify::push_all(Instant now) {
  push_due_ = kNever;
  for (auto& [id, peer] : peers_) {
    if (peer.told == 0 || peer.told == local_.version) continue;  // asks us first, or knows
    if (std::ranges::find(peer.info.protocols, kPushId) == peer.info.protocols.end()) continue;
    OpenStreamOptions options;
    options.may_dial = false;
    context_.opener.open_stream(id, kPushId, *this, 0, options);
    pushed_ = now;
    pushed_once_ = true;
  }
}

// --- what others say

void Identify::on_connected(Instant, Connection& connection) {
  Peer& peer = peers_[connection.peer()];
  peer.info.peer = connection.peer();
  ++peer.connections;
  OpenStreamOptions options;
  options.may_dial = false;
  options.connection = connection.id();
  context_.opener.open_stream(connection.peer(), kIdentifyId, *this, 0, options);
}

void Identify::on_disconnected(Instant, Connection& connection, const Error&) {
  const auto it = peers_.find(connection.peer());
  if (it != peers_.end() && --it->second.connections == 0) peers_.erase(it);
}

void Identify::start_reading(Instant now, Stream& stream, bool push) {
  const std::uint64_t tag = next_tag_++;
  stream.set_tag(tag);
  readings_.try_emplace(tag, Reading{.stream = &stream, .push = push, .message = {}});
  timeouts_.set(tag, now + kTimeout);
}

void Identify::stop_reading(Readings::iterator it) {
  it->second.stream->set_tag(0);
  timeouts_.cancel(it->first);
  readings_.erase(it);
}

Result<bool> Identify::read(Reading& reading) {
  Stream& stream = *reading.stream;
  for (ByteView here = stream.peek(); !here.empty(); here = stream.peek()) {
    const auto step = reading.frames.next(here);
    if (!step) return std::unexpected(step.error());
    if (step->frame) {
      if (++reading.messages > kMessagesMax) {
        return fail(Code::kProtocolViolation, "identify: too many messages", kMessagesMax);
      }
      if (const auto merged = merge(*step->frame, reading.message); !merged) {
        return std::unexpected(merged.error());
      }
    }
    stream.consume(step->consumed);
  }
  if (!stream.at_end()) return false;
  if (reading.frames.partial()) return fail(Code::kTruncated, "identify: the stream ended inside a message");
  if (reading.messages == 0) return fail(Code::kTruncated, "identify: the stream ended without a message");
  return true;
}

Result<void> Identify::check(const PeerId& id, const Message& message, bool push) const {
  if (!message.public_key) {
    if (push) return {};
    return fail(Code::kBadKey, "identify: no public key");
  }
  if (PeerId::from_public_key(*message.public_key) != id) {
    return fail(Code::kPeerIdMismatch, "identify: another peer's key");
  }
  return {};
}

void Identify::adopt(Peer& peer, const Message& message) {
  PeerInfo& info = peer.info;
  if (message.listen_addresses) info.listen_addresses = *message.listen_addresses;
  if (message.protocols) info.protocols = *message.protocols;
  if (message.observed_address) info.observed_address = message.observed_address;
  if (message.protocol_version) info.protocol_version = *message.protocol_version;
  if (message.agent_version) info.agent_version = *message.agent_version;
  if (!message.signed_peer_record) return;
  // A record that is not its own, or older than what it showed before, says nothing.
  auto record = PeerRecord::open_from(info.peer, *message.signed_peer_record);
  if (!record || record->sequence < peer.record_sequence) return;
  peer.record_sequence = record->sequence;
  record->addresses.resize(std::min(record->addresses.size(), kAddressesMax));
  info.listen_addresses = std::move(record->addresses);
}

void Identify::accept(Instant now, const PeerId& id, const Message& message, bool push) {
  const auto it = peers_.find(id);
  if (it == peers_.end() || !check(id, message, push)) return;
  Peer& peer = it->second;
  if (!push) {
    peer.info.listen_addresses.clear();
    peer.info.protocols.clear();
  }
  adopt(peer, message);
  if (peer.told != 0 && peer.told != local_.version && push_due_ == kNever) {
    push_due_ = pushed_once_ ? std::max(now, pushed_ + kPushInterval) : now;
  }
  if (context_.identified) context_.identified(peer.info);
}

/// A leaky bucket in one number: every push uses up kPushInterval of time, from now or from where the
/// others ended, and at most kPushBurst intervals may be used ahead.
bool Identify::take_push(Instant now, Peer& peer) {
  const Instant until = std::max(now, peer.pushes_used_until) + kPushInterval;
  if (until > now + kPushInterval * kPushBurst) return false;
  peer.pushes_used_until = until;
  return true;
}

// --- streams

void Identify::on_stream_open(Instant now, Stream& stream) {
  const bool push = stream.protocol() == kPushId;
  if (stream.outbound() == push) return tell(stream);
  if (push) {
    const auto peer = peers_.find(stream.peer());
    if (peer == peers_.end() || !take_push(now, peer->second)) {
      return stream.reset(wire_code::kStreamRateLimited);
    }
  }
  start_reading(now, stream, push);
}

void Identify::on_stream_failed(Instant, std::uint64_t, const Error&) {}

void Identify::on_readable(Instant now, Stream& stream) {
  const auto it = readings_.find(stream.tag());
  if (it == readings_.end()) {
    while (!stream.peek().empty()) stream.consume(stream.peek().size());
    return;
  }
  const auto done = read(it->second);
  if (done && !*done) return;
  const Reading reading = std::move(it->second);
  stop_reading(it);
  if (!done) return stream.reset(wire_code::kStreamProtocolViolation);
  stream.finish();
  accept(now, stream.peer(), reading.message, reading.push);
}

void Identify::on_stream_closed(Instant, Stream& stream, const Error&) {
  const auto it = readings_.find(stream.tag());
  if (it != readings_.end()) stop_reading(it);
}

Instant Identify::next_deadline() const { return std::min(timeouts_.next(), push_due_); }

void Identify::on_deadline(Instant now) {
  while (const auto tag = timeouts_.pop_due(now)) {
    const auto it = readings_.find(*tag);
    it->second.stream->reset(wire_code::kStreamGarbageCollected);
    stop_reading(it);
  }
  if (push_due_ <= now) push_all(now);
}

}  // namespace p2pa::identify
