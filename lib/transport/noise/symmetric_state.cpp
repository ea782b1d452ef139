#include "transport/noise/symmetric_state.hpp"

#include <algorithm>
#include <string_view>

#include "base/byte_writer.hpp"

namespace p2pa::noise {

namespace {

/// As long as a digest, and therefore the first one itself (§5.2, InitializeSymmetric).
constexpr std::string_view kProtocolName = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(kProtocolName.size() == crypto::kSha256Size);

using TwoKeys = crypto::SecretBytes<2 * crypto::kSha256Size>;

ByteView first(const TwoKeys& keys) { return keys.view().first(crypto::kSha256Size); }
ByteView second(const TwoKeys& keys) { return keys.view().last(crypto::kSha256Size); }

}  // namespace

SymmetricState::SymmetricState() {
  std::ranges::copy(as_bytes(kProtocolName), hash_.begin());
  std::ranges::copy(hash_, chaining_key_.span().begin());
}

void SymmetricState::mix_key(ByteView input) {
  TwoKeys keys;
  crypto::hkdf_sha256(input, chaining_key_.view(), "", keys.span());
  std::ranges::copy(first(keys), chaining_key_.span().begin());
  cipher_.set_key(second(keys));
}

void SymmetricState::mix_hash(ByteView data) {
  Bytes joined;
  ByteWriter writer(joined);
  writer.append(hash_);
  writer.append(data);
  hash_ = crypto::sha256(joined);
}

void SymmetricState::encrypt_and_hash(ByteView plain, Bytes& out) {
  const std::size_t before = out.size();
  out.resize(before + plain.size() + overhead());
  const MutableBytes made = MutableBytes(out).subspan(before);
  if (cipher_.has_key()) {
    cipher_.seal(hash_, plain, made);
  } else {
    std::ranges::copy(plain, made.begin());
  }
  mix_hash(made);
}

Result<void> SymmetricState::decrypt_and_hash(ByteView data, Bytes& out) {
  if (data.size() < overhead()) return fail(Code::kHandshake, "noise: a message without its tag");
  out.resize(data.size() - overhead());
  if (!cipher_.has_key()) {
    std::ranges::copy(data, out.begin());
  } else if (!cipher_.open(hash_, data, out)) {
    return fail(Code::kHandshake, "noise: a handshake message that is not authentic");
  }
  mix_hash(data);
  return {};
}

void SymmetricState::split(CipherState& from_initiator, CipherState& from_responder) const {
  TwoKeys keys;
  crypto::hkdf_sha256({}, chaining_key_.view(), "", keys.span());
  from_initiator.set_key(first(keys));
  from_responder.set_key(second(keys));
}

void SymmetricState::split(MutableBytes from_initiator, MutableBytes from_responder) const {
  TwoKeys keys;
  crypto::hkdf_sha256({}, chaining_key_.view(), "", keys.span());
  std::ranges::copy(first(keys), from_initiator.begin());
  std::ranges::copy(second(keys), from_responder.begin());
}

}  // namespace p2pa::noise
