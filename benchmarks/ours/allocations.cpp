// Counts what is asked of the heap. Defined in the program, these stand before glibc's own, also for
// the shared libraries; operator new comes here through malloc.
#include "allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

std::atomic<std::uint64_t> count{0};
void note() { count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

}  // namespace

std::uint64_t bench::allocations_count() { return count.load(std::memory_order_relaxed); }

extern "C" {

[[gnu::visibility("default")]] void* malloc(std::size_t size) {
  note();
  return __libc_malloc(size);
}
[[gnu::visibility("default")]] void* calloc(std::size_t number, std::size_t size) {
  note();
  return __libc_calloc(number, size);
}
[[gnu::visibility("default")]] void* realloc(void* old, std::size_t size) {
  note();
  return __libc_realloc(old, size);
}
[[gnu::visibility("default")]] void* memalign(std::size_t alignment, std::size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
[[gnu::visibility("default")]] void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return memalign(alignment, size);
}
[[gnu::visibility("default")]] int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}

}  // extern "C"
