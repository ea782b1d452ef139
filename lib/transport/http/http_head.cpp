#include "transport/http/http_head.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace p2pa::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n", kBlank = " \t";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// RFC 9110 §5.6.2
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || kMarks.contains(c);
  });
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(kBlank);
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

/// What stands in front of `mark`, and takes both from the text. Without the mark: all of it.
std::string_view cut(std::string_view& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + mark.size());
  return part;
}

std::unexpected<Error> malformed(const char* why) { return fail(Code::kMalformed, why); }

}  // namespace

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

Result<HttpHead> HttpHead::parse(std::string_view text) {
  if (!text.ends_with(kLineEnd) || text.starts_with(kLineEnd)) return malformed("HTTP: no start line");
  HttpHead head;
  head.start_line_ = cut(text, kLineEnd);
  if (std::ranges::any_of(head.start_line_, is_control)) return malformed("HTTP: a control character");
  while (!text.empty()) {
    std::string_view line = cut(text, kLineEnd);
    if (head.fields_.size() == kFieldsMax) return malformed("HTTP: too many fields");
    if (std::ranges::any_of(line, is_control)) return malformed("HTTP: a control character");
    if (!line.contains(':')) return malformed("HTTP: a field without a colon");
    const std::string_view name = cut(line, ":");
    if (!is_token(name)) return malformed("HTTP: not the name of a field");  // a folded line begins so, too
    head.fields_.push_back({name, trimmed(line)});
  }
  return head;
}

std::optional<std::string_view> HttpHead::one(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const Field& field : fields_) {
    if (!same_but_for_case(field.name, name)) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found;
}

bool HttpHead::has(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](const auto& field) { return same_but_for_case(field.name, name); });
}

bool HttpHead::lists(std::string_view name, std::string_view token) const {
  for (const Field& field : fields_) {
    if (!same_but_for_case(field.name, name)) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      if (same_but_for_case(trimmed(cut(rest, ",")), token)) return true;
    }
  }
  return false;
}

std::optional<unsigned> status_of(std::string_view start_line) {
  constexpr std::string_view kHttp = "HTTP/1.";
  constexpr std::size_t kFrom = kHttp.size() + 2, kDigits = 3, kUntil = kFrom + kDigits;
  if (!start_line.starts_with(kHttp) || start_line.size() < kUntil) return std::nullopt;
  if (!is_digit(start_line[kHttp.size()]) || start_line[kFrom - 1] != ' ') return std::nullopt;
  if (start_line.size() > kUntil && start_line[kUntil] != ' ') return std::nullopt;
  unsigned status = 0;
  for (const char c : start_line.substr(kFrom, kDigits)) {
    if (!is_digit(c)) return std::nullopt;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  return status >= 100 && status <= 599 ? std::optional(status) : std::nullopt;
}

Result<std::size_t> HeadReader::take(ByteView bytes) {
  P2PA_ASSERT(!complete());
  std::size_t taken = 0;
  while (taken < bytes.size() && !complete()) {
    if (text_.size() == kHeadBytesMax) return malformed("HTTP: the head is too long");
    const char c = as_text(bytes)[taken++];
    const bool inside_end = ending_ % 2 == 1;  // behind a CR
    if (c == kEnd[ending_]) {
      ++ending_;
    } else if (inside_end || kLineEnd.contains(c)) {
      return malformed("HTTP: half of a line's end");
    } else if (is_control(c)) {
      return malformed("HTTP: a control character");
    } else {
      ending_ = 0;
    }
    text_ += c;
  }
  return taken;
}

std::string_view HeadReader::text() const {
  P2PA_ASSERT(complete());
  return std::string_view(text_).substr(0, text_.size() - kLineEnd.size());
}

}  // namespace p2pa::http
