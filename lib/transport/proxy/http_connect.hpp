#pragma once
// A tunnel through an HTTP proxy (RFC 9110 §9.3.6, in the form of RFC 9112).

#include <cstdint>
#include <optional>
#include <string>

#include "transport/layer/byte_layer.hpp"
#include "transport/proxy/credentials.hpp"
#include "transport/proxy/host_port.hpp"

namespace p2pa::proxy {

/// The client's end: asks for the target, and is transparent once the proxy answers 2xx. What the proxy says
/// before that, interim answers included, is bounded by kHeaderMax.
///
/// Errors of receive(): kRefused, with the status as detail; kMalformed, where it is not HTTP/1 or, with
/// kHeaderMax as detail, too long; kProtocolViolation, where it switches to a protocol nobody asked for.
class HttpConnect final : public ByteLayer {
 public:
  static constexpr std::size_t kHeaderMax = 8 * 1024;  ///< bytes

  /// REQUIRES credentials, where there are some, that fit_basic().
  HttpConnect(HostPort target, std::optional<Credentials> credentials);

  Result<void> begin(Bytes& down) override;
  Result<void> receive(ByteView bytes, Bytes& up, Bytes& down) override;
  bool open() const override { return open_; }
  void send(ByteView bytes, Bytes& down) override;
  void finish(Bytes& down) override;

 private:
  Result<void> take(char c);
  Result<void> end_line();
  Result<void> end_header();

  const HostPort target_;
  const std::optional<Credentials> credentials_;
  std::string line_;              // of the header, as far as it came
  std::size_t header_bytes_ = 0;  // of all answers so far
  unsigned status_ = 0;           // of the answer whose header comes in; 0: its first line has not
  bool open_ = false;
};

}  // namespace p2pa::proxy
