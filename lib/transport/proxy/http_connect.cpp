#include "transport/proxy/http_connect.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/byte_writer.hpp"
#include "base/multibase.hpp"

namespace p2pa::proxy {

namespace {

constexpr std::string_view kVersion = "HTTP/1.";

std::unexpected<Error> malformed(const char* why) { return fail(Code::kMalformed, why); }

/// RFC 7617 §2.
std::string basic(const Credentials& credentials) {
  return encode_base(Base::kBase64Padded, as_bytes(credentials.user + ':' + credentials.password));
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

Result<std::size_t> HttpConnect::greet(ByteView bytes, Bytes&) {
  const ByteView part = bytes.first(std::min(bytes.size(), kHeaderMax - header_bytes_));
  const auto taken = head_.take(part);
  if (!taken) return malformed("http proxy: the answer's head is not HTTP");
  header_bytes_ += *taken;
  // Not to wait for the end of a head of what has none.
  const std::string_view text = head_.so_far(), line = text.substr(0, text.find('\r'));
  if (!kVersion.starts_with(line.substr(0, kVersion.size()))) return malformed("http proxy: the answer is not HTTP/1");
  const bool whole = line.size() + 1 < text.size();
  if (whole && !http::status_of(line)) return malformed("http proxy: not a status line");
  if (head_.complete()) {
    if (const auto fine = on_head(); !fine) return std::unexpected(fine.error());
  } else if (part.size() < bytes.size()) {
    return fail(Code::kMalformed, "http proxy: the header is too long", kHeaderMax);
  }
  return taken;
}

/// What fields there are is of no interest: a 2xx to CONNECT has no body whatever they say (RFC 9110
/// §9.3.6), and of any other answer the body is not read.
Result<void> HttpConnect::on_head() {
  const auto head = http::HttpHead::parse(head_.text());
  if (!head) return malformed("http proxy: the answer's head is not HTTP");
  const auto status = http::status_of(head->start_line());
  P2PA_ASSERT(status.has_value());  // its line was looked at when it came
  if (*status == 101) return fail(Code::kProtocolViolation, "http proxy: switches protocols unasked", *status);
  if (*status >= 300) return fail(Code::kRefused, why_refused(*status), *status);
  if (*status >= 200) granted();  // or the answer is still to come (RFC 9110 §15.2)
  head_ = {};
  return {};
}

}  // namespace p2pa::proxy
