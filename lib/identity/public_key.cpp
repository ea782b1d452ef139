#include "identity/public_key.hpp"

#include <algorithm>
#include <utility>

#include "base/multihash.hpp"
#include "crypto/hash.hpp"
#include "identity/key_protobuf.hpp"

namespace p2pa {

namespace {

using crypto::KeyType;

bool size_possible(KeyType type, std::size_t size) {
  switch (type) {
    case KeyType::kEd25519: return size == 32;
    case KeyType::kSecp256k1: return size == 33;
    case KeyType::kRsa:
    case KeyType::kEcdsa: return size > 0 && size <= crypto::kPublicKeyDataMax;
  }
  return false;
}

}  // namespace

Result<PublicKey> PublicKey::decode(ByteView protobuf) {
  if (protobuf.size() > kPublicKeyBytesMax) {
    return fail(Code::kBadKey, "public key: too long", kPublicKeyBytesMax);
  }
  const auto fields = decode_key_fields(protobuf);
  if (!fields) return std::unexpected(fields.error());
  if (fields->type > std::to_underlying(KeyType::kEcdsa)) {
    return fail(Code::kBadKey, "public key: unknown type", fields->type);
  }
  PublicKey key{KeyType{static_cast<std::uint8_t>(fields->type)},
                Bytes(fields->data.begin(), fields->data.end())};
  if (!size_possible(key.type, key.data.size())) {
    return fail(Code::kBadKey, "public key: no key of this type has this size", key.data.size());
  }
  if (!std::ranges::equal(key.encode(), protobuf)) {
    return fail(Code::kBadKey, "public key: not in its deterministic encoding");
  }
  return key;
}

Bytes PublicKey::encode() const { return encode_key_fields({std::to_underlying(type), data}); }

Result<void> PublicKey::verify(ByteView message, ByteView signature) const {
  return crypto::verify_signature(type, data, message, signature);
}

PeerId PeerId::from_public_key(ByteView key_protobuf) {
  constexpr std::size_t kInlineMax = 42;  // spec: peer-ids §peer-ids
  PeerId id;
  Bytes multihash;
  if (key_protobuf.size() <= kInlineMax) {
    Multihash{Multihash::kIdentity, key_protobuf}.append_to(multihash);
  } else {
    Multihash{Multihash::kSha256, crypto::sha256(key_protobuf)}.append_to(multihash);
  }
  std::copy(multihash.begin(), multihash.end(), id.data_.begin());
  id.size_ = static_cast<std::uint8_t>(multihash.size());
  return id;
}

}  // namespace p2pa
