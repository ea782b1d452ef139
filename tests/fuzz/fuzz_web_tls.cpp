#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "support/web_certificates.hpp"
#include "transport/tls/certificate_key.hpp"
#include "transport/tls/record_session.hpp"
#include "transport/tls/web_layer.hpp"

using namespace p2pa;
using tls::RecordSession;
using tls::WebCredentials;
using tls::WebLayer;
using tls::WebTrust;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;

/// A server's certificate, and who trusts it; made once.
struct Web {
  Web() {
    test::CertificateSpec spec{"h", {"h"}};
    spec.not_before = kNow - 1;
    spec.not_after = kNow + 1;
    const test::WebCertificate self(spec);
    own = *WebCredentials::from_pem(self.pem(), self.key_pem());
    trust = *WebTrust::from_pem(self.pem());
  }
  std::shared_ptr<const WebCredentials> own;
  std::shared_ptr<const WebTrust> trust;
};

const Web& web() {
  static const Web one;
  return one;
}

/// One end, and its caller.
struct End {
  explicit End(bool client)
      : layer(client ? WebLayer::client({"h", web().trust, kNow}) : WebLayer::server(web().own)) {
    P2PA_ASSERT(layer != nullptr && layer->begin(down));
  }
  void feed(ByteView bytes, std::size_t piece) {
    while (!bytes.empty() && error.code == Code::kOk) {
      const ByteView part = bytes.first(std::min(piece, bytes.size()));
      if (const auto done = layer->receive(part, up, down); !done) error = done.error();
      bytes = bytes.subspan(part.size());
    }
    if (error.code != Code::kOk) layer->finish(down);
  }
  void say(ByteView words) {
    if (!layer->open() || error.code != Code::kOk) return;
    layer->send(words, down);
    said.insert(said.end(), words.begin(), words.end());
  }

  std::unique_ptr<WebLayer> layer;
  Bytes up, down, said;
  Error error{Code::kOk};
};

/// Nobody shakes hands by chance.
void stranger(bool client, ByteView stream, std::size_t piece) {
  End end(client);
  end.feed(stream, piece);
  P2PA_ASSERT(!end.layer->open());
}

/// What somebody in between may do to a flight.
void tamper(fuzz::Input& script, Bytes& flight) {
  if (flight.empty()) return;
  const std::size_t at = (script.byte() << 8 | script.byte()) % flight.size();
  const auto place = flight.begin() + static_cast<std::ptrdiff_t>(at);
  switch (script.byte() % 3) {
    case 0: *place ^= script.byte(); return;
    case 1: flight.erase(place); return;
    default: flight.insert(place, script.byte()); return;
  }
}

/// Whatever is done to a conversation, an end has heard nothing but how the other one's words begin.
void conversation(fuzz::Input& script, std::size_t piece) {
  End client(true), server(false);
  for (int round = 0; round < 8; ++round) {
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      const std::uint8_t what = script.byte();
      if ((what & 3) == 1) from->say(Bytes(1 + std::size_t{what} * 100, 'x'));
      Bytes flight = std::exchange(from->down, {});
      if ((what & 12) == 4) tamper(script, flight);
      to->feed(flight, piece);
    }
  }
  for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
    P2PA_ASSERT(to->up.size() <= from->said.size());
    P2PA_ASSERT(std::equal(to->up.begin(), to->up.end(), from->said.begin()));
  }
}

void certificates(ByteView bytes) {
  for (const auto& certificate : {tls::first_certificate(bytes), tls::first_certificate_12(bytes)}) {
    if (certificate) static_cast<void>(tls::check_certificate_key(*certificate));
  }
  static_cast<void>(WebTrust::from_pem(bytes));
  static_cast<void>(WebCredentials::from_pem(bytes, bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  const std::uint8_t what = input.byte();
  const std::size_t piece = what < 128 ? 1 << 16 : 1 + what % 64;
  switch (what % 4) {
    case 0: stranger(true, input.take(size), piece); break;
    case 1: stranger(false, input.take(size), piece); break;
    case 2: certificates(input.take(size)); break;
    default: conversation(input, piece);
  }
  return 0;
}
