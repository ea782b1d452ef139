#pragma once
// A node that lives for one command: opened, connected to one peer, closed.

#include <algorithm>
#include <memory>
#include <optional>

#include "output.hpp"
#include "p2pagents/node.hpp"

namespace p2pa_tool {

/// What the node's log may say on standard error: 0: warnings, 1: also why things failed, 2: everything.
void set_verbosity(int verbosity);
/// Default options, with that log.
p2pa::NodeOptions default_options();

/// Where an answer is put that may come after its command has given up.
template <class T>
std::shared_ptr<std::optional<T>> later() {
  return std::make_shared<std::optional<T>>();
}

class Session {
 public:
  /// Opens a node and connects to the peer that the address names, giving up when `timeout` is over
  /// (zero: when the node does). On failure node() is null and exit_code() says why; the reason was
  /// printed.
  explicit Session(const std::string& address, p2pa::Duration timeout = {});
  ~Session();

  p2pa::Node* node() const { return ok_ ? node_.get() : nullptr; }
  const p2pa::PeerId& peer() const { return connection_.peer; }
  const p2pa::ConnectionInfo& connection() const { return connection_; }
  int exit_code() const { return exit_code_; }
  /// What became of the addresses; empty when there was no dial, or it did not end.
  const std::optional<p2pa::DialReport>& dial_report() const { return *dial_report_; }
  /// What is left of the time-out. REQUIRES that there is one.
  p2pa::Duration left() const { return std::max(deadline_ - node_->now(), p2pa::nanoseconds(1)); }
  /// Runs the node until the predicate holds, or somebody asked to stop.
  bool run_until(std::move_only_function<bool()> done);
  /// The same, and shows meanwhile that it is waiting.
  bool run_until(std::move_only_function<bool()> done, Progress& progress);

 private:
  std::unique_ptr<p2pa::Node> node_;
  p2pa::ConnectionInfo connection_;
  std::shared_ptr<std::optional<p2pa::DialReport>> dial_report_ = later<p2pa::DialReport>();
  p2pa::Instant deadline_ = p2pa::kNever;
  bool ok_ = false;
  int exit_code_ = kFailed;
};

}  // namespace p2pa_tool
