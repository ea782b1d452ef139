#include "p2pagents/key_pair.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret_bytes.hpp"
#include "crypto/signature.hpp"
#include "identity/key_protobuf.hpp"

namespace p2pa {

namespace {

constexpr auto kType = std::to_underlying(crypto::KeyType::kEd25519);
constexpr std::size_t kOldSize = 96;  // seed and two copies of the public key

}  // namespace

KeyPair KeyPair::from_seed(ByteView seed32) {
  P2PA_ASSERT(seed32.size() == kSeedSize);
  KeyPair pair;
  crypto::ed25519_from_seed(seed32, pair.secret_);
  const ByteView public_part = ByteView(pair.secret_).subspan(kSeedSize);
  pair.public_key_ = encode_key_fields({kType, public_part});
  pair.peer_id_ = PeerId::from_public_key(pair.public_key_);
  return pair;
}

Result<KeyPair> KeyPair::from_protobuf(ByteView private_key) {
  const auto fields = decode_key_fields(private_key);
  if (!fields) return std::unexpected(fields.error());
  if (fields->type != kType) {
    return fail(Code::kUnsupported, "private key: our own is always Ed25519", fields->type);
  }
  const ByteView data = fields->data;
  if (data.size() != crypto::kEd25519SecretSize && data.size() != kOldSize) {
    return fail(Code::kBadKey, "private key: an Ed25519 one is of 64 bytes, or 96 in the old form",
                data.size());
  }
  KeyPair pair = from_seed(data.first(kSeedSize));
  // A public part that is not the seed's would make us sign what nobody can verify.
  const ByteView public_part = ByteView(pair.secret_).subspan(kSeedSize);
  for (ByteView rest = data.subspan(kSeedSize); !rest.empty(); rest = rest.subspan(kSeedSize)) {
    if (!std::ranges::equal(rest.first(kSeedSize), public_part)) {
      return fail(Code::kBadKey, "private key: its public part is of another key");
    }
  }
  return pair;
}

KeyPair::KeyPair(KeyPair&& other) noexcept
    : secret_(other.secret_), public_key_(std::move(other.public_key_)), peer_id_(other.peer_id_) {
  crypto::wipe(other.secret_);
}

KeyPair& KeyPair::operator=(KeyPair&& other) noexcept {
  if (this == &other) return *this;
  secret_ = other.secret_;
  public_key_ = std::move(other.public_key_);
  peer_id_ = other.peer_id_;
  crypto::wipe(other.secret_);
  return *this;
}

KeyPair::~KeyPair() { crypto::wipe(secret_); }

Bytes KeyPair::to_protobuf() const { return encode_key_fields({kType, secret_}); }

std::array<std::uint8_t, 64> KeyPair::sign(ByteView message) const {
  return crypto::ed25519_sign(secret_, message);
}

void KeyPair::derive(std::string_view info, MutableBytes out) const {
  crypto::hkdf_sha256(ByteView(secret_).first(kSeedSize), {}, info, out);
}

}  // namespace p2pa
