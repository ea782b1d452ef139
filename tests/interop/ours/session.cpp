#include "session.hpp"

namespace interop {

using p2pa::Code;
using p2pa::Error;

namespace {

const char* kind_of(Code code) {
  switch (code) {
    case Code::kPeerIdMismatch: return "peer-id-mismatch";
    case Code::kProtocolUnsupported: return "unsupported-protocol";
    case Code::kTimeout:
    case Code::kUnreachable:
    case Code::kDeadlineExceeded: return "timeout";
    default: return "other";
  }
}

}  // namespace

std::unexpected<Failed> failed(const Error& error) {
  return std::unexpected(Failed{kind_of(error.code), p2pa::describe(error)});
}
std::unexpected<Failed> failed(std::string text) {
  return std::unexpected(Failed{"other", std::move(text)});
}

p2pa::Duration duration(double seconds) {
  return p2pa::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

Outcome Session::wait(std::move_only_function<bool()> done) {
  const p2pa::Duration left = end - node.now();
  if (left.ns > 0 && node.poll_until(std::move(done), left)) return {};
  return std::unexpected(Failed{"timeout", "no answer in time"});
}

Outcome connect_to(Session& s, const p2pa::Multiaddr& address) {
  const auto dialed = later<p2pa::Result<p2pa::ConnectionInfo>>();
  s.node.dial(address, [dialed](auto result) { *dialed = std::move(result); });
  if (auto waited = s.wait([&] { return dialed->has_value(); }); !waited) return waited;
  if (!**dialed) return failed((*dialed)->error());
  s.connection = ***dialed;
  return {};
}

Outcome connect(Session& s) {
  return connect_to(s, p2pa::Multiaddr::parse(s.options.address).value());
}

Outcome ping_once(Session& s, double& milliseconds) {
  const auto answer = later<p2pa::Result<p2pa::Duration>>();
  s.node.ping(s.connection.peer, [answer](auto rtt) { *answer = std::move(rtt); });
  if (auto waited = s.wait([&] { return answer->has_value(); }); !waited) return waited;
  if (!**answer) return failed((*answer)->error());
  milliseconds = (**answer)->seconds() * 1e3;
  return {};
}

Outcome ping_same_connection(Session& s) {
  double ignored = 0;
  if (auto pinged = ping_once(s, ignored); !pinged) return pinged;
  const auto all = s.node.connections();
  if (all.size() != 1 || all[0].id != s.connection.id) return failed("the connection is another one");
  return {};
}

}  // namespace interop
