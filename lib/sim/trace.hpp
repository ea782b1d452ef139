#pragma once
#include <cstdint>

#include "base/hash.hpp"
#include "p2pagents/bytes.hpp"

namespace p2pa::sim {

/// A running hash of everything that happened, in order.
class Trace final {
 public:
  void add(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e37'79b9'7f4a'7c15;
    hash_ ^= hash_ >> 32;
  }
  void add(ByteView bytes) { add(stable_hash(bytes)); }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0x7032'7061'6765'6e74;
};

}  // namespace p2pa::sim
