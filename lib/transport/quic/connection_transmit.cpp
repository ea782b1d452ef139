// What a connection sends: frames into packets, packets into batches.
#include <algorithm>
#include <array>
#include <utility>

#include "transport/quic/connection.hpp"
#include "transport/quic/handshake.hpp"
#include "transport/quic/path.hpp"
#include "transport/quic/shared.hpp"

namespace p2pa::quic {
namespace {

// The largest UDP payload over IPv4; a batch that the system splits may not be larger either.
constexpr std::size_t kBatchBytesMax = 65'507;
// RFC 9002 §7.7: bursts up to the initial window need no pacing.
constexpr std::size_t kBurstBytesMax = 14'720;
// As many as the largest packet has, and one that another packet began.
constexpr std::size_t kPiecesMax = PacketSize::kHost / mux::Chunk::kCapacity + 2;
constexpr Duration kSilence = seconds(1);
// A packet of at least this, with nothing new of any stream, repeats what was lost; acknowledgements, credit and
// pings are smaller.
constexpr std::size_t kRepeatedBytesMin = 256;

}  // namespace

struct Connection::Packet {
  ngtcp2_path_storage path;
  ngtcp2_pkt_info info;
  ngtcp2_tstamp now;
  // What it carries for the first time, and where the last of that is.
  std::size_t fresh;
  std::int64_t stream;
  std::uint64_t end;
};

bool Connection::transmit(MutableBytes buffer, const TransmitLimits& limits, Transmit& out) {
  if (engine_ == nullptr) return false;
  if (fill(buffer, limits, out)) return true;
  // All that somebody waits for has left: now there is time for what only the next dial needs.
  if (engine_ == nullptr || !handshake_ || !handshake_->send_ticket()) return false;
  release_handshake_when_done();
  return fill(buffer, limits, out);
}

bool Connection::fill(MutableBytes buffer, const TransmitLimits& limits, Transmit& out) {
  buffer = buffer.first(std::min(buffer.size(), kBatchBytesMax));
  Packet packet{};
  ngtcp2_path_storage_zero(&packet.path);
  packet.now = static_cast<ngtcp2_tstamp>(shared_.now.ns);

  if (shared_.now - heard_at_ > kSilence) packet_size_.silence();
  const std::size_t window = packet_size_.by_engine() ? 0 : compat::info_of(engine_).cwnd;

  if (probe_due_) force_ping();
  out.size = 0;
  for (std::size_t count = 0; count < limits.segments_max; ++count) {
    // The first packet sets the size of all; a shorter one ends the batch.
    MutableBytes room = buffer.subspan(out.size);
    if (count > 0) {
      if (room.size() < out.segment_size) break;
      room = room.first(out.segment_size);
    }
    if (!packet_size_.by_engine()) room = room.first(std::min(room.size(), packet_size_.limit(window)));
    packet.fresh = 0;
    const std::int64_t n = write_packet(room, packet);
    if (n < 0) {
      end_by_engine(static_cast<int>(n));
      break;
    }
    if (n == 0) break;
    const auto size = static_cast<std::size_t>(n);
    ++packets_sent_;
    if (established() && packet.fresh == 0 && size >= kRepeatedBytesMin) ++packets_repeated_;
    packet_size_.made(size, packet.fresh, packet.stream, packet.end);
    const Transmit to = destination(packet.path.path, packet.info.ecn);
    if (count == 0) {
      out = to;
      out.segment_size = size;
    } else if (to.remote != out.remote || to.socket != out.socket || to.ecn != out.ecn) {
      shared_.outbox.push(to, room.first(size));  // a probe of another path
      bytes_sent_ += size;
      break;
    }
    out.size += size;
    if (size < out.segment_size) break;
  }
  if (std::exchange(probe_due_, false) && engine_ != nullptr) keep_alive();
  if (out.size == 0) return false;
  bytes_sent_ += out.size;
  if (engine_ != nullptr) pace(out.size);
  return true;
}

/// One packet: datagrams first, then the streams in turn, as many as fit. 0: nothing to send, or not
/// now. Negative: the engine's error.
std::int64_t Connection::write_packet(MutableBytes dest, Packet& packet) {
  // The engine says WRITE_MORE as long as the packet has room for another frame.
  while (!datagrams_out_.empty() && room_for_datagrams() &&
         streams_.gate().may_send_datagram(datagrams_out_.front().size())) {
    const std::int64_t n = write_datagram_frame(dest, packet);
    if (n != NGTCP2_ERR_WRITE_MORE) return n;
  }
  while (mux::StreamState* stream = streams_.next_to_send()) {
    if (ngtcp2_conn_get_max_data_left(engine_) == 0 && stream->send.unsent_size() > 0) break;
    const std::int64_t n = write_stream_frame(dest, packet, *stream);
    if (n != NGTCP2_ERR_WRITE_MORE) return n;
  }
  return ngtcp2_conn_writev_stream(engine_, &packet.path.path, &packet.info, dest.data(), dest.size(), nullptr,
                                   NGTCP2_WRITE_STREAM_FLAG_NONE, -1, nullptr, 0, packet.now);
}

/// They leave the last packet of the congestion window to what the engine knows to repeat.
bool Connection::room_for_datagrams() {
  const bool room = ngtcp2_conn_get_cwnd_left(engine_) >= 2 * packet_bytes_max();
  if (room) {
    datagrams_stuck_at_ = kNever;
  } else if (datagrams_stuck_at_ == kNever) {
    datagrams_stuck_at_ = shared_.now + Duration{static_cast<std::int64_t>(ngtcp2_conn_get_pto(engine_))};
  }
  return room;
}

std::int64_t Connection::write_datagram_frame(MutableBytes dest, Packet& packet) {
  const ByteView payload = datagrams_out_.front();
  const ngtcp2_vec piece{const_cast<std::uint8_t*>(payload.data()), payload.size()};
  int accepted = 0;
  const ngtcp2_ssize n = ngtcp2_conn_writev_datagram(engine_, &packet.path.path, &packet.info, dest.data(),
                                                     dest.size(), &accepted, NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0,
                                                     &piece, payload.empty() ? 0 : 1, packet.now);
  const bool unsendable = n == NGTCP2_ERR_INVALID_ARGUMENT || n == NGTCP2_ERR_INVALID_STATE;
  if (accepted != 0) {
    packet.fresh += payload.size();
    streams_.gate().moved_datagram(Direction::kOutbound, payload.size());
  }
  if (accepted != 0 || unsendable) datagrams_out_.pop(shared_.mux.chunks);
  return unsendable ? NGTCP2_ERR_WRITE_MORE : n;
}

std::int64_t Connection::write_stream_frame(MutableBytes dest, Packet& packet, mux::StreamState& stream) {
  std::array<ByteView, kPiecesMax> pieces;
  std::array<ngtcp2_vec, kPiecesMax> vectors;
  const std::size_t there = stream.send.unsent(pieces), most = streams_.sendable(stream);
  std::size_t count = 0, offered = 0;
  for (; count < there && offered < most; ++count) {
    const ByteView piece = pieces[count].first(std::min(pieces[count].size(), most - offered));
    vectors[count] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
    offered += piece.size();
  }
  const bool last = stream.sending == mux::SendState::kFinishing && offered == stream.send.unsent_size();
  std::uint32_t flags = last ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE;
  if (streams_.others_to_send()) flags |= NGTCP2_WRITE_STREAM_FLAG_MORE;
  ngtcp2_ssize taken = -1;
  const ngtcp2_ssize n =
      ngtcp2_conn_writev_stream(engine_, &packet.path.path, &packet.info, dest.data(), dest.size(), &taken, flags,
                                stream.wire_id, vectors.data(), count, packet.now);
  switch (n) {
    case NGTCP2_ERR_STREAM_DATA_BLOCKED:  // until extend_max_stream_data, or a stop
    case NGTCP2_ERR_STREAM_NOT_FOUND:
      streams_.blocked(stream);
      return NGTCP2_ERR_WRITE_MORE;
    case NGTCP2_ERR_STREAM_SHUT_WR:  // all that the engine says of the peer's STOP_SENDING
      streams_.on_stopped(stream);
      return NGTCP2_ERR_WRITE_MORE;
    default:
      if (taken >= 0) {
        const auto size = static_cast<std::size_t>(taken);
        packet.fresh += size;
        packet.stream = stream.wire_id;
        packet.end = stream.send.sent_end() + size;
        streams_.sent(stream, size, last && size == offered);
      }
      return n;
  }
}

/// A leaky bucket: the engine computes from when on the next burst may go, counted from the begin of
/// this one. It lets packets go up to a millisecond early, so short round trips are not slowed by timers.
void Connection::pace(std::size_t bytes) {
  if (state_ != ConnectionState::kEstablished) return;  // without a sample of the round trip: 25 ms lost
  if (burst_bytes_ == 0) burst_began_ = shared_.now;
  burst_bytes_ += bytes;
  if (burst_bytes_ < kBurstBytesMax) return;
  burst_bytes_ = 0;
  compat::pace_from(engine_, static_cast<ngtcp2_tstamp>(burst_began_.ns), static_cast<ngtcp2_tstamp>(shared_.now.ns));
}

Transmit Connection::destination(const ngtcp2_path& path, std::uint32_t ecn) const {
  Transmit out;
  const LocalEnd local = local_of(path);
  out.socket = local.socket;
  out.remote = remote_of(path);
  if (!outbound_) out.local = local.address;
  out.ecn = static_cast<Ecn>(ecn);
  return out;
}

}  // namespace p2pa::quic
