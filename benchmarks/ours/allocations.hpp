#pragma once
#include <cstdint>

namespace bench {

/// How often memory was asked for in this process, by anybody: operator new, malloc, the libraries.
std::uint64_t allocations_count();

}  // namespace bench
