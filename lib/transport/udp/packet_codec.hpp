#pragma once
// The datagrams of a UDP session (docs/wire/udp.md §datagrams).

#include <array>
#include <cstddef>
#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::udp {

using Cid = std::uint64_t;  ///< by which one end of a session receives

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kInitialSize = 1200;
inline constexpr std::size_t kCookieSize = 24;
inline constexpr std::size_t kFirstMessageSize = 32;  ///< of Noise XX, without a payload
inline constexpr std::size_t kHandshakeBytesMax = 1200;
inline constexpr std::size_t kDataHeaderSize = 17;
inline constexpr std::size_t kTagSize = 16;
/// Packet numbers are smaller: so that they and what is computed with them fit a varint.
inline constexpr std::uint64_t kPacketNumberEnd = std::uint64_t{1} << 62;
/// Of a DATA packet; large enough to hold a PATH_CHALLENGE, so that an answer to one is never larger.
inline constexpr std::size_t kDataSizeMin = 42;

enum class PacketType : std::uint8_t { kInitial = 8, kCookie = 9, kResponse = 10, kFinish = 11, kData = 12 };

struct InitialPacket {
  Cid source = 0;
  ByteView cookie;   ///< none, or kCookieSize
  ByteView message;  ///< kFirstMessageSize
};
struct CookiePacket {
  Cid destination = 0;
  ByteView cookie;
};
struct ResponsePacket {
  Cid destination = 0, source = 0;
  ByteView message;
};
struct FinishPacket {
  Cid destination = 0;
  ByteView message;
};
struct DataHeader {
  Cid destination = 0;
  std::uint64_t number = 0;
  bool phase = false;  ///< of the key
};

/// Of kInitialSize.
Bytes encode(const InitialPacket& packet);
Bytes encode(const CookiePacket& packet);
Bytes encode(const ResponsePacket& packet);
Bytes encode(const FinishPacket& packet);
std::array<std::uint8_t, kDataHeaderSize> encode(const DataHeader& header);

/// What a datagram says it is. kMalformed: none of ours.
Result<PacketType> decode_type(ByteView datagram);
/// The packets are views into the datagram. kMalformed: of another type, too short, or too long.
/// kUnsupported: another version.
Result<InitialPacket> decode_initial(ByteView datagram);
Result<CookiePacket> decode_cookie(ByteView datagram);
Result<ResponsePacket> decode_response(ByteView datagram);
Result<FinishPacket> decode_finish(ByteView datagram);
/// The sealed frames stand behind the first kDataHeaderSize bytes, and there are some.
Result<DataHeader> decode_data(ByteView datagram);

}  // namespace p2pa::udp
