#include "corpus.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

namespace p2pa_tool {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const std::string& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator it(folder, options, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored) && !it->is_symlink(ignored)) out.push_back(it->path());
  }
  std::ranges::sort(out);
  return out;
}

/// Empty when the file cannot be read or is not text.
std::string read_text(const fs::path& path, std::size_t bytes_max) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  std::string out;
  if (!file) return out;
  char buffer[65536];
  while (out.size() < bytes_max) {
    const std::size_t n = std::fread(buffer, 1, sizeof buffer, file.get());
    if (n == 0) break;
    if (out.empty() && std::find(buffer, buffer + n, '\0') != buffer + n) return {};
    if (out.empty() && n > 2 && buffer[0] == '\x1f' && buffer[1] == '\x8b') return {};  // gzip
    out.append(buffer, n);
  }
  return out;
}

}  // namespace

Corpus read_corpus(const std::vector<std::string>& folders, std::function<void(std::size_t)> progress) {
  Corpus corpus;
  for (const std::string& folder : folders) {
    for (const fs::path& path : files_below(folder)) {
      if (corpus.text.size() >= kCorpusBytesMax) {
        corpus.truncated = true;
        return corpus;
      }
      const std::string text = read_text(path, kCorpusBytesMax - corpus.text.size());
      if (text.empty()) continue;
      corpus.text += text;
      corpus.text += '\n';
      corpus.ends.push_back(corpus.text.size());
      progress(corpus.text.size());
    }
  }
  return corpus;
}

}  // namespace p2pa_tool
