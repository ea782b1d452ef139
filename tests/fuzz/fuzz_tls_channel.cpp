#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "transport/tls/tls_channel.hpp"

using namespace p2pa;
using tls::TlsChannel;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::string_view kMuxers[] = {"/yamux/1.0.0"};
constexpr std::size_t kRecordMax = 5 + 16'384 + 256;

KeyPair identity(std::uint8_t n) {
  std::array<std::uint8_t, KeyPair::kSeedSize> seed{};
  seed.fill(n);
  return KeyPair::from_seed(seed);
}

const tls::Credentials& credentials(std::uint8_t n) {
  static const auto make = [](std::uint8_t salt) {
    std::array<std::uint8_t, 32> seed{};
    Rng rng(seed);
    return tls::make_certificate(identity(salt), rng, kNow);
  };
  static const tls::Credentials both[] = {tls::Credentials(make(1)), tls::Credentials(make(2))};
  return both[n - 1];
}

/// One end, and its caller.
struct End {
  explicit End(bool client)
      : channel(client ? TlsChannel::client(credentials(1), {identity(2).peer_id(), kMuxers, kNow})
                       : TlsChannel::server(credentials(2), {{}, kMuxers, kNow})) {
    feed({});
  }

  void feed(ByteView bytes) {
    if (failed) return;
    waiting.insert(waiting.end(), bytes.begin(), bytes.end());
    if (!channel->established()) {
      const auto taken = channel->handshake(waiting, out);
      failed = !taken;
      if (failed) return;
      drop(*taken);
    }
    if (channel->established()) read();
    P2PA_ASSERT(failed || waiting.size() < kRecordMax);
  }
  void read() {
    Bytes room(SecureChannel::kPlainBytesMax);
    for (;;) {
      const auto progress = channel->open(waiting, room);
      if (!progress) {
        failed = true;
        closed = progress.error().code == Code::kConnectionClosed;
        channel->finish(out);
        return;
      }
      P2PA_ASSERT(progress->made <= room.size());
      plain.insert(plain.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(progress->made));
      drop(progress->taken);
      if (progress->taken == 0) return;
    }
  }
  void drop(std::size_t n) {
    P2PA_ASSERT(n <= waiting.size());
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(n));
  }
  void say(ByteView words) {
    if (failed || !channel->established()) return;
    Bytes sealed(words.size() + channel->seal_overhead());
    sealed.resize(channel->seal(words, sealed));
    out.insert(out.end(), sealed.begin(), sealed.end());
    said.insert(said.end(), words.begin(), words.end());
  }

  std::unique_ptr<TlsChannel> channel;
  Bytes waiting, out, plain, said;
  bool failed = false, closed = false;
};

void carry(ByteView bytes, End& to, std::size_t piece) {
  while (!bytes.empty()) {
    const ByteView part = bytes.first(std::min(piece, bytes.size()));
    to.feed(part);
    bytes = bytes.subspan(part.size());
  }
}

/// Nobody is let in who has no key.
void stranger(bool client, ByteView stream, std::size_t piece) {
  End end(client);
  carry(stream, end, piece);
  P2PA_ASSERT(!end.channel->established());
}

/// What somebody in between may do to a flight.
void tamper(fuzz::Input& script, Bytes& flight) {
  const std::size_t at = (script.byte() << 8 | script.byte()) % (flight.size() + 1);
  const auto place = flight.begin() + static_cast<std::ptrdiff_t>(at);
  const auto rest = static_cast<std::size_t>(flight.end() - place);
  switch (script.byte() % 4) {
    case 0: {
      const ByteView extra = script.take(script.byte() % 32);
      flight.insert(place, extra.begin(), extra.end());
      return;
    }
    case 1: {
      const auto some = std::min<std::size_t>(script.byte(), rest);
      flight.erase(place, place + static_cast<std::ptrdiff_t>(some));
      return;
    }
    case 2: flight.insert(flight.end(), flight.begin(), flight.begin() + static_cast<std::ptrdiff_t>(at)); return;
    default:
      if (rest > 0) *place ^= script.byte();
  }
}

/// Whatever is done to a conversation, an end has heard nothing but how the other one's words begin.
void conversation(fuzz::Input& script, std::size_t piece) {
  const Bytes words(1500, 'x');
  End client(true), server(false);
  for (int round = 0; round < 8; ++round) {
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      const std::uint8_t what = script.byte();
      if ((what & 3) == 1) from->say(ByteView(words).first(1 + what * 5));
      Bytes flight = std::exchange(from->out, {});
      if ((what & 12) == 4) tamper(script, flight);
      carry(flight, *to, piece);
    }
  }
  for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
    P2PA_ASSERT(to->plain.size() <= from->said.size());
    P2PA_ASSERT(std::equal(to->plain.begin(), to->plain.end(), from->said.begin()));
    P2PA_ASSERT(!to->closed);  // nobody said so
  }
  if (client.channel->established()) P2PA_ASSERT(client.channel->peer() == identity(2).peer_id());
  if (server.channel->established()) P2PA_ASSERT(server.channel->peer() == identity(1).peer_id());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  const std::uint8_t what = input.byte();
  const std::size_t piece = what < 128 ? 1 << 16 : 1 + what % 64;
  switch (what % 3) {
    case 0: stranger(true, input.take(size), piece); break;
    case 1: stranger(false, input.take(size), piece); break;
    default: conversation(input, piece);
  }
  return 0;
}
