#include "lan/network.hpp"

#include <algorithm>
#include <utility>

#include "base/byte_writer.hpp"
#include "crypto/chacha20_poly1305.hpp"
#include "crypto/hash.hpp"

namespace p2pa::lan {
namespace {

constexpr std::string_view kOpenId = "p2pa lan network", kPrivateId = "p2pa lan private network";
constexpr std::string_view kSealInfo = "p2pa lan key";

/// A session is random and numbers its datagrams, so that no nonce is used twice under a key of its own.
void derive(ByteView secret, const Id16& session, crypto::ChachaKey& out) {
  crypto::hkdf_sha256(secret, session, kSealInfo, out.span());
}

crypto::ChachaNonce nonce_of(std::uint64_t number) {
  crypto::ChachaNonce nonce{};
  for (std::size_t i = 0; i < sizeof number; ++i) nonce[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return nonce;
}

}  // namespace

Network::Network(const std::string& application, const std::optional<PreSharedKey>& key) {
  Bytes secret;
  if (key) ByteWriter(secret).append(key->bytes());
  ByteWriter(secret).append(application);
  const auto digest = crypto::hmac_sha256(as_bytes(key ? kPrivateId : kOpenId), secret);
  std::copy_n(digest.begin(), id_.size(), id_.begin());
  if (key) secret_ = std::move(secret);
}

Network::~Network() { crypto::wipe(secret_); }

std::size_t Network::seal_bytes() const { return secret_.empty() ? 0 : crypto::kChachaTagSize; }

void Network::seal(Bytes& datagram) const {
  if (secret_.empty()) return;
  const Header header = *decode_header(datagram);
  const ByteView whole = datagram;
  Bytes sealed(whole.begin(), whole.begin() + kHeaderBytes);
  sealed.resize(datagram.size() + crypto::kChachaTagSize);
  crypto::ChachaKey key;
  derive(secret_, header.session, key);
  crypto::chacha20_poly1305_seal(key, nonce_of(header.number), whole.first(kHeaderBytes), whole.subspan(kHeaderBytes),
                                 MutableBytes(sealed).subspan(kHeaderBytes));
  datagram = std::move(sealed);
}

Result<ByteView> Network::open(const Header& header, ByteView datagram, Bytes& scratch) const {
  const ByteView body = datagram.subspan(kHeaderBytes);
  if (secret_.empty()) return body;
  if (body.size() < crypto::kChachaTagSize) return fail(Code::kMalformed, "lan: not sealed");
  scratch.resize(body.size() - crypto::kChachaTagSize);
  crypto::ChachaKey key;
  derive(secret_, header.session, key);
  if (!crypto::chacha20_poly1305_open(key, nonce_of(header.number), datagram.first(kHeaderBytes), body, scratch)) {
    return fail(Code::kMalformed, "lan: not sealed by a member");
  }
  return ByteView(scratch);
}

}  // namespace p2pa::lan
