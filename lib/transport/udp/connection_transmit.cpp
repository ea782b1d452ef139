// What a session sends: frames into packets, packets into batches.
#include <algorithm>
#include <utility>

#include "transport/udp/connection.hpp"
#include "transport/udp/shared.hpp"

namespace p2pa::udp {
namespace {

constexpr std::size_t kOverhead = kDataHeaderSize + kTagSize;
constexpr std::size_t kBatchBytesMax = 65'507;  // the largest UDP payload over IPv4
constexpr Duration kKeyLifetime = minutes(10);

}  // namespace

bool Connection::transmit(MutableBytes buffer, const TransmitLimits& limits, Transmit& out) {
  if (state_ == ConnectionState::kClosed) return false;
  if (transmit_handshake(buffer, out)) return true;
  if (!keys_) return false;
  if (transmit_path_frame(buffer, out) || transmit_mtu_probe(buffer, out)) return true;
  buffer = buffer.first(std::min(buffer.size(), kBatchBytesMax));
  out = destination(path_, 0);
  for (std::size_t count = 0; count < limits.segments_max; ++count) {
    // The first packet sets the size of all; a shorter one ends the batch.
    const std::size_t most = count == 0 ? mtu_.size() : out.segment_size;
    if (buffer.size() - out.size < most) break;
    const std::size_t size = write_packet(buffer.subspan(out.size, most));
    if (size == 0) break;
    if (count == 0) out.segment_size = size;
    out.size += size;
    if (size < out.segment_size) break;
  }
  return out.size > 0;
}

/// One packet of at most room.size() bytes. 0: there is nothing to send, or not now.
std::size_t Connection::write_packet(MutableBytes room) {
  const bool due = acks_.due_at() <= shared_.now;
  const bool may = may_send(room.size());
  bool ack = acks_.owed();
  PacketBuilder packet(shared_.plain, room.size() - kOverhead, shared_.sent);
  if (ack) packet.add(acks_.frame(shared_.now));
  if (may) fill(packet);
  if (ack && !due && may && !packet.eliciting()) {
    // It is not cut, the datagram behind it, and may be too large beside an acknowledgement: that can wait.
    ack = false;
    packet.take_back();
    fill(packet);
  }
  if (packet.empty() || (!packet.eliciting() && !due)) return 0;
  if (ack) acks_.said();
  return seal(packet, room, false);
}

/// Probes go whatever the window says; what has to wait for its turn is told when that comes.
bool Connection::may_send(std::size_t bytes) {
  if (recovery_.probes_due() > 0) return true;
  if (!pending()) {
    congestion_->idle(recovery_.in_flight());
    return false;
  }
  const std::size_t window = congestion_->window();
  if (recovery_.in_flight() + bytes > window) return false;
  const Duration rtt = rtt_.smoothed();
  const Instant ready = pacer_.ready_at(shared_.now, congestion_->paced_window(rtt), rtt);
  // Without a sample of the round trip there is nothing to spread over.
  if (!rtt_.sampled() || ready <= shared_.now) return true;
  paced_until_ = ready;
  return false;
}

bool Connection::pending() const {
  return ping_due_ || !datagrams_out_.empty() || fec_out_.pending() || messages_out_.pending() ||
         engine_.pending();
}

void Connection::fill(PacketBuilder& packet) {
  if (std::exchange(ping_due_, false)) packet.add(PingFrame{});
  fec_out_.begin(shared_.now, mtu_.size() - kOverhead, rtt_.sampled() ? rtt_.smoothed() : Duration{});
  // Messages go first, but what goes on for ever must not starve the streams.
  packets_before_streams_ = engine_.pending() ? packets_before_streams_ + 1 : 0;
  if (packets_before_streams_ == kPacketsBeforeStreamsMax) {
    packets_before_streams_ = 0;
    engine_.fill(packet);
  }
  fill_repairs(packet);
  while (!datagrams_out_.empty() && packet.room() >= datagrams_out_.front().size() + kDatagramFrameOverhead &&
         streams_.gate().may_send_datagram(datagrams_out_.front().size())) {
    packet.add(DatagramFrame{datagrams_out_.front()});
    streams_.gate().moved_datagram(Direction::kOutbound, datagrams_out_.front().size());
    datagrams_out_.pop(shared_.mux.chunks);
  }
  fill_messages(packet, 0);
  engine_.fill(packet);
  fill_messages(packet, INT8_MIN);
  if (recovery_.probes_due() > 0 && !packet.eliciting()) packet.add(PingFrame{});
}

/// Under the limits of rates a message is as a datagram.
void Connection::fill_messages(PacketBuilder& packet, int priority) {
  const std::size_t room = packet.room();
  if (!messages_out_.pending(priority) || !streams_.gate().may_send_datagram(room)) return;
  messages_out_.fill(packet, priority);
  if (packet.room() < room) streams_.gate().moved_datagram(Direction::kOutbound, room - packet.room());
}

/// Before what is newer: it is for what was sent, and counts as that does.
void Connection::fill_repairs(PacketBuilder& packet) {
  const std::size_t room = packet.room();
  if (!fec_out_.pending() || !streams_.gate().may_send_datagram(room)) return;
  fec_out_.fill_repairs(packet);
  if (packet.room() < room) streams_.gate().moved_datagram(Direction::kOutbound, room - packet.room());
}

/// Nothing else may be in the packet that goes where nobody is proven to be.
bool Connection::transmit_path_frame(MutableBytes buffer, Transmit& out) {
  if (!response_ && !challenge_due_) return false;
  PacketBuilder packet(shared_.plain, MtuProbe::kSizeMin - kOverhead, shared_.sent);
  Path to = path_;
  if (response_) {
    packet.add(PathResponseFrame{*std::exchange(response_, std::nullopt)});
    to = response_path_;
  } else {
    packet.add(PathChallengeFrame{challenge_});
    to = *candidate_;
    challenge_due_ = false;
  }
  out = destination(to, seal(packet, buffer, false));
  return true;
}

bool Connection::transmit_mtu_probe(MutableBytes buffer, Transmit& out) {
  const auto size = mtu_.due();
  if (!confirmed_ || !size || recovery_.timeouts() > 0) return false;
  if (recovery_.in_flight() + *size > congestion_->window()) return false;
  PacketBuilder packet(shared_.plain, *size - kOverhead, shared_.sent);
  packet.add(PingFrame{});
  packet.pad_to(*size - kOverhead);
  mtu_.sent(recovery_.next_number());
  out = destination(path_, seal(packet, buffer, true));
  return true;
}

/// Says how large the packet is.
std::size_t Connection::seal(PacketBuilder& packet, MutableBytes room, bool mtu_probe) {
  packet.pad_to(kDataSizeMin - kOverhead);
  renew_key();
  const std::uint64_t number = recovery_.take_number();
  const std::size_t size = kOverhead + shared_.plain.size();
  keys_->seal(peer_cid_, number, shared_.plain, room.first(size));
  if (packet.eliciting()) {
    SentPacket sent{number, shared_.now, size, mtu_probe, shared_.sent};
    congestion_->sent(sent, recovery_.in_flight());
    recovery_.sent(std::move(sent));
    recovery_.probe_sent();
    pacer_.sent(size, shared_.now, congestion_->paced_window(rtt_.smoothed()), rtt_.smoothed());
  }
  bytes_sent_ += size;
  ++packets_sent_;
  return size;
}

void Connection::renew_key() {
  if (!keys_->worn() && shared_.now - key_since_ < kKeyLifetime) return;
  const auto begin = keys_->phase_begin();
  const auto acknowledged = recovery_.largest_acknowledged();
  if (!begin || !acknowledged || *acknowledged < *begin) return;
  keys_->update();
  key_since_ = shared_.now;
}

Transmit Connection::destination(const Path& path, std::size_t size) const {
  Transmit out;
  out.socket = path.socket;
  out.local = path.local;
  out.remote = path.remote;
  out.size = out.segment_size = size;
  return out;
}

}  // namespace p2pa::udp
