#pragma once
// A tunnel through an HTTP proxy (RFC 9110 §9.3.6, in the form of RFC 9112).

#include <cstdint>
#include <optional>

#include "transport/http/http_head.hpp"
#include "transport/proxy/credentials.hpp"
#include "transport/proxy/host_port.hpp"
#include "transport/proxy/tunnel.hpp"

namespace p2pa::proxy {

/// The client's end: asks for the target, and is transparent once the proxy answers 2xx. What the proxy says
/// before that, interim answers included, is bounded by kHeaderMax.
///
/// Errors of receive(): kRefused, with the status as detail; kMalformed, where it is not HTTP/1 or, with
/// kHeaderMax as detail, too long; kProtocolViolation, where it switches to a protocol nobody asked for.
class HttpConnect final : public Tunnel {
 public:
  static constexpr std::size_t kHeaderMax = 8 * 1024;  ///< bytes

  /// REQUIRES credentials, where there are some, that fit_basic().
  HttpConnect(HostPort target, std::optional<Credentials> credentials);

  Result<void> begin(Bytes& down) override;

 private:
  Result<std::size_t> greet(ByteView bytes, Bytes& down) override;
  Result<void> on_head();

  const HostPort target_;
  const std::optional<Credentials> credentials_;
  http::HeadReader head_;
  std::size_t header_bytes_ = 0;  // of all answers so far
};

}  // namespace p2pa::proxy
