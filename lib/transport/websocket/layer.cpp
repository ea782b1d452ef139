#include "transport/websocket/layer.hpp"

#include <array>
#include <utility>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"
#include "transport/websocket/upgrade.hpp"

namespace p2pa::websocket {

Layer::Layer(std::string request, std::string key, Rng* masks)
    : request_(std::move(request)), key_(std::move(key)), frames_(masks) {}

std::unique_ptr<Layer> Layer::client(std::string_view host, std::string_view path, Rng& rng) {
  std::array<std::uint8_t, kNonceSize> nonce;
  rng.fill(nonce);
  std::string key = key_of(nonce);
  std::string first = request(host, path, key);
  return std::unique_ptr<Layer>(new Layer(std::move(first), std::move(key), &rng));
}

std::unique_ptr<Layer> Layer::server() { return std::unique_ptr<Layer>(new Layer({}, {}, nullptr)); }

Result<void> Layer::begin(Bytes& down) {
  ByteWriter(down).append(std::exchange(request_, {}));
  return {};
}

Result<void> Layer::receive(ByteView bytes, Bytes& up, Bytes& down) {
  if (!open_) {
    const auto taken = greet(bytes, down);
    if (!taken) return std::unexpected(taken.error());
    bytes = bytes.subspan(*taken);
  }
  return open_ ? frames_.receive(bytes, up, down) : Result<void>();
}

Result<std::size_t> Layer::greet(ByteView bytes, Bytes& down) {
  const auto taken = head_.take(bytes);
  if (!taken && key_.empty()) ByteWriter(down).append(bad_request());
  if (!taken || !head_.complete()) return taken;
  if (const auto done = on_head(head_.text(), down); !done) return std::unexpected(done.error());
  head_.release();
  open_ = true;
  return taken;
}

Result<void> Layer::on_head(std::string_view text, Bytes& down) {
  const auto head = http::HttpHead::parse(text);
  if (!key_.empty()) return head ? check_response(*head, key_) : std::unexpected(head.error());
  const Answer said = head ? answer(*head) : Answer{bad_request(), head.error()};
  ByteWriter(down).append(said.response);
  return said.error ? std::unexpected(*said.error) : Result<void>();
}

void Layer::send(ByteView bytes, Bytes& down) {
  P2PA_ASSERT(open_);
  frames_.send(bytes, down);
}

void Layer::finish(Bytes& down) {
  if (open_) frames_.close(down);
}

}  // namespace p2pa::websocket
