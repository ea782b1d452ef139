#pragma once
// What a core is given once, at its birth: entropy and the date.

#include <cstdint>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::io {

/// Entropy of the operating system. Errors: kIo (detail: errno).
Result<void> fill_entropy(MutableBytes out);

/// Wall clock, seconds since 1970.
std::int64_t unix_time();

}  // namespace p2pa::io
