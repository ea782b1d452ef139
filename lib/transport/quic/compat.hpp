#pragma once
// ngtcp2 as this library uses it: every difference between 0.12 (Debian 12) and 1.x is in this file.
// Included from .cpp files only.

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <cstdint>
#include <vector>

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "p2pagents/bytes.hpp"

#if NGTCP2_VERSION_NUM >= 0x010000
#define P2PA_NGTCP2_1 1
#else
#define P2PA_NGTCP2_1 0
#endif

namespace p2pa::quic::compat {

#if P2PA_NGTCP2_1
using CidStatus = ngtcp2_connection_id_status_type;
using EncryptionLevel = ngtcp2_encryption_level;
using CloseError = ngtcp2_ccerr;
using ConnInfo = ngtcp2_conn_info;
inline constexpr auto kCloseApplication = NGTCP2_CCERR_TYPE_APPLICATION;
#else
using CidStatus = int;
using EncryptionLevel = ngtcp2_crypto_level;
using CloseError = ngtcp2_connection_close_error;
using ConnInfo = ngtcp2_conn_stat;
inline constexpr auto kCloseApplication = NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION;
#endif

// --- why a connection ends

inline CloseError application_error(std::uint64_t code, ByteView reason) {
  CloseError e;
#if P2PA_NGTCP2_1
  ngtcp2_ccerr_set_application_error(&e, code, reason.data(), reason.size());
#else
  ngtcp2_connection_close_error_set_application_error(&e, code, reason.data(), reason.size());
#endif
  return e;
}

inline CloseError library_error(int liberr) {
  CloseError e;
#if P2PA_NGTCP2_1
  ngtcp2_ccerr_set_liberr(&e, liberr, nullptr, 0);
#else
  ngtcp2_connection_close_error_set_transport_error_liberr(&e, liberr, nullptr, 0);
#endif
  return e;
}

inline CloseError tls_alert(std::uint8_t alert) {
  CloseError e;
#if P2PA_NGTCP2_1
  ngtcp2_ccerr_set_tls_alert(&e, alert, nullptr, 0);
#else
  ngtcp2_connection_close_error_set_transport_error_tls_alert(&e, alert, nullptr, 0);
#endif
  return e;
}

/// What the peer's CONNECTION_CLOSE said.
inline CloseError peer_close_error(ngtcp2_conn* conn) {
#if P2PA_NGTCP2_1
  return *ngtcp2_conn_get_ccerr(conn);
#else
  CloseError e;
  ngtcp2_conn_get_connection_close_error(conn, &e);
  return e;
#endif
}

// --- settings and parameters

inline void set_token(ngtcp2_settings& settings, ByteView token) {
#if P2PA_NGTCP2_1
  settings.token = token.data();
  settings.tokenlen = token.size();
#else
  settings.token = {const_cast<std::uint8_t*>(token.data()), token.size()};
#endif
}

inline void set_qlog(ngtcp2_settings& settings, ngtcp2_qlog_write write, const ngtcp2_cid& odcid) {
#if P2PA_NGTCP2_1
  settings.qlog_write = write;
  static_cast<void>(odcid);
#else
  settings.qlog.write = write;
  settings.qlog.odcid = odcid;
#endif
}

inline void set_original_dcid(ngtcp2_transport_params& params, const ngtcp2_cid& dcid) {
  params.original_dcid = dcid;
#if P2PA_NGTCP2_1
  params.original_dcid_present = 1;
#endif
}

inline ByteView token_of(const ngtcp2_pkt_hd& header) {
#if P2PA_NGTCP2_1
  return {header.token, header.tokenlen};
#else
  return {header.token.base, header.token.len};
#endif
}

// --- a connection

inline ConnInfo info_of(ngtcp2_conn* conn) {
  ConnInfo info;
#if P2PA_NGTCP2_1
  ngtcp2_conn_get_conn_info(conn, &info);
#else
  ngtcp2_conn_get_conn_stat(conn, &info);
#endif
  return info;
}

/// A burst is over that began at `began`: from when on the next one may go. 1.x makes up for late ones by
/// itself, and aborts when time goes back.
inline void pace_from(ngtcp2_conn* conn, ngtcp2_tstamp began, ngtcp2_tstamp now) {
#if P2PA_NGTCP2_1
  static_cast<void>(began);
  ngtcp2_conn_update_pkt_tx_time(conn, now);
#else
  static_cast<void>(now);
  ngtcp2_conn_update_pkt_tx_time(conn, began);
#endif
}

/// The connection ids by which the peer may address us.
inline std::vector<ngtcp2_cid> own_cids(ngtcp2_conn* conn) {
#if P2PA_NGTCP2_1
  std::vector<ngtcp2_cid> out(ngtcp2_conn_get_scid(conn, nullptr));
#else
  std::vector<ngtcp2_cid> out(ngtcp2_conn_get_num_scid(conn));
#endif
  ngtcp2_conn_get_scid(conn, out.data());
  return out;
}

/// Those by which we address the peer, with the tokens of its stateless resets.
inline std::vector<ngtcp2_cid_token> peer_cids(ngtcp2_conn* conn) {
#if P2PA_NGTCP2_1
  std::vector<ngtcp2_cid_token> out(ngtcp2_conn_get_active_dcid(conn, nullptr));
#else
  std::vector<ngtcp2_cid_token> out(ngtcp2_conn_get_num_active_dcid(conn));
#endif
  out.resize(ngtcp2_conn_get_active_dcid(conn, out.data()));
  return out;
}

/// RESET_STREAM and STOP_SENDING.
inline void abort_stream(ngtcp2_conn* conn, std::int64_t stream, std::uint64_t code) {
#if P2PA_NGTCP2_1
  ngtcp2_conn_shutdown_stream(conn, 0, stream, code);
#else
  ngtcp2_conn_shutdown_stream(conn, stream, code);
#endif
}

/// STOP_SENDING.
inline void stop_stream(ngtcp2_conn* conn, std::int64_t stream, std::uint64_t code) {
#if P2PA_NGTCP2_1
  ngtcp2_conn_shutdown_stream_read(conn, 0, stream, code);
#else
  ngtcp2_conn_shutdown_stream_read(conn, stream, code);
#endif
}

inline int reject_early_data(ngtcp2_conn* conn) {
#if P2PA_NGTCP2_1
  return ngtcp2_conn_tls_early_data_rejected(conn);
#else
  return ngtcp2_conn_early_data_rejected(conn);
#endif
}

/// Adapts `Handler(conn, path, valid, user_data)` to the callback's form.
template <auto Handler>
#if P2PA_NGTCP2_1
int path_validation(ngtcp2_conn* conn, std::uint32_t, const ngtcp2_path* path, const ngtcp2_path*,
                    ngtcp2_path_validation_result result, void* user_data) {
#else
int path_validation(ngtcp2_conn* conn, std::uint32_t, const ngtcp2_path* path,
                    ngtcp2_path_validation_result result, void* user_data) {
#endif
  return Handler(conn, *path, result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS, user_data);
}

// --- transport parameters that a client remembers with a session ticket (RFC 9000 §7.4.1)

#if P2PA_NGTCP2_1
inline Bytes save_early_parameters(ngtcp2_conn* conn) {
  Bytes out(256);
  const ngtcp2_ssize n = ngtcp2_conn_encode_0rtt_transport_params(conn, out.data(), out.size());
  out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return out;
}

inline bool load_early_parameters(ngtcp2_conn* conn, ByteView saved) {
  return ngtcp2_conn_decode_and_set_0rtt_transport_params(conn, saved.data(), saved.size()) == 0;
}
#else
inline constexpr std::array kEarlyParameters = {
    &ngtcp2_transport_params::initial_max_streams_bidi,
    &ngtcp2_transport_params::initial_max_streams_uni,
    &ngtcp2_transport_params::initial_max_stream_data_bidi_local,
    &ngtcp2_transport_params::initial_max_stream_data_bidi_remote,
    &ngtcp2_transport_params::initial_max_stream_data_uni,
    &ngtcp2_transport_params::initial_max_data,
    &ngtcp2_transport_params::active_connection_id_limit,
    &ngtcp2_transport_params::max_datagram_frame_size,
    &ngtcp2_transport_params::max_idle_timeout,
    &ngtcp2_transport_params::max_udp_payload_size,
};

inline Bytes save_early_parameters(ngtcp2_conn* conn) {
  const ngtcp2_transport_params* params = ngtcp2_conn_get_remote_transport_params(conn);
  Bytes out;
  if (params == nullptr) return out;
  ByteWriter writer(out);
  for (const auto field : kEarlyParameters) writer.big_endian(static_cast<std::uint64_t>(params->*field));
  writer.u8(params->disable_active_migration);
  return out;
}

inline bool load_early_parameters(ngtcp2_conn* conn, ByteView saved) {
  ngtcp2_transport_params params{};
  ByteReader reader(saved);
  for (const auto field : kEarlyParameters) {
    const auto value = reader.big_endian<std::uint64_t>();
    if (!value) return false;
    params.*field = *value;
  }
  const auto migration = reader.u8();
  if (!migration || !reader.at_end()) return false;
  params.disable_active_migration = *migration;
  ngtcp2_conn_set_early_remote_transport_params(conn, &params);
  return true;
}
#endif

}  // namespace p2pa::quic::compat
