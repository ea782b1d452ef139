#include "io/append_files.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::io {

void AppendFiles::append(const std::string& path, ByteView bytes) {
  if (bytes.empty()) return;
  auto found = std::ranges::find(files_, path, &File::path);
  if (found == files_.end()) {
    std::FILE* const opened = std::fopen(path.c_str(), "abe");  // e: not for child processes
    if (opened == nullptr) return;
    if (files_.size() == kOpenMax) files_.erase(files_.begin());
    files_.push_back({path, std::unique_ptr<std::FILE, Close>(opened)});
  } else {
    std::rotate(found, found + 1, files_.end());
  }
  std::fwrite(bytes.data(), 1, bytes.size(), files_.back().file.get());
}

void AppendFiles::flush() {
  for (const File& file : files_) std::fflush(file.file.get());
}

}  // namespace p2pa::io
