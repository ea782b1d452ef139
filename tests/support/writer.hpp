#pragma once
// What tests write to streams.

#include <string>
#include <string_view>

#include "transport/connection.hpp"

namespace p2pa::test {

/// Bytes that tell where they belong.
inline std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 7 + i / 251);
  return out;
}

/// Keeps writing `rest` to a stream as room appears, and finishes it.
struct Writer {
  Connection& connection;
  StreamId stream;
  std::string_view rest;

  void go() {
    while (!rest.empty()) {
      const auto n = connection.write(stream, as_bytes(rest));
      if (!n || *n == 0) return;
      rest = rest.substr(*n);
    }
    connection.finish(stream);
  }
};

}  // namespace p2pa::test
