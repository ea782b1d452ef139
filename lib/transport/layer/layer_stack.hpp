#pragma once
// What one byte stream wears, as one thing.

#include <memory>
#include <vector>

#include "transport/layer/byte_layer.hpp"

namespace p2pa {

/// Layers on each other, driven as one of them is (see ByteLayer). A layer begins when the one below it is
/// open. Without any it is open, and of no use: whoever has it asks empty() first and saves the copies.
class LayerStack final {
 public:
  /// As many as anybody has reason to wear: a proxy, TLS, WebSocket, a private network.
  static constexpr std::size_t kLayersMax = 4;

  LayerStack() = default;

  /// On top of what is there, before begin(). REQUIRES that there is room, and a layer.
  void add(std::unique_ptr<ByteLayer> layer);
  bool empty() const { return layers_.empty(); }

  Result<void> begin(Bytes& down);
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down);
  bool open() const { return open_ == layers_.size(); }
  /// REQUIRES open().
  void send(ByteView bytes, Bytes& down);
  void finish(Bytes& down);

 private:
  /// Through the layers below `top`, down to the socket.
  void send_below(std::size_t top, Bytes bytes, Bytes& down);
  Result<void> begin_from(std::size_t index, Bytes& down);

  std::vector<std::unique_ptr<ByteLayer>> layers_;  // the lowest first
  std::size_t open_ = 0;                            // so many, from the lowest on
  bool begun_ = false;
};

}  // namespace p2pa
