#pragma once
// The text that the demo works on.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace p2pa_tool {

/// Never more than this is read, whatever the folder holds.
inline constexpr std::size_t kCorpusBytesMax = std::size_t{256} << 20;

struct Corpus {
  std::string text;               ///< all files, a newline after each
  std::vector<std::size_t> ends;  ///< where each file ends in it
  bool truncated = false;         ///< kCorpusBytesMax was reached

  std::size_t files() const { return ends.size(); }
  std::string_view file(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(begin, ends[i] - begin);
  }
};

/// Every text file below the folders (one without a NUL byte at its beginning), in order of name.
/// `progress` hears after each file how many bytes there are.
Corpus read_corpus(const std::vector<std::string>& folders, std::function<void(std::size_t)> progress);

}  // namespace p2pa_tool
