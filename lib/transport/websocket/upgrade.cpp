#include "transport/websocket/upgrade.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/multibase.hpp"
#include "crypto/hash.hpp"

namespace p2pa::websocket {
namespace {

constexpr std::string_view kVersion = "13";
constexpr unsigned kSwitchingProtocols = 101, kUpgradeRequired = 426;

bool is_key(std::string_view text) {
  const auto nonce = decode_base(Base::kBase64Padded, text);
  return nonce && nonce->size() == kNonceSize;
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

Answer malformed(const char* why) { return {bad_request(), Error{Code::kMalformed, 0, why}}; }

Answer upgrade_required(const char* why) {
  return {"HTTP/1.1 426 Upgrade Required\r\n"
          "Upgrade: websocket\r\n"
          "Connection: Upgrade, close\r\n"
          "Sec-WebSocket-Version: 13\r\n"
          "Content-Length: 0\r\n\r\n",
          Error{Code::kRefused, kUpgradeRequired, why}};
}

/// RFC 9112 §3: method SP target SP version
struct RequestLine {
  std::string_view method, target, version;
};
std::optional<RequestLine> request_line(std::string_view line) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last) return std::nullopt;
  const RequestLine out{line.substr(0, first), line.substr(first + 1, last - first - 1),
                        line.substr(last + 1)};
  const bool good = !out.method.empty() && !out.target.empty() && is_visible(out.target) &&
                    out.version.size() == 8 && out.version.starts_with("HTTP/1.");
  return good ? std::optional(out) : std::nullopt;
}

/// What follows the head are frames; a request that says it is something else is not to be guessed at.
bool has_body(const http::HttpHead& request) {
  if (request.has("Transfer-Encoding")) return true;
  return request.has("Content-Length") && request.one("Content-Length") != "0";
}

bool asks_to_upgrade(const http::HttpHead& head) {
  return head.lists("Upgrade", "websocket") && head.lists("Connection", "upgrade");
}

}  // namespace

std::string key_of(ByteView nonce) {
  P2PA_ASSERT(nonce.size() == kNonceSize);
  return encode_base(Base::kBase64Padded, nonce);
}

std::string accept_of(std::string_view key) {
  const std::string both = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  return encode_base(Base::kBase64Padded, crypto::sha1(as_bytes(both)));
}

bool is_host(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".-_:[]").contains(c);
  });
}

bool is_path(std::string_view path) { return path.starts_with('/') && is_visible(path); }

std::string request(std::string_view host, std::string_view path, std::string_view key) {
  P2PA_ASSERT(is_host(host) && is_path(path));
  std::string text = "GET ";
  text.append(path).append(" HTTP/1.1\r\nHost: ").append(host);
  text.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ").append(key);
  text.append("\r\nSec-WebSocket-Version: ").append(kVersion).append("\r\n\r\n");
  return text;
}

Result<void> check_response(const http::HttpHead& response, std::string_view key) {
  const auto status = http::status_of(response.start_line());
  if (!status) return fail(Code::kMalformed, "WebSocket: the answer is not HTTP");
  if (*status != kSwitchingProtocols) return fail(Code::kRefused, "WebSocket: the server's status", *status);
  if (!asks_to_upgrade(response)) return fail(Code::kHandshake, "WebSocket: the server upgrades to another");
  if (response.one("Sec-WebSocket-Accept") != accept_of(key)) {
    return fail(Code::kHandshake, "WebSocket: the answer is to another key");
  }
  if (response.has("Sec-WebSocket-Extensions") || response.has("Sec-WebSocket-Protocol")) {
    return fail(Code::kHandshake, "WebSocket: an extension or subprotocol that was not asked for");
  }
  return {};
}

Answer answer(const http::HttpHead& request) {
  const auto line = request_line(request.start_line());
  if (!line) return malformed("WebSocket: the request is not HTTP/1");
  // RFC 9110 §7.8: HTTP/1.0 knows of no upgrade, whatever its fields say
  if (!asks_to_upgrade(request) || line->version == "HTTP/1.0") {
    return upgrade_required("WebSocket: an HTTP request that is no upgrade");
  }
  if (line->method != "GET" || has_body(request)) return malformed("WebSocket: not a GET without a body");
  if (!request.one("Host")) return malformed("WebSocket: a request without its host");
  if (request.one("Sec-WebSocket-Version") != kVersion) {
    return upgrade_required("WebSocket: another version than 13");
  }
  const auto key = request.one("Sec-WebSocket-Key");
  if (!key || !is_key(*key)) return malformed("WebSocket: a request without its key");
  return {"HTTP/1.1 101 Switching Protocols\r\n"
          "Upgrade: websocket\r\n"
          "Connection: Upgrade\r\n"
          "Sec-WebSocket-Accept: " + accept_of(*key) + "\r\n\r\n",
          {}};
}

std::string bad_request() {
  return "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
}

}  // namespace p2pa::websocket
