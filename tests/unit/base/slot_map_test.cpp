#include <catch2/catch.hpp>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/slot_map.hpp"
#include "crypto/rng.hpp"

using namespace p2pa;

TEST_CASE("a handle finds its value until the value is erased, and nothing afterwards") {
  SlotMap<int> map;
  const auto a = map.emplace(1);
  const auto b = map.emplace(2);
  CHECK(a != 0);
  CHECK(*map.find(a) == 1);
  CHECK(map.erase(a));
  CHECK_FALSE(map.erase(a));
  CHECK(map.find(a) == nullptr);
  const auto c = map.emplace(3);  // takes the slot of a
  CHECK(static_cast<std::uint32_t>(c) == static_cast<std::uint32_t>(a));
  CHECK(map.find(a) == nullptr);
  CHECK(*map.find(c) == 3);
  CHECK(*map.find(b) == 2);
}

TEST_CASE("handles that nobody gave out find nothing") {
  SlotMap<int> map;
  CHECK(map.find(0) == nullptr);
  CHECK_FALSE(map.take(1));
  const auto a = map.emplace(1);
  CHECK(map.find(a + 1) == nullptr);
  CHECK(map.find(a & 0xffffffff) == nullptr);
  CHECK(map.find(~std::uint64_t{0}) == nullptr);
}

TEST_CASE("taking a value moves it out and frees its slot") {
  SlotMap<std::unique_ptr<int>> map;
  const auto a = map.emplace(std::make_unique<int>(7));
  auto taken = map.take(a);
  REQUIRE(taken);
  CHECK(**taken == 7);
  CHECK(map.empty());
  CHECK_FALSE(map.take(a));
}

TEST_CASE("a value's destructor may come back to the map") {
  struct Chain {
    SlotMap<Chain>* map = nullptr;
    SlotMap<Chain>::Handle next = 0;
    Chain(SlotMap<Chain>* m, SlotMap<Chain>::Handle n) : map(m), next(n) {}
    Chain(Chain&& o) noexcept : map(std::exchange(o.map, nullptr)), next(o.next) {}
    ~Chain() {
      if (map != nullptr) map->erase(next);
    }
  };
  SlotMap<Chain> map;
  SlotMap<Chain>::Handle last = 0;
  for (int i = 0; i < 5; ++i) last = map.emplace(&map, last);
  CHECK(map.erase(last));
  CHECK(map.empty());
}

TEST_CASE("a slot map behaves like a map from ever new names, under any operations") {
  SlotMap<int> map;
  std::map<SlotMap<int>::Handle, int> model;
  std::vector<SlotMap<int>::Handle> ever{0};
  Rng rng(Bytes(32, 3));
  for (int i = 0; i < 50'000; ++i) {
    const auto some = ever[rng.below(ever.size())];
    switch (rng.below(4)) {
      case 0: {
        const auto handle = map.emplace(i);
        CHECK(model.emplace(handle, i).second);
        ever.push_back(handle);
        break;
      }
      case 1: CHECK(map.erase(some) == (model.erase(some) == 1)); break;
      case 2: {
        const auto known = model.find(some);
        const auto taken = map.take(some);
        CHECK(taken.has_value() == (known != model.end()));
        if (taken) {
          CHECK(*taken == known->second);
          model.erase(known);
        }
        break;
      }
      default: {
        const auto known = model.find(some);
        const int* found = map.find(some);
        CHECK((found != nullptr) == (known != model.end()));
        if (found != nullptr) CHECK(*found == known->second);
      }
    }
    if (map.size() != model.size()) FAIL("sizes differ");
  }
  std::map<SlotMap<int>::Handle, int> visited;
  map.for_each([&](SlotMap<int>::Handle handle, int value) { visited.emplace(handle, value); });
  CHECK(visited == model);
  map.for_each([&](SlotMap<int>::Handle handle, int) { map.erase(handle); });
  CHECK(map.empty());
}
