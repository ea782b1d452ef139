// PeerId as a name. What it has to do with keys: identity/public_key.cpp.

#include "p2pagents/peer_id.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "base/multibase.hpp"
#include "base/multihash.hpp"
#include "base/varint.hpp"

namespace p2pa {

namespace {

constexpr std::uint64_t kCidVersion = 1;
constexpr std::uint64_t kLibp2pKeyCodec = 0x72;
/// The longest id in hexadecimal, the widest of the bases, is 93.
constexpr std::size_t kTextMax = 128;

Result<PeerId> from_cid(ByteView cid) {
  ByteReader reader(cid);
  const auto version = read_varint(reader);
  if (!version || *version != kCidVersion) return fail(Code::kMalformed, "peer id: not a CIDv1");
  const auto codec = read_varint(reader);
  if (!codec || *codec != kLibp2pKeyCodec) {
    return fail(Code::kMalformed, "peer id: the CID is not of a libp2p key");
  }
  return PeerId::from_bytes(reader.rest());
}

}  // namespace

Result<PeerId> PeerId::from_bytes(ByteView multihash) {
  const auto hash = Multihash::parse(multihash);
  if (!hash) return std::unexpected(hash.error());
  if (hash->code != Multihash::kSha256 && hash->code != Multihash::kIdentity) {
    return fail(Code::kMalformed, "peer id: neither an identity nor a sha2-256 multihash");
  }
  if (hash->digest.empty() || multihash.size() > kSizeMax) {
    return fail(Code::kMalformed, "peer id: no key, or one too long to stand in its name");
  }
  PeerId id;
  std::copy(multihash.begin(), multihash.end(), id.data_.begin());
  id.size_ = static_cast<std::uint8_t>(multihash.size());
  return id;
}

Result<PeerId> PeerId::parse(std::string_view text) {
  if (text.size() > kTextMax) return fail(Code::kMalformed, "peer id: text too long", kTextMax);
  // spec: peer-ids §decoding. Neither is the prefix of a multibase that we know.
  const bool bare_multihash = text.starts_with("Qm") || text.starts_with("1");
  const auto bytes = bare_multihash ? decode_base(Base::kBase58Btc, text) : decode_multibase(text);
  if (!bytes) return fail(Code::kMalformed, "peer id: neither base58btc nor a CID");
  return bare_multihash ? from_bytes(*bytes) : from_cid(*bytes);
}

std::string PeerId::to_string() const { return encode_base(Base::kBase58Btc, bytes()); }

std::string PeerId::to_cid() const {
  Bytes cid;
  append_varint(cid, kCidVersion);
  append_varint(cid, kLibp2pKeyCodec);
  cid.insert(cid.end(), bytes().begin(), bytes().end());
  return encode_multibase(Base::kBase32, cid);
}

ByteView PeerId::inline_public_key() const {
  constexpr std::size_t kHead = 2;  // code and length, a byte each
  return size_ > kHead && data_[0] == Multihash::kIdentity ? bytes().subspan(kHead) : ByteView();
}

std::size_t PeerIdHash::operator()(const PeerId& id) const noexcept { return stable_hash(id.bytes()); }

}  // namespace p2pa
