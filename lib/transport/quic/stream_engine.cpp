#include "transport/quic/stream_engine.hpp"

#include "transport/mux/stream_table.hpp"
#include "transport/quic/compat.hpp"
#include "transport/quic/connection.hpp"
#include "transport/quic/shared.hpp"

namespace p2pa::quic {

Result<void> StreamEngine::open(mux::StreamState& stream) {
  const int rv = ngtcp2_conn_open_bidi_stream(engine_, &stream.wire_id, &stream);
  if (rv == NGTCP2_ERR_STREAM_ID_BLOCKED) return fail(Code::kLimitStreams, "the peer takes no more streams");
  if (rv != 0) return fail(Code::kOutOfMemory, "no stream");
  return {};
}

void StreamEngine::give_credit(mux::StreamState& stream, std::size_t n) {
  if (stream.in_engine && stream.receiving == mux::ReceiveState::kOpen) {
    ngtcp2_conn_extend_max_stream_offset(engine_, stream.wire_id, n);
  }
  ngtcp2_conn_extend_max_offset(engine_, n);
  wake();
}

void StreamEngine::stop(mux::StreamState& stream, std::uint64_t code) {
  compat::stop_stream(engine_, stream.wire_id, code);
  wake();
}

void StreamEngine::reset(mux::StreamState& stream, std::uint64_t code) {
  compat::abort_stream(engine_, stream.wire_id, code);
  wake();
}

void StreamEngine::forget_inbound() {
  if (credit_lent_ > 0) {
    --credit_lent_;
    return;
  }
  ngtcp2_conn_extend_max_streams_bidi(engine_, 1);
  wake();
}

void StreamEngine::wake() { shared_.ready.push(owner_); }

void StreamEngine::lend_credit() {
  if (credit_lent_ == kCreditLentMax) return;
  ++credit_lent_;
  ngtcp2_conn_extend_max_streams_bidi(engine_, 1);
}

}  // namespace p2pa::quic
