// What a session makes of the packets that come.
#include <algorithm>
#include <utility>

#include "transport/udp/connection.hpp"
#include "transport/udp/shared.hpp"

namespace p2pa::udp {

using Kind = ConnectionEvent::Kind;

/// Hands every frame of a packet to whom it concerns.
class Connection::FrameReader {
 public:
  FrameReader(Connection& connection, Reading& reading) : c_(connection), reading_(reading) {}

  Result<void> operator()(const PaddingFrame&) const { return {}; }
  Result<void> operator()(const PingFrame&) const { return {}; }
  Result<void> operator()(const AckFrame& f) const { return c_.on_ack(f); }
  Result<void> operator()(const CloseFrame& f) const {
    c_.fail({Code::kConnectionClosed, f.code, "the peer closed the connection"});
    return {};
  }
  Result<void> operator()(const ResetFrame& f) const { return c_.engine_.on_reset(f); }
  Result<void> operator()(const StopFrame& f) const { return c_.engine_.on_stop(f); }
  Result<void> operator()(const MaxDataFrame& f) const {
    c_.engine_.on_max_data(f);
    return {};
  }
  Result<void> operator()(const MaxStreamDataFrame& f) const { return c_.engine_.on_max_stream_data(f); }
  Result<void> operator()(const MaxStreamsFrame& f) const {
    c_.engine_.on_max_streams(f);
    return {};
  }
  Result<void> operator()(const PathChallengeFrame& f) const {
    reading_.challenge = f.data;
    return {};
  }
  Result<void> operator()(const PathResponseFrame& f) const {
    c_.on_response_to_challenge(f.data);
    return {};
  }
  Result<void> operator()(const StreamFrame& f) const {
    return keep(c_.engine_.on_stream(f));
  }
  Result<void> operator()(const DatagramFrame& f) const {
    c_.on_datagram(f.bytes);
    return {};
  }
  Result<void> operator()(const MessageFrame& f) const { return keep(c_.on_message(f)); }
  Result<void> operator()(const FecFrame& f) const { return keep(c_.on_fec(f)); }
  Result<void> operator()(const SkipFrame& f) const { return c_.on_skip(f); }

 private:
  Result<void> keep(const Result<bool>& taken) const {
    if (!taken) return std::unexpected(taken.error());
    reading_.taken = reading_.taken && *taken;
    return {};
  }

  Connection& c_;
  Reading& reading_;
};

void Connection::on_data(const InboundDatagram& datagram, ByteView packet) {
  const auto header = decode_data(packet);
  if (!header || state_ == ConnectionState::kClosed) return;
  if (!keys_) {
    const bool kept = !outbound_ && early_.size() < kEarlyPacketsMax && packet.size() <= MtuProbe::kSizeMax;
    if (!kept) return drop(DropCounters::kEarly);
    early_.emplace_back(packet.begin(), packet.end());
    return;
  }
  if (!replay_.fresh(header->number)) return drop(DropCounters::kRepeated);
  const bool phase = keys_->phase();
  const MutableBytes frames = MutableBytes(shared_.opened).first(packet.size() - kDataHeaderSize - kTagSize);
  if (!keys_->open(*header, packet, frames)) return drop(DropCounters::kNotAuthentic);
  replay_.mark(header->number);
  if (keys_->phase() != phase) key_since_ = shared_.now;
  ++packets_received_;
  bytes_received_ += packet.size();
  heard_at_ = shared_.now;
  tidy_soon();
  if (outbound_) confirm();
  const bool newest = !acks_.largest() || header->number > *acks_.largest();
  const auto reading = read_frames(frames);
  if (state_ == ConnectionState::kClosed) return;
  if (!reading) return fail_on_violation(reading.error());
  if (reading->challenge) {
    response_ = reading->challenge;
    response_path_ = {datagram.socket, outbound_ ? IpEndpoint{} : datagram.local, datagram.remote};
  }
  if (reading->taken) acks_.received(header->number, reading->eliciting, shared_.now);
  // One packet of ours for one of theirs, until somebody is proven to be there: the answer to a challenge is it.
  if (newest && datagram.remote != path_.remote && !reading->challenge) on_other_path(datagram);
  engine_.settle();
  streams_.retry_blocked(shared_.now);
  shared_.ready.push(*this);
}

Result<Connection::Reading> Connection::read_frames(ByteView frames) {
  Reading reading;
  fec_in_.begin_packet();
  ByteReader reader(frames);
  while (!reader.at_end()) {
    const auto frame = read_frame(reader);
    if (!frame) return std::unexpected(frame.error());
    reading.eliciting = reading.eliciting || ack_eliciting(*frame);
    if (const auto good = std::visit(FrameReader(*this, reading), *frame); !good) return std::unexpected(good.error());
    if (state_ == ConnectionState::kClosed) break;
  }
  return reading;
}

// --- acknowledgements

Result<void> Connection::on_ack(const AckFrame& ack) {
  const std::size_t in_flight = recovery_.in_flight();
  const auto outcome = recovery_.acknowledged(ack, shared_.now, rtt_);
  if (!outcome) return std::unexpected(outcome.error());
  // A sender that does not use its window learns nothing of the path; twice what is under way is room enough.
  const bool full = 2 * in_flight >= congestion_->window();
  fec_out_.packets_acknowledged(outcome->acknowledged.size());
  for (const SentPacket& packet : outcome->acknowledged) {
    if (mtu_.acknowledged(packet.number)) congestion_->set_packet(mtu_.size());
    congestion_->acknowledged(packet, shared_.now, rtt_, in_flight, full);
    for (const SentFrame& frame : packet.frames) {
      engine_.on_acknowledged(frame);
      messages_out_.on_acknowledged(frame);
    }
  }
  on_lost(outcome->lost);
  if (persistent_congestion(*outcome, rtt_)) congestion_->collapse();
  return {};
}

void Connection::on_lost(const std::vector<SentPacket>& packets) {
  for (const SentPacket& packet : packets) {
    if (packet.probe) {
      static_cast<void>(mtu_.lost(packet.number));
      continue;
    }
    ++packets_lost_;
    fec_out_.packet_lost(packet.number);
    congestion_->lost(packet, shared_.now);
    for (const SentFrame& frame : packet.frames) on_frame_lost(frame);
  }
}

void Connection::on_frame_lost(const SentFrame& frame) {
  engine_.on_lost(frame);
  messages_out_.on_lost(frame);
}

// --- messages

void Connection::on_datagram(ByteView payload) {
  streams_.gate().moved_datagram(Direction::kInbound, payload.size());
  if (!datagrams_in_.push(shared_.mux.chunks, payload)) return;
  shared_.mux.events.push({this, nullptr, Kind::kDatagram, 0});
}

Result<bool> Connection::on_message(const MessageFrame& frame) {
  streams_.gate().moved_datagram(Direction::kInbound, frame.bytes.size());
  return take_message(frame);
}

Result<bool> Connection::take_message(const MessageFrame& frame) {
  const std::size_t before = messages_in_.count();
  const auto taken = messages_in_.on_message(frame);
  tell_messages(before);
  return taken;
}

Result<bool> Connection::on_fec(const FecFrame& frame) {
  streams_.gate().moved_datagram(Direction::kInbound, frame.packet.size());
  if (const auto received = fec_in_.receive(shared_.now, frame.packet); !received) {
    return std::unexpected(received.error());
  }
  bool taken = true;
  while (const auto body = fec_in_.poll()) {
    const auto read = on_body(*body);
    if (!read) return read;
    taken = taken && *read;
  }
  return taken;
}

Result<bool> Connection::on_body(const FecReceiver::Body& body) {
  bool taken = true;
  ByteReader reader(body.bytes);
  do {
    const auto message = read_corrected_message(reader);
    if (!message) return std::unexpected(message.error());
    if (too_late(body, *message)) continue;
    const auto read = take_message(message->message);
    if (!read) return read;
    // What was recovered comes again by itself: its packet is the lost one.
    taken = taken && (*read || body.missed_at != kNever);
  } while (!reader.at_end());
  return taken;
}

/// Half a round trip is what it would have taken.
bool Connection::too_late(const FecReceiver::Body& body, const CorrectedMessage& message) const {
  if (message.ms_left == 0 || body.missed_at == kNever) return false;
  const Duration way = rtt_.sampled() ? rtt_.smoothed() / 2 : Duration{};
  return way + (shared_.now - body.missed_at) > milliseconds(static_cast<std::int64_t>(message.ms_left));
}

Result<void> Connection::on_skip(const SkipFrame& frame) {
  const std::size_t before = messages_in_.count();
  const auto taken = messages_in_.on_skip(frame);
  tell_messages(before);
  return taken;
}

void Connection::tell_messages(std::size_t before) {
  for (; before < messages_in_.count(); ++before) shared_.mux.events.push({this, nullptr, Kind::kMessage, 0});
}

// --- paths

/// Nothing but the challenge goes there until it is answered.
void Connection::on_other_path(const InboundDatagram& datagram) {
  const Path path{datagram.socket, outbound_ ? IpEndpoint{} : datagram.local, datagram.remote};
  if (!candidate_ || candidate_->remote != path.remote) shared_.rng.fill(challenge_);
  candidate_ = path;
  challenge_due_ = true;  // again with every packet from there: one may be lost
}

void Connection::on_response_to_challenge(const Challenge& data) {
  if (!candidate_ || data != challenge_) return;
  path_ = *std::exchange(candidate_, std::nullopt);
  challenge_due_ = false;
  remote_address_ = udp_multiaddr(path_.remote);
  rtt_ = {};
  congestion_ = make_controller(shared_.config.congestion_control, MtuProbe::kSizeMin);
  pacer_ = {};
  mtu_ = {};
  shared_.mux.events.push({this, nullptr, Kind::kPathChanged, 0});
}

}  // namespace p2pa::udp
