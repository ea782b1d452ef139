#pragma once
// The head of an HTTP/1.1 message (RFC 9112), as far as a WebSocket's greeting and a proxy's tunnel need it:
// strict, since two who read one head differently can be played against each other.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa::http {

/// Views into the text that it was read from.
class HttpHead {
 public:
  /// What browsers and proxies send is a fifth of it.
  static constexpr std::size_t kFieldsMax = 128;

  /// `text`: the start line and the fields, each with its CRLF. kMalformed: any other text; a line that is
  /// folded, a name that is no token, characters that no value has, or more than kFieldsMax fields.
  static Result<HttpHead> parse(std::string_view text);

  std::string_view start_line() const { return start_line_; }
  /// The value of the only field of this name, whatever its case; nothing when there is none, or several.
  std::optional<std::string_view> one(std::string_view name) const;
  bool has(std::string_view name) const;
  /// Is `token`, whatever its case, in the lists of the fields of this name (RFC 9110 §5.6.1)?
  bool lists(std::string_view name, std::string_view token) const;

 private:
  struct Field {
    std::string_view name, value;
  };

  std::string_view start_line_;
  std::vector<Field> fields_;
};

/// The same text, of whatever case its ASCII letters are?
bool same_but_for_case(std::string_view a, std::string_view b);

/// Of a response's start line, "HTTP/1.1 101 Switching Protocols", where the words are anything or nothing
/// (RFC 9112 §4): 100 to 599 (RFC 9110 §15). Nothing: it is none of HTTP/1.
std::optional<unsigned> status_of(std::string_view start_line);

/// Gathers a head from bytes as they come, and sees at once that they are something else than text.
class HeadReader {
 public:
  static constexpr std::size_t kHeadBytesMax = 8 * 1024;

  /// Says how much of `bytes` it took: nothing behind the end of the head. REQUIRES !complete(). kMalformed:
  /// control characters, a line that ends in anything but CRLF, or more than kHeadBytesMax.
  Result<std::size_t> take(ByteView bytes);
  bool complete() const { return ending_ == kEnd.size(); }
  /// As far as it came.
  std::string_view so_far() const { return text_; }
  /// Without the empty line. REQUIRES complete().
  std::string_view text() const;
  /// Of no more use.
  void release() { text_ = std::string(); }

 private:
  static constexpr std::string_view kEnd = "\r\n\r\n";

  std::string text_;
  std::size_t ending_ = 0;  // how much of kEnd the text ends with
};

}  // namespace p2pa::http
