#pragma once
// The greeting of a WebSocket: an HTTP request to speak another protocol, and its answer (RFC 6455 §4).

#include <optional>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "transport/http/http_head.hpp"

namespace p2pa::websocket {

inline constexpr std::size_t kNonceSize = 16;

/// The value of Sec-WebSocket-Key for a nonce. REQUIRES nonce.size() == kNonceSize.
std::string key_of(ByteView nonce);
/// The value of Sec-WebSocket-Accept that proves that `key` was read (RFC 6455 §1.3).
std::string accept_of(std::string_view key);

/// May it stand in the field Host, and may it be asked for? A name or an address (IPv6 in brackets), a port
/// behind it or not; what begins with a slash. Neither may end a line and begin one of its own.
bool is_host(std::string_view host);
bool is_path(std::string_view path);

/// The client's. REQUIRES is_host(host) and is_path(path).
std::string request(std::string_view host, std::string_view path, std::string_view key);
/// Is it the answer to this key? kRefused (detail: the status); kMalformed (no HTTP); kHandshake (status 101,
/// but of another protocol or to another key, or with what was not asked for).
Result<void> check_response(const http::HttpHead& response, std::string_view key);

/// What the server says, and why it says nothing else.
struct Answer {
  std::string response;
  std::optional<Error> error;  ///< kMalformed: no request as HTTP has it. kRefused (detail: the status).
};
/// Extensions and subprotocols that are offered are not taken; any path, host and origin will do: who is
/// there proves itself above.
Answer answer(const http::HttpHead& request);
/// To what is no head at all.
std::string bad_request();

}  // namespace p2pa::websocket
