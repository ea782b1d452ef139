#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

#include "base/timer_queue.hpp"
#include "crypto/rng.hpp"

using namespace p2pa;

TEST_CASE("timers come out when they are due, the soonest first") {
  TimerQueue<int> timers;
  CHECK(timers.next() == kNever);
  timers.set(1, Instant{30});
  timers.set(2, Instant{10});
  timers.set(3, Instant{20});
  CHECK(timers.next() == Instant{10});
  CHECK_FALSE(timers.pop_due(Instant{9}));
  CHECK(timers.pop_due(Instant{20}) == 2);
  CHECK(timers.pop_due(Instant{20}) == 3);
  CHECK_FALSE(timers.pop_due(Instant{20}));
  CHECK(timers.size() == 1);
}

TEST_CASE("equal deadlines come out in the order in which they were set") {
  TimerQueue<int> timers;
  for (const int id : {5, 1, 4, 2, 3}) timers.set(id, Instant{7});
  timers.set(1, Instant{8});
  timers.set(1, Instant{7});  // now the last of them
  timers.set(5, Instant{7});  // no change
  for (const int id : {5, 4, 2, 3, 1}) CHECK(timers.pop_due(Instant{7}) == id);
}

TEST_CASE("setting a deadline to never cancels it, and cancelling nobody does nothing") {
  TimerQueue<int> timers;
  timers.set(1, Instant{5});
  timers.set(2, kNever);
  CHECK(timers.size() == 1);
  timers.set(1, kNever);
  timers.cancel(9);
  CHECK(timers.empty());
  CHECK_FALSE(timers.pop_due(kNever));
}

TEST_CASE("a timer queue behaves like a sorted list, under any operations") {
  struct Deadline {
    std::int64_t at;
    std::uint64_t order;
    auto operator<=>(const Deadline&) const = default;
  };
  TimerQueue<int> timers;
  std::map<int, Deadline> model;
  std::uint64_t order = 0;
  Rng rng(Bytes(32, 4));
  const auto soonest = [&] {
    return std::min_element(model.begin(), model.end(),
                            [](auto& a, auto& b) { return a.second < b.second; });
  };
  for (int i = 0; i < 50'000; ++i) {
    const int id = static_cast<int>(rng.below(60));
    const auto at = static_cast<std::int64_t>(rng.below(100));
    switch (rng.below(4)) {
      case 0:
        timers.cancel(id);
        model.erase(id);
        break;
      case 1: {
        const auto first = soonest();
        const auto popped = timers.pop_due(Instant{at});
        const bool due = first != model.end() && first->second.at <= at;
        REQUIRE(popped.has_value() == due);
        if (due) {
          REQUIRE(*popped == first->first);
          model.erase(first);
        }
        break;
      }
      default: {
        timers.set(id, Instant{at});
        const auto known = model.find(id);
        if (known == model.end() || known->second.at != at) model[id] = {at, order++};
      }
    }
    REQUIRE(timers.size() == model.size());
    REQUIRE(timers.next() == (model.empty() ? kNever : Instant{soonest()->second.at}));
  }
}
