#pragma once
// What the streams of all connections of one endpoint have in common.

#include <vector>

#include "resource/manager.hpp"
#include "transport/mux/chunk_pool.hpp"
#include "transport/mux/event_queue.hpp"

namespace p2pa::mux {

class Streams;

struct Shared {
  explicit Shared(resource::Manager& manager) : resources(manager) {}

  resource::Manager& resources;
  ChunkPool chunks;
  EventQueue events;
  std::vector<Streams*> starved;  ///< of connections whose writes met a bound on memory
};

}  // namespace p2pa::mux
