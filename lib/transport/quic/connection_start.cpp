// How a connection begins: settings, transport parameters and the engine's callbacks.
#include <algorithm>
#include <new>

#include "transport/quic/connection.hpp"
#include "transport/quic/engine_callbacks.hpp"
#include "transport/quic/handshake.hpp"
#include "transport/quic/path.hpp"
#include "transport/quic/shared.hpp"

namespace p2pa::quic {
namespace {

constexpr std::size_t kClientInitialDcidSize = 16;  // RFC 9000 §7.2: at least 8, unpredictable
// Payload, and its type and length before it: what the queue takes.
constexpr std::size_t kDatagramFrameMax = mux::DatagramQueue::kMessageMax + 3;
// Spare ids for a path change on either side; each costs a little memory.
constexpr std::uint64_t kActiveCidsMax = 4;
// Windows begin small and are doubled by the engine while the reader keeps up.
constexpr std::uint64_t kStreamWindowInitial = 512 * 1024, kConnectionWindowInitial = 1024 * 1024;
// Half the acknowledgements of RFC 9000's advice: bulk spends less on them, and loss is still seen by
// the third packet after it.
constexpr std::size_t kAckThreshold = 8;

ngtcp2_cid engine_cid(const Cid& cid) {
  ngtcp2_cid out;
  ngtcp2_cid_init(&out, cid.data.data(), cid.size);
  return out;
}

void write_qlog(void* user_data, std::uint32_t, const void* data, std::size_t size) {
  EngineCallbacks::qlog(user_data, {static_cast<const std::uint8_t*>(data), size});
}

ngtcp2_settings make_settings(Shared& shared, const PacketSize& packet_size, const ngtcp2_cid& original_dcid) {
  ngtcp2_settings settings;
  ngtcp2_settings_default(&settings);
  const Limits& limits = shared.resources.limits();
  settings.cc_algo =
      shared.config.congestion_control == CongestionControl::kBbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
  settings.initial_ts = static_cast<ngtcp2_tstamp>(shared.now.ns);
  settings.max_tx_udp_payload_size = packet_size.by_engine() ? PacketSize::kEthernet : PacketSize::kHost;
  settings.no_tx_udp_payload_size_shaping = settings.no_pmtud = packet_size.by_engine() ? 0 : 1;
  settings.handshake_timeout = static_cast<ngtcp2_duration>(shared.config.handshake_timeout.ns);
  settings.max_stream_window = limits.stream_window;
  settings.max_window = limits.connection_window;
  settings.ack_thresh = kAckThreshold;
  settings.rand_ctx.native_handle = &shared.rng;
  if (shared.config.qlog) compat::set_qlog(settings, write_qlog, original_dcid);
  return settings;
}

ngtcp2_transport_params make_parameters(const Shared& shared) {
  ngtcp2_transport_params params;
  ngtcp2_transport_params_default(&params);
  const Limits& limits = shared.resources.limits();
  const auto window = std::min<std::uint64_t>(limits.stream_window, kStreamWindowInitial);
  params.initial_max_stream_data_bidi_local = params.initial_max_stream_data_bidi_remote = window;
  params.initial_max_data = std::min<std::uint64_t>(limits.connection_window, kConnectionWindowInitial);
  params.initial_max_streams_bidi = limits.streams_inbound_per_connection_max;
  params.initial_max_streams_uni = 0;  // spec: quic/README.md: libp2p has none
  params.max_idle_timeout = static_cast<ngtcp2_duration>(shared.config.idle_timeout.ns);
  params.active_connection_id_limit = kActiveCidsMax;
  params.max_datagram_frame_size = kDatagramFrameMax;
  return params;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::dial(Shared& shared, ConnectionId id, SocketId socket,
                                                     const IpEndpoint& local, const IpEndpoint& remote,
                                                     const DialTarget& target) {
  std::unique_ptr<Connection> out(new Connection(shared, id, true, socket, local, remote));
  if (!out->start_client(remote, target)) return fail(Code::kOutOfMemory, "no connection");
  return out;
}

Result<std::unique_ptr<Connection>> Connection::accept(Shared& shared, ConnectionId id,
                                                       const InboundDatagram& datagram, const ngtcp2_pkt_hd& first,
                                                       const Cid* retried, resource::Reservation handshake) {
  std::unique_ptr<Connection> out(new Connection(shared, id, false, datagram.socket, datagram.local, datagram.remote));
  if (!out->start_server(datagram.remote, first, retried, std::move(handshake))) {
    return fail(Code::kOutOfMemory, "no connection");
  }
  return out;
}

bool Connection::start_client(const IpEndpoint& remote, const DialTarget& target) {
  peer_ = target.peer;
  const bool resume = target.early_data && shared_.config.early_data && !target.peer.empty();
  handshake_ = Handshake::client(shared_, target.peer, resume);
  if (!handshake_) return false;

  ngtcp2_cid dcid;
  dcid.datalen = kClientInitialDcidSize;
  shared_.rng.fill({dcid.data, dcid.datalen});
  const Cid own = fresh_cid();
  const ngtcp2_cid scid = engine_cid(own);
  const ngtcp2_settings settings = make_settings(shared_, packet_size_, dcid);
  const ngtcp2_transport_params params = make_parameters(shared_);
  const EnginePath path({socket_, local_}, remote);
  if (ngtcp2_conn_client_new(&engine_, &dcid, &scid, &path.get(), NGTCP2_PROTO_VER_V1, &EngineCallbacks::client(),
                             &settings, &params, nullptr, this) != 0) {
    engine_ = nullptr;  // ngtcp2 0.12 leaves what it freed there
    return false;
  }
  shared_.cids.add(own, *this);
  stream_engine_.attach(engine_);
  streams_.attach(&stream_engine_);
  early_ = handshake_->attach(engine_);
  shared_.ready.push(*this);
  return true;
}

bool Connection::start_server(const IpEndpoint& remote, const ngtcp2_pkt_hd& first, const Cid* retried,
                              resource::Reservation reservation) {
  handshake_ = Handshake::server(shared_, std::move(reservation));
  if (!handshake_) return false;

  const Cid own = fresh_cid();
  const ngtcp2_cid scid = engine_cid(own);
  ngtcp2_settings settings = make_settings(shared_, packet_size_, first.dcid);
  ngtcp2_transport_params params = make_parameters(shared_);
  if (retried != nullptr) {
    compat::set_original_dcid(params, engine_cid(*retried));
    params.retry_scid = first.dcid;
    params.retry_scid_present = 1;
    compat::set_token(settings, compat::token_of(first));
  } else {
    compat::set_original_dcid(params, first.dcid);
  }
  params.stateless_reset_token_present = 1;
  shared_.reset_token(own, params.stateless_reset_token);
  const EnginePath path({socket_, local_}, remote);
  if (ngtcp2_conn_server_new(&engine_, &first.scid, &scid, &path.get(), first.version, &EngineCallbacks::server(),
                             &settings, &params, nullptr, this) != 0) {
    engine_ = nullptr;  // ngtcp2 0.12 leaves what it freed there
    return false;
  }
  shared_.cids.add(own, *this);
  client_dcid_ = Cid({first.dcid.data, first.dcid.datalen});
  shared_.cids.add(client_dcid_, *this);
  stream_engine_.attach(engine_);
  streams_.attach(&stream_engine_);
  handshake_->attach(engine_);
  return true;
}

Cid Connection::fresh_cid() {
  std::array<std::uint8_t, kOwnCidSize> raw;
  do {
    shared_.rng.fill(raw);
  } while (shared_.cids.find(Cid(raw)) != nullptr);
  return Cid(raw);
}

}  // namespace p2pa::quic
