#include <algorithm>
#include <memory>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "transport/proxy/host_port.hpp"
#include "transport/proxy/http_connect.hpp"
#include "transport/proxy/proxy_url.hpp"
#include "transport/proxy/socks5.hpp"

using namespace p2pa;
using proxy::HostPort;
using proxy::ProxyUrl;

namespace {

struct Outcome {
  Result<void> result{};
  bool open = false;
  Bytes up{}, down{};

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome feed(std::unique_ptr<ByteLayer> layer, ByteView bytes, std::size_t piece) {
  Outcome out;
  P2PA_ASSERT(layer->begin(out.down) && !layer->open());
  while (!bytes.empty() && out.result) {
    const bool before = layer->open();
    const ByteView now = bytes.first(std::min(piece, bytes.size()));
    out.result = layer->receive(now, out.up, out.down);
    P2PA_ASSERT(!before || (layer->open() && out.result));
    P2PA_ASSERT(layer->open() || out.up.empty());
    bytes = bytes.subspan(now.size());
  }
  out.open = layer->open();
  return out;
}

void check_text(std::string_view text) {
  if (const auto host = HostPort::parse(text)) P2PA_ASSERT(HostPort::parse(host->to_string()) == *host);
  const auto url = ProxyUrl::parse(text);
  if (!url) return;
  const auto shown = ProxyUrl::parse(url->to_string());
  P2PA_ASSERT(shown && shown->scheme == url->scheme && shown->proxy == url->proxy && !shown->credentials);
  Bytes said;
  P2PA_ASSERT(url->layer(url->proxy)->begin(said).has_value());
}

}  // namespace

/// Either client comes to the same end however the proxy's bytes are cut; what is read as a URL can be used.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(ByteView(data, size));
  const std::uint8_t how = input.byte();
  const std::size_t piece = std::size_t{1} + input.byte() % 16;
  const ByteView bytes = input.take(size);
  if ((how & 4) != 0) {
    check_text(as_text(bytes));
    return 0;
  }
  const char* urls[] = {"http://h:1", "http://a:b@h:1", "socks5://h:1", "socks5://a:b@h:1"};
  const auto url = ProxyUrl::parse(urls[how & 3]);
  const HostPort target = *HostPort::parse("t.example:443");
  const Outcome whole = feed(url->layer(target), bytes, bytes.size() + 1);
  P2PA_ASSERT(whole == feed(url->layer(target), bytes, piece));
  return 0;
}
