#pragma once
// The secure channel of libp2p by Noise_XX_25519_ChaChaPoly_SHA256 (spec: noise/README.md).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/rng.hpp"
#include "transport/noise/cipher_state.hpp"
#include "transport/noise/handshake_xx.hpp"
#include "transport/noise/identity.hpp"
#include "transport/noise/payload_codec.hpp"
#include "transport/secure/secure_channel.hpp"

namespace p2pa::noise {

/// How multistream knows it.
inline constexpr std::string_view kProtocol = "/noise";

/// One end. On the wire: messages behind their length of two bytes, three of the handshake and then as many
/// as there are records. A handshake message that is not complete is left to the caller, as a record is, so
/// that a channel holds no bytes of the peer.
class NoiseChannel final : public SecureChannel {
 public:
  /// `identity` is used until the handshake is over, `rng` only here. `expected`: whom it must be, empty for
  /// anybody. `muxers`: those that can be agreed on along the way, best first; without any, or when the peer
  /// names none, muxer() is empty. REQUIRES at most kMuxersMax, none empty or longer than kMuxerBytesMax.
  NoiseChannel(bool initiator, const Identity& identity, Rng& rng, const PeerId& expected,
               std::vector<std::string> muxers);

  /// Errors, of those of the port: kHandshake (not authentic, too short, no muxer in common), kMalformed (a
  /// payload where there is none, or not the one of libp2p), kBadKey (of the identity, or a static or
  /// ephemeral one of small order), kBadSignature, kPeerIdMismatch. There are no alerts.
  Result<std::size_t> handshake(ByteView in, Bytes& out) override;
  bool established() const override { return state_ == State::kEstablished; }
  const PeerId& peer() const override;
  std::string_view muxer() const override;

  /// Stops in front of a record that is not what the peer sealed next, and is told so with nothing before it.
  Result<Progress> open(ByteView in, MutableBytes out) override;
  std::size_t seal(ByteView plain, MutableBytes out) override;
  std::size_t seal_max() const override { return kMessageBytesMax - kTagSize; }
  std::size_t seal_overhead() const override { return kLengthSize + kTagSize; }
  void finish(Bytes& out) override;

 private:
  static constexpr std::size_t kLengthSize = 2;
  enum class State : std::uint8_t { kHandshake, kEstablished, kFailed };

  /// What is needed until the channel is established.
  struct Handshake {
    Handshake(bool is_initiator, const Identity& ours, ByteView ephemeral_secret, const PeerId& whom,
              std::vector<std::string> our_muxers);

    bool initiator;
    const Identity& identity;
    HandshakeXx messages;
    PeerId expected;
    std::vector<std::string> muxers;  // an initiator narrows them down to the one that was chosen
  };

  static std::optional<ByteView> first_message(ByteView in);
  Result<std::size_t> advance(ByteView in, Bytes& out);
  Result<void> send_message(Bytes& out);
  Result<void> receive_message(ByteView message);
  Result<void> receive_payload(ByteView protobuf);
  Result<void> choose_muxer(const std::vector<std::string_view>& theirs);
  Result<std::size_t> open_message(ByteView message, MutableBytes out);

  State state_ = State::kHandshake;
  std::unique_ptr<Handshake> handshake_;
  PeerId peer_;
  std::string muxer_;
  CipherState sending_, receiving_;
};

}  // namespace p2pa::noise
