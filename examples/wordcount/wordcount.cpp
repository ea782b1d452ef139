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

}  // namespace

Counts count_words(std::string_view text) {
  Counts counts;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_letter(text[i])) {
      const char c = text[i];
      word.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (!word.empty()) {
      ++counts[word];
      word.clear();
    }
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
  while (text.size() > size) {
    std::size_t cut = size;
    while (cut > 0 && is_letter(text[cut]) && is_letter(text[cut - 1])) --cut;
    if (cut == 0) {  // one word longer than a piece stays whole
      cut = size;
      while (cut < text.size() && is_letter(text[cut])) ++cut;
    }
    pieces.push_back(text.substr(0, cut));
    text.remove_prefix(cut);
  }
  if (!text.empty()) pieces.push_back(text);
  return pieces;
}

}  // namespace wordcount
