#include "faults.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "base/assert.hpp"
#include "fault.hpp"

namespace {
std::atomic<bool> g_armed{false};
std::atomic<std::int64_t> g_left{0};
std::atomic<p2pa::test::Fault> g_fault{};
std::uint64_t g_n = 0;

bool strikes(bool allocation) noexcept {
  if (!g_armed.load(std::memory_order_relaxed)) return false;
  if (allocation != (g_fault.load() == p2pa::test::Fault::kAllocation)) return false;
  return g_left.fetch_sub(1) == 1;
}

void* allocate(std::size_t size) {
  if (strikes(true)) throw std::bad_alloc();
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return strikes(true) ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace p2pa::capi {
void fault_point() {
  if (!strikes(false)) return;
  if (g_fault.load() == test::Fault::kAssertion) assertion_failed("a fault on order", __FILE__, __LINE__);
  throw std::runtime_error("a fault on order");
}
}  // namespace p2pa::capi

namespace p2pa::test {

Armed::Armed(Fault fault, std::uint64_t n) noexcept {
  g_fault = fault;
  g_n = n;
  g_left = static_cast<std::int64_t>(n);
  g_armed = true;
}
Armed::~Armed() { g_armed = false; }
std::uint64_t Armed::used() const noexcept { return g_n - static_cast<std::uint64_t>(g_left.load()); }
bool Armed::struck() const noexcept { return g_left.load() <= 0; }

}  // namespace p2pa::test
