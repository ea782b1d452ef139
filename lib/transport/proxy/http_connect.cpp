#include "transport/proxy/http_connect.hpp"

#include <algorithm>
#include <utility>

#include "address/ip_text.hpp"
#include "base/assert.hpp"
#include "base/byte_writer.hpp"
#include "base/multibase.hpp"

namespace p2pa::proxy {

namespace {

constexpr std::string_view kVersion = "HTTP/1.";

std::unexpected<Error> malformed(const char* why) { return fail(Code::kMalformed, why); }

/// RFC 7617 §2. Base64 with its padding.
std::string basic(const Credentials& credentials) {
  std::string out = encode_base(Base::kBase64, as_bytes(credentials.user + ':' + credentials.password));
  while (out.size() % 4 != 0) out += '=';
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// RFC 9110 §5.6.2.
bool is_token_character(char c) {
  if (is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// `HTTP/1.1 200 what it thinks of it`. Some leave out the space when they think nothing.
Result<unsigned> parse_status_line(std::string_view line) {
  constexpr std::size_t kStatusAt = kVersion.size() + 2, kStatusEnd = kStatusAt + 3;
  const bool shaped = line.size() >= kStatusEnd && line.starts_with(kVersion) &&
                      is_digit(line[kVersion.size()]) && line[kStatusAt - 1] == ' ' &&
                      (line.size() == kStatusEnd || line[kStatusEnd] == ' ');
  if (!shaped) return malformed("http proxy: not a status line");
  const auto status = parse_decimal(line.substr(kStatusAt, 3), 599);  // RFC 9110 §15
  if (!status || *status < 100) return malformed("http proxy: not a status");
  return static_cast<unsigned>(*status);
}

/// `name: value`. A line that goes on with the one before it (RFC 9112 §5.2) is refused, as it says.
bool is_field_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || colon == 0) return false;
  return std::ranges::all_of(line.substr(0, colon), is_token_character);
}

const char* why_refused(unsigned status) {
  switch (status) {
    case 400: return "http proxy: takes our request for a bad one";
    case 401:
    case 407: return "http proxy: wants credentials, or others";
    case 403: return "http proxy: forbids to connect there";
    case 404: return "http proxy: does not find the host";
    case 405:
    case 501: return "http proxy: does not do CONNECT";
    case 429: return "http proxy: asked too often";
    case 502: return "http proxy: cannot connect there";
    case 503: return "http proxy: is not available";
    case 504: return "http proxy: got no answer from there";
    default: break;
  }
  if (status < 400) return "http proxy: points somewhere else";
  return status < 500 ? "http proxy: refuses the request" : "http proxy: failed";
}

}  // namespace

HttpConnect::HttpConnect(HostPort target, std::optional<Credentials> credentials)
    : target_(std::move(target)), credentials_(std::move(credentials)) {
  P2PA_ASSERT(!credentials_ || credentials_->fit_basic());
}

Result<void> HttpConnect::begin(Bytes& down) {
  const std::string authority = target_.to_string();
  ByteWriter writer(down);
  writer.append("CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n");
  if (credentials_) writer.append("Proxy-Authorization: Basic " + basic(*credentials_) + "\r\n");
  writer.append("\r\n");
  return {};
}

Result<void> HttpConnect::receive(ByteView bytes, Bytes& up, Bytes&) {
  while (!open_ && !bytes.empty()) {
    if (const auto taken = take(static_cast<char>(bytes.front())); !taken) return taken;
    bytes = bytes.subspan(1);
  }
  up.insert(up.end(), bytes.begin(), bytes.end());
  return {};
}

Result<void> HttpConnect::take(char c) {
  if (++header_bytes_ > kHeaderMax) {
    return fail(Code::kMalformed, "http proxy: the header is too long", kHeaderMax);
  }
  const bool returned = !line_.empty() && line_.back() == '\r';
  // Alone either of the two may end a line for one reader and not for another (RFC 9112 §2.2).
  if (returned != (c == '\n')) return malformed("http proxy: a line that does not end in CR and LF");
  if (returned) return end_line();
  const bool control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  if (control && c != '\t' && c != '\r') return malformed("http proxy: a control character in the header");
  line_ += c;
  // Not to wait for the end of a line of what has no lines.
  const bool first = status_ == 0 && line_.size() <= kVersion.size();
  if (first && !kVersion.starts_with(line_)) return malformed("http proxy: the answer is not HTTP/1");
  return {};
}

Result<void> HttpConnect::end_line() {
  line_.pop_back();
  const std::string line = std::exchange(line_, {});
  if (status_ == 0) {
    const auto status = parse_status_line(line);
    if (!status) return std::unexpected(status.error());
    status_ = *status;
    return {};
  }
  if (line.empty()) return end_header();
  if (!is_field_line(line)) return malformed("http proxy: not a field of a header");
  return {};
}

/// What fields there were is of no interest: a 2xx to CONNECT has no body whatever they say (RFC 9110
/// §9.3.6), and of any other answer the body is not read.
Result<void> HttpConnect::end_header() {
  const unsigned status = std::exchange(status_, 0);
  if (status == 101) return fail(Code::kProtocolViolation, "http proxy: switches protocols unasked", status);
  if (status < 200) return {};  // the answer is still to come (RFC 9110 §15.2)
  if (status >= 300) return fail(Code::kRefused, why_refused(status), status);
  open_ = true;
  return {};
}

void HttpConnect::send(ByteView bytes, Bytes& down) {
  P2PA_ASSERT(open_);
  down.insert(down.end(), bytes.begin(), bytes.end());
}

/// The tunnel ends as its socket does.
void HttpConnect::finish(Bytes&) {}

}  // namespace p2pa::proxy
