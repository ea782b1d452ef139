#pragma once
// Our own bugs, on in release too. Bytes from a peer never reach one of these.

namespace p2pa {

/// Prints nothing and returns never: calls the installed handler, then traps. capi/ installs a
/// handler that throws, so that a host is never aborted; the entry point turns it into kInternal
/// and poisons the node.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

using AssertHandler = void (*)(const char* expression, const char* file, int line);
/// Process-wide, set once by capi/ or a test; nullptr restores the trap.
void set_assert_handler(AssertHandler handler) noexcept;

}  // namespace p2pa

#define P2PA_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::p2pa::assertion_failed(#expression, __FILE__, __LINE__))
