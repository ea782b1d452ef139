#include "transport/udp/session_keys.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "transport/udp/replay_window.hpp"

namespace p2pa::udp {
namespace {

std::array<std::uint8_t, 12> nonce_of(std::uint64_t number) {
  std::array<std::uint8_t, 12> nonce{};
  for (std::size_t i = 0; i < sizeof number; ++i) nonce[4 + i] = static_cast<std::uint8_t>(number >> 8 * i);
  return nonce;
}

bool open_with(const DirectionKey& key, std::uint64_t number, ByteView packet, MutableBytes out) {
  return key.open(number, packet.first(kDataHeaderSize), packet.subspan(kDataHeaderSize), out);
}

}  // namespace

static_assert(kTagSize == crypto::kAesGcmTagSize && kTagSize == crypto::kChachaTagSize);

DirectionKey::DirectionKey(Cipher cipher, ByteView secret) {
  P2PA_ASSERT(secret.size() == secret_.size());
  std::ranges::copy(secret, secret_.span().begin());
  crypto::hkdf_sha256(secret, {}, "p2pa udp key", key_.span());
  if (cipher == Cipher::kAes256Gcm) aes_.emplace(key_);
}

void DirectionKey::seal(std::uint64_t number, ByteView header, ByteView frames, MutableBytes out) const {
  if (aes_) return aes_->seal(nonce_of(number), header, frames, out);
  crypto::chacha20_poly1305_seal(key_, nonce_of(number), header, frames, out);
}

bool DirectionKey::open(std::uint64_t number, ByteView header, ByteView sealed, MutableBytes out) const {
  if (aes_) return aes_->open(nonce_of(number), header, sealed, out);
  return crypto::chacha20_poly1305_open(key_, nonce_of(number), header, sealed, out);
}

void DirectionKey::next_secret(MutableBytes out) const {
  crypto::hkdf_sha256(secret_.view(), {}, "p2pa udp update", out);
}

SessionKeys::SessionKeys(Cipher cipher, ByteView sending, ByteView receiving) : cipher_(cipher) {
  sending_.emplace(cipher_, sending);
  receiving_.emplace(cipher_, receiving);
  crypto::SecretBytes<32> secret;
  receiving_->next_secret(secret.span());
  next_.emplace(cipher_, secret.view());
}

void SessionKeys::seal(Cid destination, std::uint64_t number, ByteView frames, MutableBytes out) {
  P2PA_ASSERT(out.size() == kDataHeaderSize + frames.size() + kTagSize);
  const auto header = encode(DataHeader{destination, number, sending_phase_});
  std::ranges::copy(header, out.begin());
  sending_->seal(number, header, frames, out.subspan(kDataHeaderSize));
  if (!sending_begin_) sending_begin_ = number;
  ++sealed_;
}

bool SessionKeys::open(const DataHeader& header, ByteView packet, MutableBytes out) {
  P2PA_ASSERT(packet.size() == kDataHeaderSize + out.size() + kTagSize);
  if (header.phase == receiving_phase_) {
    if (!open_with(*receiving_, header.number, packet, out)) return false;
    receiving_begin_ = std::min(receiving_begin_, header.number);
    // What is older than the window is not taken any more: nobody needs its key.
    if (header.number >= receiving_begin_ + ReplayWindow::kSize) previous_.reset();
    return true;
  }
  // The other phase is the one before, or the one to come (RFC 9001 §6.3).
  if (header.number < receiving_begin_) return previous_ && open_with(*previous_, header.number, packet, out);
  if (!open_with(*next_, header.number, packet, out)) return false;
  advance_receiving(header.number);
  return true;
}

void SessionKeys::update() { advance_sending(); }

void SessionKeys::advance_sending() {
  crypto::SecretBytes<32> secret;
  sending_->next_secret(secret.span());
  sending_.emplace(cipher_, secret.view());
  sending_phase_ = !sending_phase_;
  sealed_ = 0;
  sending_begin_.reset();
}

void SessionKeys::advance_receiving(std::uint64_t number) {
  crypto::SecretBytes<32> secret;
  receiving_->next_secret(secret.span());
  previous_.emplace(cipher_, receiving_->secret());
  receiving_.emplace(cipher_, secret.view());
  receiving_->next_secret(secret.span());
  next_.emplace(cipher_, secret.view());
  receiving_phase_ = !receiving_phase_;
  receiving_begin_ = number;
  if (sending_phase_ != receiving_phase_) advance_sending();  // the peer began it: so do we
}

}  // namespace p2pa::udp
