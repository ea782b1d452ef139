#pragma once
// What keeps a private network private (spec: pnet/Private-Networks-PSK-V1).

#include <optional>

#include "crypto/rng.hpp"
#include "crypto/xsalsa20.hpp"
#include "p2pagents/pre_shared_key.hpp"
#include "transport/layer/byte_layer.hpp"

namespace p2pa::pnet {

/// One end: a nonce of its own first, then all bytes under XSalsa20. Open from the begin on, since nothing of
/// the other end is needed to send. A peer without the key is not told so: what it sends is noise to what
/// secures the connection, and what it gets is noise to it.
class Layer final : public ByteLayer {
 public:
  /// REQUIRES that the key outlives it.
  Layer(const PreSharedKey& key, Rng& rng);

  Result<void> begin(Bytes& down) override;
  /// kHandshake: our own nonce comes back. Whoever has not the key can send us what is ours, and nothing else
  /// that makes sense.
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) override;
  bool open() const override { return true; }
  void send(ByteView bytes, Bytes& down) override;
  void finish(Bytes&) override {}

 private:
  const PreSharedKey& key_;
  using Nonce = std::array<std::uint8_t, crypto::kXsalsaNonceSize>;

  const Nonce nonce_;
  Nonce theirs_{};  // as far as it came
  std::size_t theirs_size_ = 0;
  crypto::Xsalsa20 sealing_;
  std::optional<crypto::Xsalsa20> opening_;
};

}  // namespace p2pa::pnet
