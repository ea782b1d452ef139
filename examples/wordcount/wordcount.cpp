#include "wordcount.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace wordcount {
namespace {

bool is_letter(char c) {
  const auto u = static_cast<unsigned char>(c);
  return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u > 127;
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Does a UTF-8 character go on with this byte?
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Size of the word at the beginning of the text; 0: there is none.
std::size_t word_size(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && size < kWordBytesMax && is_letter(text[size])) ++size;
  if (size < kWordBytesMax || size == text.size()) return size;
  std::size_t cut = size;
  while (cut > 0 && is_continuation(text[cut])) --cut;
  return cut > 0 ? cut : size;  // not UTF-8: any cut is as good
}

}  // namespace

Counts count_words(std::string_view text) {
  Counts counts;
  std::string word;
  while (!text.empty()) {
    const std::size_t size = word_size(text);
    if (size > 0) {
      word.resize(size);
      std::ranges::transform(text.substr(0, size), word.begin(), to_lower);
      ++counts[word];
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return counts;
}

void merge(Counts& into, const Counts& from) {
  for (const auto& [word, count] : from) into[word] += count;
}

std::string encode(const Counts& counts) {
  std::string out;
  for (const auto& [word, count] : counts) out += word + ' ' + std::to_string(count) + '\n';
  return out;
}

bool decode(std::string_view text, Counts& out) {
  while (!text.empty()) {
    const auto line_end = text.find('\n');
    const auto space = text.find(' ');
    if (line_end == text.npos || space == text.npos || space == 0 || space > line_end) return false;
    std::uint64_t count = 0;
    const char* end = text.data() + line_end;
    const auto number = std::from_chars(text.data() + space + 1, end, count);
    if (number.ec != std::errc{} || number.ptr != end) return false;
    out[std::string(text.substr(0, space))] += count;
    text.remove_prefix(line_end + 1);
  }
  return true;
}

std::uint64_t total(const Counts& counts) {
  std::uint64_t sum = 0;
  for (const auto& [word, count] : counts) sum += count;
  return sum;
}

std::vector<std::pair<std::string, std::uint64_t>> top(const Counts& counts, std::size_t n) {
  std::vector<std::pair<std::string, std::uint64_t>> all(counts.begin(), counts.end());
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a.second > b.second; });
  all.resize(std::min(n, all.size()));
  return all;
}

std::string digest(const Counts& counts) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : encode(counts)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::vector<std::string_view> split(std::string_view text, std::size_t size) {
  std::vector<std::string_view> pieces;
  std::size_t cut = 0;
  while (cut < text.size()) {
    const std::size_t next = std::max<std::size_t>(word_size(text.substr(cut)), 1);
    if (cut > 0 && cut + next > size) {
      pieces.push_back(text.substr(0, cut));
      text.remove_prefix(cut);
      cut = 0;
    } else {
      cut += next;
    }
  }
  if (!text.empty()) pieces.push_back(text);
  return pieces;
}

}  // namespace wordcount
