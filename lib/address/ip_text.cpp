#include "address/ip_text.hpp"

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"

namespace p2pa {

namespace {

constexpr std::size_t kGroups = 8;  // of 16 bits

template <class T>
std::optional<T> parse_all(std::string_view text, int radix) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, radix);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  return parse_all<std::uint16_t>(text, 16);
}

/// Groups separated by ':' written to the front of `out`; the last may be a dotted IPv4 address and
/// then counts for two. Answers how many bytes were written.
std::optional<std::size_t> parse_groups(std::string_view text, MutableBytes out) {
  std::size_t written = 0;
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view piece = text.substr(0, colon);
    if (colon == text.size() && piece.find('.') != piece.npos) {
      const auto ip4 = parse_ip4(piece);
      if (!ip4 || out.size() - written < ip4->size()) return std::nullopt;
      std::copy(ip4->begin(), ip4->end(), out.begin() + static_cast<std::ptrdiff_t>(written));
      return written + ip4->size();
    }
    const auto group = parse_group(piece);
    if (!group || out.size() - written < 2) return std::nullopt;
    out[written++] = static_cast<std::uint8_t>(*group >> 8);
    out[written++] = static_cast<std::uint8_t>(*group);
    if (colon == text.size()) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // ended in ':'
  }
  return written;
}

/// The longest run of zero groups, at least two, the first of equals (RFC 5952 §4.2).
struct ZeroRun {
  std::size_t begin = kGroups, size = 1;
};

ZeroRun longest_zero_run(const std::array<std::uint16_t, kGroups>& groups) {
  ZeroRun best;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i > best.size) best = {i, end - i};
    i = std::max(end, i + 1);
  }
  return best;
}

void append_hex(std::string& out, std::uint16_t value) {
  char digits[4];
  const auto result = std::to_chars(digits, digits + sizeof digits, value, 16);
  out.append(digits, result.ptr);
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  const auto value = parse_all<std::uint64_t>(text, 10);
  if (!value || *value > max) return std::nullopt;
  return value;
}

std::optional<Ip4Bytes> parse_ip4(std::string_view text) {
  Ip4Bytes bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t dot = i + 1 < bytes.size() ? text.find('.') : text.size();
    if (dot == text.npos) return std::nullopt;
    const std::string_view number = text.substr(0, dot);
    if (number.size() > 1 && number[0] == '0') return std::nullopt;
    const auto value = parse_decimal(number, 255);
    if (!value) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return bytes;
}

std::optional<Ip6Bytes> parse_ip6(std::string_view text) {
  Ip6Bytes bytes{};
  const std::size_t gap = text.find("::");
  if (gap == text.npos) {
    const auto size = parse_groups(text, bytes);
    return size == bytes.size() ? std::optional(bytes) : std::nullopt;
  }
  // A dotted end may stand only at the end of the whole.
  const std::string_view head = text.substr(0, gap);
  if (head.find('.') != head.npos) return std::nullopt;
  Ip6Bytes tail{};
  const auto head_size = parse_groups(head, bytes);
  const auto tail_size = parse_groups(text.substr(gap + 2), tail);
  if (!head_size || !tail_size) return std::nullopt;
  if (*head_size + *tail_size > bytes.size() - 2) return std::nullopt;  // "::" is a group or more
  std::copy_n(tail.begin(), *tail_size, bytes.end() - static_cast<std::ptrdiff_t>(*tail_size));
  return bytes;
}

void append_ip4(std::string& out, ByteView bytes) {
  P2PA_ASSERT(bytes.size() == 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += '.';
    out += std::to_string(bytes[i]);
  }
}

void append_ip6(std::string& out, ByteView bytes) {
  P2PA_ASSERT(bytes.size() == 16);
  std::array<std::uint16_t, kGroups> groups;
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  const ZeroRun run = longest_zero_run(groups);
  if (run.begin == 0 && run.size == 5 && groups[5] == 0xffff) {  // v4-mapped (RFC 5952 §5)
    out += "::ffff:";
    append_ip4(out, bytes.subspan(12));
    return;
  }
  for (std::size_t i = 0; i < kGroups;) {
    if (i == run.begin) {
      out += "::";
      i += run.size;
      continue;
    }
    if (i > 0 && i != run.begin + run.size) out += ':';
    append_hex(out, groups[i]);
    ++i;
  }
}

}  // namespace p2pa
