#pragma once
// A tunnel through a SOCKS proxy of version 5 (RFC 1928), with its user and password (RFC 1929).

#include <cstdint>
#include <optional>

#include "transport/proxy/credentials.hpp"
#include "transport/proxy/host_port.hpp"
#include "transport/proxy/tunnel.hpp"

namespace p2pa::proxy {

/// The client's end: offers to go without credentials and, where it has some, to show them; asks for the
/// target; and is transparent once the proxy grants it. A name is resolved by the proxy. No answer has more
/// than kAnswerMax bytes.
///
/// Errors of receive(): kRefused, with what the proxy said as detail: 0xff where it likes no method, the
/// status where it does not like the credentials, the reply where it does not connect; kMalformed, where it
/// is not SOCKS 5; kProtocolViolation, where it chooses a method that was not offered.
class Socks5 final : public Tunnel {
 public:
  static constexpr std::size_t kAnswerMax = 4 + 1 + 255 + 2;  ///< bytes

  /// REQUIRES credentials, where there are some, that fit_socks().
  Socks5(HostPort target, std::optional<Credentials> credentials);

  Result<void> begin(Bytes& down) override;

 private:
  enum class State : std::uint8_t { kMethod, kStatus, kReply };  // which answer is awaited

  Result<std::size_t> greet(ByteView bytes, Bytes& down) override;
  Result<void> advance(Bytes& down);
  Result<void> take_method(Bytes& down);
  Result<void> take_status(Bytes& down);
  Result<void> take_reply();
  void await(State state, std::size_t bytes);
  void say_credentials(Bytes& down) const;
  void ask(Bytes& down) const;

  const HostPort target_;
  const std::optional<Credentials> credentials_;
  State state_ = State::kMethod;
  Bytes answer_{};          // as far as it came
  std::size_t wanted_ = 2;  // so many bytes of it before there is something to be seen
};

}  // namespace p2pa::proxy
