#pragma once
// The text that the demo works on.

#include <string>
#include <vector>

namespace p2pa_tool {

/// Never more than this is read, whatever the folder holds.
inline constexpr std::size_t kCorpusBytesMax = std::size_t{256} << 20;

struct Corpus {
  std::string text;  ///< all files, a newline between two
  std::size_t files = 0;
  bool truncated = false;  ///< kCorpusBytesMax was reached
};

/// Every text file below the folders (one without a NUL byte at its beginning), in order of name.
Corpus read_corpus(const std::vector<std::string>& folders);

}  // namespace p2pa_tool
