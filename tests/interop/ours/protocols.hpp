#pragma once
// What every peer of the interop tests serves (../README.md, "Protocols").

#include <optional>

#include "peer.hpp"

namespace interop {

inline constexpr const char* kEcho = "/p2pagents/interop/echo/1.0.0";
inline constexpr const char* kHalfClose = "/p2pagents/interop/half-close/1.0.0";
inline constexpr const char* kCount = "/p2pagents/interop/count/1.0.0";
inline constexpr const char* kReset = "/p2pagents/interop/reset/1.0.0";
inline constexpr const char* kPerf = "/perf/1.0.0";
inline constexpr const char* kUnsupported = "/p2pagents/interop/none/1.0.0";
inline constexpr std::uint64_t kResetCode = 42;

/// Serves echo, half-close, reset and perf; events are printed when `report`.
bool serve_all(p2pa::Node& node, bool report);

/// Serves count: what the other end counted is put into `counted`, which outlives the node.
bool serve_count(p2pa::Node& node, std::optional<std::uint64_t>& counted);

/// "fin", "reset" or "error", and the code of a reset.
void add_end(Json& object, const p2pa::Error& why);

/// Drops what has arrived; says how much it was.
std::uint64_t drain(p2pa::AgentStream& stream);
/// The number as 8 or 4 bytes, most significant first, and back.
p2pa::Bytes big_endian(std::uint64_t number);
p2pa::Bytes big_endian32(std::uint32_t number);
std::uint64_t from_big_endian(p2pa::ByteView bytes);

}  // namespace interop
