#pragma once
// A dialer by hand: our handshake, and then packets of whatever frames.

#include <initializer_list>
#include <optional>

#include "base/assert.hpp"
#include "support/udp_pair.hpp"
#include "transport/udp/frame_codec.hpp"
#include "transport/udp/handshake.hpp"
#include "transport/udp/session_keys.hpp"

namespace p2pa::test {

/// Speaks for side a of the pair with side b; what b answers ends in `heard`.
class UdpHand {
 public:
  explicit UdpHand(UdpPair& pair, const udp::Parameters& parameters)
      : pair_(pair),
        identity_(pair.a.key, pair.a.rng),
        handshake_(true, identity_, Bytes(32, 5), kOwnCid, {}, parameters) {
    pair.filter = [this](UdpPair::Flight& flight) {
      heard.push_back(flight.bytes);
      return false;
    };
    say(encode(udp::InitialPacket{kOwnCid, {}, handshake_.first()}));
    const Bytes cookie = heard.at(0);
    say(encode(udp::InitialPacket{kOwnCid, udp::decode_cookie(cookie)->cookie, handshake_.first()}));
    const Bytes second = heard.at(0);
    const auto response = udp::decode_response(second);
    theirs_ = response->source;
    say(encode(udp::FinishPacket{theirs_, *handshake_.answer_second(response->message)}));
    crypto::SecretBytes<32> sending, receiving;
    handshake_.split(sending.span(), receiving.span());
    const bool aes = parameters.aes && handshake_.theirs().aes;
    keys_.emplace(aes ? udp::Cipher::kAes256Gcm : udp::Cipher::kChacha20Poly1305, sending.view(), receiving.view());
    P2PA_ASSERT(pair.b.told.connection() != nullptr);
  }
  UdpHand(const UdpHand&) = delete;
  UdpHand& operator=(const UdpHand&) = delete;

  void say(ByteView datagram) {
    heard.clear();
    pair_.arrive({pair_.now, 1, pair_.a.where, pair_.b.where, Bytes(datagram.begin(), datagram.end())});
    while (pair_.settle()) {
    }
  }
  /// In the next packet; padded where it is too short.
  void send(Bytes frames) {
    frames.resize(std::max(frames.size(), udp::kDataSizeMin - udp::kDataHeaderSize - udp::kTagSize));
    Bytes packet(udp::kDataHeaderSize + frames.size() + udp::kTagSize);
    keys_->seal(theirs_, number_++, frames, packet);
    say(packet);
  }
  void send(std::initializer_list<udp::Frame> frames) {
    Bytes plain;
    for (const udp::Frame& frame : frames) append(plain, frame);
    send(plain);
  }

  /// What b said of itself in the handshake.
  const udp::Parameters& theirs() const { return handshake_.theirs(); }

  std::vector<Bytes> heard;

 private:
  static constexpr udp::Cid kOwnCid = 77;

  UdpPair& pair_;
  noise::Identity identity_;
  udp::Handshake handshake_;
  udp::Cid theirs_ = 0;
  std::optional<udp::SessionKeys> keys_;
  std::uint64_t number_ = 0;
};

}  // namespace p2pa::test
