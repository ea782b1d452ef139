#pragma once
// The streams of a node: stable addresses, reused storage, and a list per connection.

#include <memory>
#include <optional>
#include <vector>

#include "resource/manager.hpp"
#include "transport/stream.hpp"

namespace p2pa::swarm {

/// A stream in its place. `generation` changes when the place is reused, so that whoever kept
/// (slot, generation) can tell.
struct StreamSlot {
  std::optional<Stream> stream;
  resource::Reservation reservation;
  std::uint32_t generation = 0;
  StreamSlot* next = nullptr;  ///< list of the connection, or of the free slots
  StreamSlot* previous = nullptr;
};

/// The live streams of one connection.
struct StreamList {
  StreamSlot* first = nullptr;
  std::uint32_t count = 0;
};

/// Slots live as long as the pool; only as many exist as were ever in use at once.
class StreamPool {
 public:
  StreamSlot& acquire(StreamList& list, Connection& connection, StreamId id,
                      resource::Reservation reservation);
  void release(StreamList& list, StreamSlot& slot);

 private:
  std::vector<std::unique_ptr<StreamSlot>> slots_;
  StreamSlot* free_ = nullptr;
};

}  // namespace p2pa::swarm
