#include "sim/event_queue.hpp"

#include <catch2/catch.hpp>

#include "p2pagents/time.hpp"
#include "sim/deadline_heap.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// A small generator of the test's own, so that it stands without the module under it.
struct Numbers {
  std::uint64_t state;
  std::uint32_t below(std::uint32_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state >> 33) % bound;
  }
};

}  // namespace

TEST_CASE("events come in order of time, and of pushing within an instant") {
  EventQueue queue;
  CHECK(queue.empty());
  CHECK(queue.next() == kNever);
  const std::int64_t times[] = {5, 1, 5, 3, 1, 5};
  for (std::uint32_t i = 0; i < 6; ++i) queue.push(Instant{times[i]}, Event::Kind::kCall, i);
  std::vector<std::uint32_t> slots;
  while (!queue.empty()) slots.push_back(queue.pop().slot);
  CHECK(slots == std::vector<std::uint32_t>{1, 4, 3, 0, 2, 5});
}

TEST_CASE("the deadline heap agrees with a scan under random changes") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Numbers numbers{seed};
    DeadlineHeap heap;
    std::vector<Instant> model(50, kNever);
    for (int round = 0; round < 2000; ++round) {
      const std::uint32_t id = numbers.below(50);
      const Instant at = numbers.below(4) == 0 ? kNever : Instant{numbers.below(100)};
      heap.set(id, at);
      model[id] = at;
      std::uint32_t best = 0;
      for (std::uint32_t i = 1; i < 50; ++i) {
        if (model[i] < model[best]) best = i;
      }
      REQUIRE(heap.next() == model[best]);
      if (model[best] != kNever) REQUIRE(heap.top() == best);
    }
  }
}
