#pragma once
// WebSocket (RFC 6455) as what a byte stream wears: `/ws` in a multiaddr, and in TLS `/wss`.

#include <memory>
#include <string>
#include <string_view>

#include "crypto/rng.hpp"
#include "transport/layer/byte_layer.hpp"
#include "transport/websocket/frames.hpp"
#include "transport/http/http_head.hpp"

namespace p2pa::websocket {

/// One end. The bytes that it carries are those of its binary messages, one after the other; no extensions,
/// no subprotocol. What it keeps of the peer's: a head of http::HeadReader::kHeadBytesMax until it is open, then
/// Frames::kControlBytesMax and wslay's buffer of 4 KiB.
class Layer final : public ByteLayer {
 public:
  /// `host` as the field Host has it, a port behind it or not; `path` begins with a slash. REQUIRES is_host()
  /// and is_path() of upgrade.hpp. `rng` outlives the layer: each frame has a mask of its own.
  static std::unique_ptr<Layer> client(std::string_view host, std::string_view path, Rng& rng);
  static std::unique_ptr<Layer> server();

  Result<void> begin(Bytes& down) override;
  /// Errors: kMalformed (no HTTP, or over a bound of its), kRefused (client: the server's status is the
  /// detail; server: the request is no upgrade, and the detail is what it was told), kHandshake (an answer
  /// that is not to our request); then kProtocolViolation and kConnectionClosed as of Frames::receive().
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) override;
  bool open() const override { return open_; }
  /// Nothing goes out any more once the peer has closed or finish() was called.
  void send(ByteView bytes, Bytes& down) override;
  /// A close frame; nothing before the end of the greeting, and nothing when one went out already.
  void finish(Bytes& down) override;

 private:
  Layer(std::string request, std::string key, Rng* masks);
  /// Says how much of `bytes` it took.
  Result<std::size_t> greet(ByteView bytes, Bytes& down);
  Result<void> on_head(std::string_view text, Bytes& down);

  std::string request_;     // of a client, until it went out
  const std::string key_;  // of a client; a server has none
  http::HeadReader head_;
  Frames frames_;
  bool open_ = false;
};

}  // namespace p2pa::websocket
