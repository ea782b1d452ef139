#include "transport/pnet/pnet_layer.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::pnet {
namespace {

std::array<std::uint8_t, crypto::kXsalsaNonceSize> fresh_nonce(Rng& rng) {
  std::array<std::uint8_t, crypto::kXsalsaNonceSize> out;
  rng.fill(out);
  return out;
}

MutableBytes append(Bytes& out, ByteView bytes) {
  const std::size_t before = out.size();
  out.insert(out.end(), bytes.begin(), bytes.end());
  return MutableBytes(out).subspan(before);
}

}  // namespace

Layer::Layer(const PreSharedKey& key, Rng& rng)
    : key_(key), nonce_(fresh_nonce(rng)), sealing_(key.bytes(), nonce_) {}

Result<void> Layer::begin(Bytes& down) {
  append(down, nonce_);
  return {};
}

Result<void> Layer::receive(ByteView bytes, Bytes& up, Bytes&) {
  if (!opening_) {
    const std::size_t n = std::min(bytes.size(), theirs_.size() - theirs_size_);
    std::ranges::copy(bytes.first(n), theirs_.begin() + static_cast<std::ptrdiff_t>(theirs_size_));
    theirs_size_ += n;
    bytes = bytes.subspan(n);
    if (theirs_size_ < theirs_.size()) return {};
    if (theirs_ == nonce_) return fail(Code::kHandshake, "what we send comes back to us");
    opening_.emplace(key_.bytes(), theirs_);
  }
  opening_->apply(append(up, bytes));
  return {};
}

void Layer::send(ByteView bytes, Bytes& down) { sealing_.apply(append(down, bytes)); }

}  // namespace p2pa::pnet
