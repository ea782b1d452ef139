#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "transport/noise/handshake_xx.hpp"
#include "transport/noise/identity.hpp"
#include "transport/noise/noise_channel.hpp"
#include "transport/noise/payload_codec.hpp"

using namespace p2pa;
using fuzz::Input;
using noise::NoiseChannel;

namespace {

/// What both ends are, made once: the keys cost more than all else here.
struct Peers {
  Rng rng{Bytes(32, 1)};
  KeyPair a = KeyPair::from_seed(Bytes(32, 2)), b = KeyPair::from_seed(Bytes(32, 3));
  noise::Identity first{a, rng}, second{b, rng};
};

const Peers& peers() {
  static const Peers both;
  return both;
}

/// An end, and what of the other one's bytes it has not taken yet.
struct End {
  End(bool initiator, std::uint8_t seed)
      : rng(Bytes(32, seed)),
        channel(initiator, initiator ? peers().first : peers().second, rng, {}, {"/yamux/1.0.0"}) {}

  /// False: the channel is of no more use.
  bool receive(ByteView bytes, Bytes& out) {
    in.insert(in.end(), bytes.begin(), bytes.end());
    if (!channel.established()) {
      const auto taken = channel.handshake(in, out);
      if (!taken) return false;
      take(*taken);
    }
    return !channel.established() || open_all();
  }

  bool open_all() {
    static Bytes room(SecureChannel::kPlainBytesMax);
    for (;;) {
      const auto progress = channel.open(in, room);
      if (!progress) return false;
      if (progress->taken == 0) return true;
      plain.insert(plain.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(progress->made));
      take(progress->taken);
    }
  }

  void take(std::size_t size) {
    P2PA_ASSERT(size <= in.size());
    in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(size));
  }

  Rng rng;
  NoiseChannel channel;
  Bytes in, plain;
};

/// Who has no key of a peer's is never believed to be one, however the stream is cut.
void feed(bool initiator, ByteView stream, std::size_t piece) {
  End end(initiator, 4);
  Bytes out;
  bool alive = end.receive({}, out);
  while (alive && !stream.empty()) {
    const ByteView now = stream.first(std::min(piece, stream.size()));
    alive = end.receive(now, out);
    stream = stream.subspan(now.size());
  }
  P2PA_ASSERT(!end.channel.established());
}

/// One message of the handshake with a payload of the input's: read, or refused without harm.
void answer_with(ByteView payload) {
  End initiator(true, 5);
  noise::HandshakeXx responder(false, peers().second.static_key(), Bytes(32, 6));
  Bytes hello, ignored, message, out;
  P2PA_ASSERT(initiator.receive({}, hello));
  P2PA_ASSERT(responder.read(ByteView(hello).subspan(2), ignored).has_value());
  const ByteView fitting = payload.first(std::min<std::size_t>(payload.size(), 1 << 15));
  P2PA_ASSERT(responder.write(fitting, message).has_value());
  Bytes framed = {static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())};
  framed.insert(framed.end(), message.begin(), message.end());
  // A signature over this static key is the one thing that the input cannot make up, but it may repeat it.
  if (initiator.receive(framed, out)) P2PA_ASSERT(initiator.channel.peer() == peers().b.peer_id());
}

/// A change of the bytes under way; false when the input asks for none.
bool tamper(Input& input, Bytes& bytes) {
  if (bytes.empty()) return false;
  const std::size_t at = (std::size_t{input.byte()} << 8 | input.byte()) % bytes.size();
  const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  switch (input.byte() % 4) {
    case 0: return false;
    case 1: {
      const std::uint8_t change = input.byte();
      bytes[at] ^= change;
      return change != 0;
    }
    case 2: bytes.erase(place); return true;
    default: bytes.insert(place, bytes[at] ^ std::uint8_t{0x55}); return true;  // not the same as behind it
  }
}

/// A real conversation with changes under way: nothing is told that was not said, and without a change all
/// of it is.
void converse(Input& input) {
  End a(true, 7), b(false, 8);
  Bytes to_a, to_b, said;
  bool changed = false;
  bool alive = a.receive({}, to_b);
  for (int i = 0; alive && i < 3; ++i) {
    Bytes& bytes = i % 2 == 0 ? to_b : to_a;
    changed |= tamper(input, bytes);
    alive = (i % 2 == 0 ? b : a).receive(bytes, i % 2 == 0 ? to_a : to_b);
    bytes.clear();
  }
  P2PA_ASSERT(changed || (alive && a.channel.established() && b.channel.established()));
  if (changed) {
    P2PA_ASSERT(!b.channel.established());
    return;
  }
  P2PA_ASSERT(a.channel.muxer() == "/yamux/1.0.0" && b.channel.muxer() == "/yamux/1.0.0");
  while (!input.empty() && alive) {
    const ByteView text = input.take(input.byte());
    Bytes record(text.size() + a.channel.seal_overhead());
    P2PA_ASSERT(a.channel.seal(text, record) == record.size());
    said.insert(said.end(), text.begin(), text.end());
    changed |= tamper(input, record);
    alive = b.receive(record, to_a);
    P2PA_ASSERT(b.plain.size() <= said.size() && std::equal(b.plain.begin(), b.plain.end(), said.begin()));
  }
  P2PA_ASSERT(changed || b.plain == said);
}

void round_trip(ByteView bytes) {
  const auto payload = noise::decode(bytes);
  if (!payload) return;
  P2PA_ASSERT(payload->muxers.size() <= noise::kMuxersMax);
  const Bytes written = noise::encode(*payload);
  const auto again = noise::decode(written);
  P2PA_ASSERT(again && noise::encode(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  const std::uint8_t what = input.byte();
  const ByteView rest = input.take(size);
  switch (what % 4) {
    case 0:
      round_trip(rest);
      answer_with(rest);
      break;
    case 1: feed(true, rest, std::size_t{1} + what / 4); break;
    case 2: feed(false, rest, std::size_t{1} + what / 4); break;
    default: {
      Input script(rest);
      converse(script);
    }
  }
  return 0;
}
