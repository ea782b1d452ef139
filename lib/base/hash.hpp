#pragma once
#include <cstdint>

#include "p2pagents/bytes.hpp"

namespace p2pa {

/// FNV-1a in steps of eight bytes with a final mix: quick, and the same on every run and machine, so
/// that no order leaks into the world. Not for secrets, and not against an adversary: every table that
/// a peer can fill has a bound.
std::uint64_t stable_hash(ByteView bytes, std::uint64_t seed = 0) noexcept;

}  // namespace p2pa
