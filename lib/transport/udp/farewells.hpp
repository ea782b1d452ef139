#pragma once
// Sessions that have closed and still say so (docs/wire/udp.md §frames, close).

#include <cstdint>
#include <map>

#include "transport/udp/shared.hpp"

namespace p2pa::udp {

/// CLOSE is not acknowledged: it is sent three times, and to who did not hear it.
class Farewells final {
 public:
  static constexpr int kTimes = 3;

  /// Over Endpoint::kFarewellsMax the oldest is forgotten.
  void add(Instant now, Farewell farewell);
  /// True when the id was one of theirs.
  bool handle(Cid cid);
  Instant next_deadline() const;
  void on_deadline(Instant now);
  /// Copies what is to be sent now. False: nothing.
  bool pop(MutableBytes buffer, Transmit& out);
  void lose_socket(SocketId socket);

 private:
  struct Entry {
    Farewell farewell;
    Instant at{};        // of the next time, or the end
    int said = 0;
    bool due = true;
    std::uint32_t heard = 0;
  };
  std::map<std::uint64_t, Entry> entries_;  // in the order of closing
  std::map<Cid, std::uint64_t> by_cid_;
  std::uint64_t next_ = 0;

  void forget(std::map<std::uint64_t, Entry>::iterator it);
};

}  // namespace p2pa::udp
