#pragma once
// Files that only grow (qlog).

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "p2pagents/bytes.hpp"

namespace p2pa::io {

/// Buffered appends. A file that cannot be written is given up silently: what is written here is a
/// help for people, and the node goes on without it.
class AppendFiles final {
 public:
  /// Open at one time; the one that was not written for longest gives way.
  static constexpr std::size_t kOpenMax = 32;

  void append(const std::string& path, ByteView bytes);
  /// Hands everything to the system.
  void flush();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct File {
    std::string path;
    std::unique_ptr<std::FILE, Close> file;
  };
  std::vector<File> files_;  // the one written last is at the end
};

}  // namespace p2pa::io
