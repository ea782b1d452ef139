#pragma once
#include <string>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::io {

/// All of a regular file. kIo: it cannot be read (detail: errno). kMessageTooLarge: it is over `size_max` bytes.
/// kInvalidArgument: it is no regular file, so that reading it might wait.
Result<Bytes> read_file(const std::string& path, std::size_t size_max);

}  // namespace p2pa::io
