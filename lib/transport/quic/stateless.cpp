#include "transport/quic/stateless.hpp"

#include <algorithm>
#include <utility>

#include "crypto/secret_bytes.hpp"
#include "transport/quic/path.hpp"

namespace p2pa::quic {
namespace {

constexpr std::size_t kPacketMax = 512;
constexpr ngtcp2_duration kTokenLifetime = 10'000'000'000;
// RFC 9000 §10.3: as short as a small packet of a live connection.
constexpr std::size_t kResetSizeMax = 42;
constexpr std::size_t kResetSizeMin = NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN;

}  // namespace

Stateless::Stateless(Shared& shared) : shared_(shared) { shared.rng.fill(token_key_); }

Stateless::~Stateless() { crypto::wipe(token_key_); }

void Stateless::send(const InboundDatagram& from, ByteView packet) {
  Transmit to;
  to.socket = from.socket;
  to.local = from.local;
  to.remote = from.remote;
  if (!shared_.outbox.push(to, packet)) shared_.resources.dropped(DropCounters::kAnswersFull);
}

void Stateless::negotiate_version(const InboundDatagram& from, const ngtcp2_version_cid& asked) {
  std::array<std::uint8_t, kPacketMax> packet;
  // RFC 9000 §15: a version of the reserved form keeps the mechanism exercised.
  const std::uint32_t versions[] = {NGTCP2_PROTO_VER_V1, 0x1a2a3a4a};
  std::uint8_t unused = 0;
  shared_.rng.fill({&unused, 1});
  const ngtcp2_ssize n = ngtcp2_pkt_write_version_negotiation(
      packet.data(), packet.size(), unused, asked.scid, asked.scidlen, asked.dcid, asked.dcidlen, versions, 2);
  if (n > 0) send(from, ByteView(packet).first(static_cast<std::size_t>(n)));
}

void Stateless::retry(const InboundDatagram& from, const ngtcp2_pkt_hd& first) {
  const EnginePath path({}, from.remote);
  ngtcp2_cid scid;
  scid.datalen = kOwnCidSize;
  shared_.rng.fill({scid.data, scid.datalen});
  std::array<std::uint8_t, NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN> token;
  const ngtcp2_ssize size = ngtcp2_crypto_generate_retry_token(
      token.data(), token_key_.data(), token_key_.size(), first.version, path.get().remote.addr,
      path.get().remote.addrlen, &scid, &first.dcid, static_cast<ngtcp2_tstamp>(shared_.now.ns));
  if (size < 0) return;
  std::array<std::uint8_t, kPacketMax> packet;
  const ngtcp2_ssize n =
      ngtcp2_crypto_write_retry(packet.data(), packet.size(), first.version, &first.scid, &scid, &first.dcid,
                                token.data(), static_cast<std::size_t>(size));
  if (n > 0) send(from, ByteView(packet).first(static_cast<std::size_t>(n)));
}

std::optional<Cid> Stateless::check_token(const InboundDatagram& from, const ngtcp2_pkt_hd& first) const {
  const ByteView token = compat::token_of(first);
  if (token.empty() || token[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY) return std::nullopt;
  const EnginePath path({}, from.remote);
  ngtcp2_cid original;
  if (ngtcp2_crypto_verify_retry_token(&original, token.data(), token.size(), token_key_.data(), token_key_.size(),
                                       first.version, path.get().remote.addr, path.get().remote.addrlen,
                                       &first.dcid, kTokenLifetime,
                                       static_cast<ngtcp2_tstamp>(shared_.now.ns)) != 0) {
    return std::nullopt;
  }
  return Cid({original.data, original.datalen});
}

void Stateless::refuse(const InboundDatagram& from, const ngtcp2_pkt_hd& first, std::uint64_t code) {
  std::array<std::uint8_t, kPacketMax> packet;
  const ngtcp2_ssize n = ngtcp2_crypto_write_connection_close(packet.data(), packet.size(), first.version,
                                                              &first.scid, &first.dcid, code, nullptr, 0);
  if (n > 0) send(from, ByteView(packet).first(static_cast<std::size_t>(n)));
}

void Stateless::reset(const InboundDatagram& from, const Cid& cid, std::size_t packet_size) {
  // Smaller than what it answers: two ends that forgot each other fall silent.
  const std::size_t size = std::min(packet_size - 1, kResetSizeMax);
  if (packet_size == 0 || size < kResetSizeMin) return;
  const std::int64_t second = shared_.now.ns / 1'000'000'000;
  if (second != std::exchange(reset_second_, second)) resets_ = 0;
  if (resets_++ >= kResetsPerSecondMax) return shared_.resources.dropped(DropCounters::kAnswersFull);
  std::array<std::uint8_t, NGTCP2_STATELESS_RESET_TOKENLEN> token;
  shared_.reset_token(cid, token.data());
  std::array<std::uint8_t, kResetSizeMax> noise, packet;
  shared_.rng.fill(noise);
  const ngtcp2_ssize n = ngtcp2_pkt_write_stateless_reset(packet.data(), packet.size(), token.data(), noise.data(),
                                                          size - token.size());
  if (n > 0) send(from, ByteView(packet).first(static_cast<std::size_t>(n)));
}

}  // namespace p2pa::quic
