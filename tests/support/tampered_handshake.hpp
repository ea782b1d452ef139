#pragma once
// A handshake on whose way somebody changes one byte.

#include <utility>

#include "p2pagents/bytes.hpp"

namespace p2pa::test {

/// Carries what the two ends say (End: said(), feed()) until both are silent, and changes byte `at` of their
/// `flight`-th piece, the client's first one being 0. False: that piece has no such byte.
template <class End>
bool tamper_handshake(End& client, End& server, int flight, std::size_t at) {
  int number = 0;
  bool hit = false;
  for (bool moved = true; moved;) {
    moved = false;
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      Bytes bytes = from->said();
      if (bytes.empty()) continue;
      moved = true;
      if (number++ == flight && at < bytes.size()) {
        bytes[at] ^= 0x20;
        hit = true;
      }
      to->feed(bytes);
    }
  }
  return hit;
}

}  // namespace p2pa::test
