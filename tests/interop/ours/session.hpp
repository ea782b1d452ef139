#pragma once
// The dialer while it runs its case.

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cases.hpp"
#include "peer.hpp"

namespace interop {

/// Why a case did not pass.
struct Failed {
  std::string kind = "other";
  std::string text;
};
using Outcome = std::expected<void, Failed>;

std::unexpected<Failed> failed(const p2pa::Error& error);
std::unexpected<Failed> failed(std::string text);

p2pa::Duration duration(double seconds);

/// Where an answer is put that may come after its case has given up.
template <class T>
std::shared_ptr<std::optional<T>> later() {
  return std::make_shared<std::optional<T>>();
}

struct Session {
  const DialOptions& options;
  p2pa::Node& node;
  p2pa::Instant end;
  Json report = Json::object();
  p2pa::ConnectionInfo connection;
  std::optional<p2pa::PeerInfo> identified;
  std::optional<std::uint64_t> counted;

  Outcome wait(std::move_only_function<bool()> done);
  std::uint64_t bytes_or(std::uint64_t usual) const { return options.bytes.value_or(usual); }
};

Outcome connect(Session& s);
Outcome connect_to(Session& s, const p2pa::Multiaddr& address);
Outcome ping_once(Session& s, double& milliseconds);
/// The stream's connection is still the one that was dialed, and works.
Outcome ping_same_connection(Session& s);

struct Case {
  Outcome (*run)(Session&);
  bool connects_first;
};

}  // namespace interop
