#pragma once
// The two packets of the code (wire: docs/wire/fec.md).

#include <cstdint>
#include <variant>

#include "fec/code.hpp"
#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::fec {

inline constexpr std::size_t kSourceHeaderBytes = 5, kRepairHeaderBytes = 7;
/// The most that a packet has beside a body of the largest size.
inline constexpr std::size_t kPacketOverheadMax = kRepairHeaderBytes + kLengthBytes;
inline constexpr std::size_t kPacketBytesMax = kPacketOverheadMax + kBodyBytesMax;

/// A body as it is.
struct Source {
  std::uint32_t number = 0;  ///< counts up by one, and begins anew behind 2^32 - 1
  ByteView body;
};
/// The combination of bodies that follow each other.
struct Repair {
  std::uint32_t first = 0;  ///< number of the first body
  std::uint8_t count = 0;   ///< 1 to kWindowMax of them
  std::uint8_t number = 0;  ///< of the repair: chooses the factors
  ByteView symbol;          ///< as long as the longest of theirs
};
using Packet = std::variant<Source, Repair>;

/// Views point into `packet`. kTruncated, kMalformed, kMessageTooLarge.
Result<Packet> decode_packet(ByteView packet);
void append_packet(Bytes& out, const Source& source);
void append_packet(Bytes& out, const Repair& repair);
/// By its first byte alone.
bool is_repair(ByteView packet);

}  // namespace p2pa::fec
