#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "p2pagents/bytes.hpp"

namespace p2pa::fuzz {

/// The input of a target as a script, taken from the front; zeros when it is used up.
class Input {
 public:
  explicit Input(ByteView bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() { return empty() ? std::uint8_t{0} : take(1)[0]; }
  ByteView take(std::size_t n) {
    const ByteView taken = bytes_.first(std::min(n, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  /// One of them. REQUIRES that there are some.
  template <class Container>
  auto& choose(Container& from) {
    return from[byte() % std::size(from)];
  }

 private:
  ByteView bytes_;
};

}  // namespace p2pa::fuzz
