#pragma once
// The datagrams of a local network as they travel (wire: docs/wire/lan.md).

#include <array>
#include <cstdint>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/key_pair.hpp"

namespace p2pa::lan {

inline constexpr std::size_t kPacketBytesMax = 1200;
inline constexpr std::size_t kHeaderBytes = 46;
inline constexpr std::string_view kProtocolId = "/p2pagents/lan/1";

using Id16 = std::array<std::uint8_t, 16>;

enum class Kind : std::uint8_t { kMessage = 1, kChallenge = 2, kProof = 3 };

/// What every datagram begins with, never sealed.
struct Header {
  Kind kind = Kind::kMessage;
  Id16 network{};            ///< whose it is
  Id16 session{};            ///< random, of the sender's present life
  std::uint64_t number = 0;  ///< of the sender's datagrams in it, each its own

  friend bool operator==(const Header&, const Header&) = default;
};

void append_header(Bytes& out, const Header& header);
/// kMalformed: no datagram of ours, another version, or a size that none has.
Result<Header> decode_header(ByteView datagram);

/// The end of what is signed: key and signature, over header and body.
struct Signed {
  ByteView key;        ///< PublicKey protobuf
  ByteView signature;  ///< not verified
};

/// The bodies. Views point into what was decoded; a decoder answers kMalformed.
struct Message {
  std::string_view topic;  ///< 1 to kLanTopicBytesMax bytes of UTF-8
  ByteView bytes;
  Signed by{};
};
struct Challenge {
  Id16 session{};  ///< of whom is asked
  Id16 nonce{};
};
struct Proof {
  Id16 nonce{};              ///< as it was asked
  std::uint64_t oldest = 0;  ///< number of the first datagram that its sender holds for recent
  Signed by{};
};

/// Behind the header in `out`, which is signed too.
void append_message(Bytes& out, const KeyPair& key, std::string_view topic, ByteView message);
void append_challenge(Bytes& out, const Challenge& challenge, std::size_t body_bytes);  ///< zeros fill it up
void append_proof(Bytes& out, const KeyPair& key, const Id16& nonce, std::uint64_t oldest);
Result<Message> decode_message(ByteView body);
Result<Challenge> decode_challenge(ByteView body);
Result<Proof> decode_proof(ByteView body);

/// Did the owner of the key sign this header and body? kBadKey, kBadSignature: see PublicKey.
/// REQUIRES that `by` was decoded from `body`.
Result<void> verify(const Header& header, ByteView body, const Signed& by);

}  // namespace p2pa::lan
