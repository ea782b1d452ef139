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
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) override;
  bool open() const override { return true; }
  void send(ByteView bytes, Bytes& down) override;
  void finish(Bytes&) override {}

 private:
  const PreSharedKey& key_;
  std::array<std::uint8_t, crypto::kXsalsaNonceSize> nonce_{};  // ours, then as far as it came the peer's
  std::size_t nonce_size_ = 0;                                  // of the peer's
  crypto::Xsalsa20 sealing_;
  std::optional<crypto::Xsalsa20> opening_;
};

}  // namespace p2pa::pnet
