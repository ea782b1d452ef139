#pragma once
// What all proxies' clients have in common: they ask, and are transparent once it is granted.

#include "transport/layer/byte_layer.hpp"

namespace p2pa::proxy {

class Tunnel : public ByteLayer {
 public:
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) final;
  bool open() const final { return open_; }
  void send(ByteView bytes, Bytes& down) final;
  /// Says nothing: the tunnel ends as its socket does.
  void finish(Bytes&) final {}

 protected:
  /// Goes on with the greeting by what the proxy says; says how much of `bytes` it took: nothing behind what
  /// grants the tunnel, and of what is not empty something.
  virtual Result<std::size_t> greet(ByteView bytes, Bytes& down) = 0;
  void granted() { open_ = true; }

 private:
  bool open_ = false;
};

}  // namespace p2pa::proxy
