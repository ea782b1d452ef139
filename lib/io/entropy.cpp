#include "io/entropy.hpp"

#include <uv.h>

#include <ctime>

namespace p2pa::io {

Result<void> fill_entropy(MutableBytes out) {
  const int status = uv_random(nullptr, nullptr, out.data(), out.size(), 0, nullptr);
  if (status != 0) {
    return fail(Code::kIo, "no entropy from the system", static_cast<std::uint64_t>(-status));
  }
  return {};
}

std::int64_t unix_time() { return static_cast<std::int64_t>(std::time(nullptr)); }

}  // namespace p2pa::io
