#pragma once
// A peer over TCP that is the test's from Noise upwards: what it seals is any bytes.

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "crypto/rng.hpp"
#include "p2pagents/key_pair.hpp"
#include "transport/multistream/negotiation.hpp"
#include "transport/noise/noise_channel.hpp"

namespace p2pa::test {

class HandPeer {
 public:
  using Muxers = std::vector<std::string>;

  /// `muxers`: none, and it has to be said behind the handshake which one it is.
  HandPeer(bool initiator, const Muxers& muxers)
      : initiator_(initiator), identity_(key, rng_), channel(initiator, identity_, rng_, {}, muxers) {}

  /// What it has to say first.
  Bytes begin() {
    Bytes out;
    if (initiator_) {
      security_.propose("/noise", out);
    } else {
      security_.listen();
    }
    REQUIRE(channel.handshake({}, out));
    return out;
  }
  /// What it says to that, up to the end of the handshake; then what it hears is in `plain`.
  Bytes hear(ByteView bytes) {
    in_.insert(in_.end(), bytes.begin(), bytes.end());
    Bytes out;
    const auto take = [&](std::size_t n) {
      in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(n));
    };
    if (!security_.agreed()) {
      take(security_.advance(in_, [](std::string_view p) { return p == "/noise"; }, out).value().consumed);
    }
    if (security_.agreed() && !channel.established()) take(channel.handshake(in_, out).value());
    while (channel.established() && !in_.empty()) {
      Bytes room(SecureChannel::kPlainBytesMax);
      const auto progress = channel.open(in_, room).value();
      if (progress.taken == 0) break;
      plain.insert(plain.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(progress.made));
      take(progress.taken);
    }
    return out;
  }
  Bytes seal(ByteView text) {
    Bytes out(text.size() + channel.seal_overhead());
    out.resize(channel.seal(text, out));
    return out;
  }

  KeyPair key = KeyPair::from_seed(Bytes(32, 77));

 private:
  const bool initiator_;
  Rng rng_{Bytes(32, 78)};
  noise::Identity identity_;
  multistream::Negotiation security_;
  Bytes in_;

 public:
  noise::NoiseChannel channel;
  Bytes plain;
};

}  // namespace p2pa::test
