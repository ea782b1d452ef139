#include "transport/quic/engine_callbacks.hpp"

#include "transport/quic/handshake.hpp"
#include "transport/quic/shared.hpp"

namespace p2pa::quic {
namespace {

// A fatal answer: the engine stops and Connection::end_by_engine() says why.
constexpr int kRefuse = NGTCP2_ERR_CALLBACK_FAILURE;

mux::StreamState* stream_of(void* stream_user_data) { return static_cast<mux::StreamState*>(stream_user_data); }

void fill_random(std::uint8_t* dest, std::size_t size, const ngtcp2_rand_ctx* context) {
  static_cast<Rng*>(context->native_handle)->fill({dest, size});
}

}  // namespace

void EngineCallbacks::qlog(void* user_data, ByteView bytes) {
  Connection& c = of(user_data);
  c.shared_.config.qlog(c.id_, bytes);
}

ngtcp2_callbacks EngineCallbacks::common() {
  ngtcp2_callbacks cb{};
  cb.encrypt = ngtcp2_crypto_encrypt_cb;
  cb.decrypt = ngtcp2_crypto_decrypt_cb;
  cb.hp_mask = ngtcp2_crypto_hp_mask_cb;
  cb.update_key = ngtcp2_crypto_update_key_cb;
  cb.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  cb.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  cb.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
  cb.rand = fill_random;
  cb.recv_crypto_data = [](ngtcp2_conn* conn, compat::EncryptionLevel level, std::uint64_t offset,
                           const std::uint8_t* data, std::size_t size, void* user_data) {
    // Once TLS has gone, what a peer still sends it (more tickets) has no taker.
    if (!of(user_data).handshake_) return 0;
    return ngtcp2_crypto_recv_crypto_data_cb(conn, level, offset, data, size, user_data);
  };
  cb.handshake_completed = [](ngtcp2_conn*, void* user_data) {
    return of(user_data).on_handshake_completed() ? 0 : kRefuse;
  };
  cb.get_path_challenge_data = [](ngtcp2_conn*, std::uint8_t* data, void* user_data) {
    of(user_data).shared_.rng.fill({data, NGTCP2_PATH_CHALLENGE_DATALEN});
    return 0;
  };
  cb.get_new_connection_id = [](ngtcp2_conn*, ngtcp2_cid* cid, std::uint8_t* token, std::size_t, void* user_data) {
    Connection& c = of(user_data);
    const Cid own = c.fresh_cid();
    c.shared_.cids.add(own, c);
    ngtcp2_cid_init(cid, own.data.data(), own.size);
    c.shared_.reset_token(own, token);
    return 0;
  };
  cb.remove_connection_id = [](ngtcp2_conn*, const ngtcp2_cid* cid, void* user_data) {
    Connection& c = of(user_data);
    c.shared_.cids.remove(Cid({cid->data, cid->datalen}), c);
    return 0;
  };
  cb.recv_stateless_reset = [](ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user_data) {
    of(user_data).stateless_reset_ = true;
    return 0;
  };
  cb.dcid_status = [](ngtcp2_conn*, compat::CidStatus status, std::uint64_t, const ngtcp2_cid*,
                      const std::uint8_t* token, void* user_data) {
    if (token == nullptr) return 0;
    Connection& c = of(user_data);
    const Cid key({token, NGTCP2_STATELESS_RESET_TOKENLEN});
    if (status == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE) {
      c.shared_.reset_tokens.add(key, c);
    } else {
      c.shared_.reset_tokens.remove(key, c);
    }
    return 0;
  };
  cb.path_validation = compat::path_validation<[](ngtcp2_conn* conn, const ngtcp2_path&, bool valid, void* user_data) {
    if (valid) of(user_data).on_path_validated(*ngtcp2_conn_get_path(conn));
    return 0;
  }>;

  cb.stream_open = [](ngtcp2_conn*, std::int64_t stream_id, void* user_data) {
    return of(user_data).on_stream_opened(stream_id) ? 0 : kRefuse;
  };
  cb.recv_stream_data = [](ngtcp2_conn*, std::uint32_t flags, std::int64_t, std::uint64_t, const std::uint8_t* data,
                           std::size_t size, void* user_data, void* stream) {
    const bool end = (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
    if (stream != nullptr) of(user_data).streams_.on_data(*stream_of(stream), {data, size}, end);
    return 0;
  };
  cb.acked_stream_data_offset = [](ngtcp2_conn*, std::int64_t id, std::uint64_t offset, std::uint64_t size,
                                   void* user_data, void* stream) {
    of(user_data).packet_size_.acknowledged(id, offset + size, size);
    if (stream != nullptr) of(user_data).streams_.on_acknowledged(*stream_of(stream), offset, size);
    return 0;
  };
  cb.stream_reset = [](ngtcp2_conn*, std::int64_t, std::uint64_t, std::uint64_t code, void* user_data, void* stream) {
    if (stream != nullptr) of(user_data).streams_.on_reset(*stream_of(stream), code);
    return 0;
  };
  cb.stream_close = [](ngtcp2_conn*, std::uint32_t, std::int64_t id, std::uint64_t code, void* user_data,
                       void* stream) {
    of(user_data).packet_size_.stream_closed(id);
    if (stream != nullptr) of(user_data).streams_.on_closed(*stream_of(stream), code);
    return 0;
  };
  cb.extend_max_stream_data = [](ngtcp2_conn*, std::int64_t, std::uint64_t, void* user_data, void* stream) {
    if (stream != nullptr) of(user_data).streams_.on_room(*stream_of(stream));
    return 0;
  };
  cb.extend_max_local_streams_bidi = [](ngtcp2_conn*, std::uint64_t, void* user_data) {
    of(user_data).streams_.on_streams_available();
    return 0;
  };
  cb.recv_datagram = [](ngtcp2_conn*, std::uint32_t, const std::uint8_t* data, std::size_t size, void* user_data) {
    of(user_data).on_datagram({data, size});
    return 0;
  };
  return cb;
}

const ngtcp2_callbacks& EngineCallbacks::client() {
  static const ngtcp2_callbacks callbacks = [] {
    ngtcp2_callbacks cb = common();
    cb.client_initial = ngtcp2_crypto_client_initial_cb;
    cb.recv_retry = ngtcp2_crypto_recv_retry_cb;
    return cb;
  }();
  return callbacks;
}

const ngtcp2_callbacks& EngineCallbacks::server() {
  static const ngtcp2_callbacks callbacks = [] {
    ngtcp2_callbacks cb = common();
    cb.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    return cb;
  }();
  return callbacks;
}

}  // namespace p2pa::quic
