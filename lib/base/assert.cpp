#include "base/assert.hpp"

#include <atomic>
#include <cstdlib>

namespace p2pa {

namespace {
// The one mutable global of the library: an assertion has no object through which to reach its host.
std::atomic<AssertHandler> g_handler{nullptr};
}  // namespace

void set_assert_handler(AssertHandler handler) noexcept { g_handler.store(handler); }

void assertion_failed(const char* expression, const char* file, int line) {
  if (const AssertHandler handler = g_handler.load()) handler(expression, file, line);
  std::abort();  // tidy-allow: the trap of a host that installed no handler
}

}  // namespace p2pa
