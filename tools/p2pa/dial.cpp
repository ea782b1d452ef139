#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "session.hpp"

namespace p2pa_tool {
namespace {

void explain_json(const p2pa::DialReport& report) {
  for (const p2pa::DialAttempt& attempt : report.attempts) {
    print_json({{"event", "attempt"},
                {"address", attempt.address.to_string()},
                {"stage", std::string(p2pa::dial_stage_name(attempt.stage))},
                {"started_seconds", attempt.started.seconds()},
                {"took_seconds", attempt.took.seconds()},
                {"code", std::string(p2pa::code_name(attempt.error.code))},
                {"detail", static_cast<std::int64_t>(attempt.error.detail)},
                {"text", attempt.error.why}});
  }
}

void show(const p2pa::ConnectionInfo& connection, const p2pa::DialReport& report, bool json) {
  const std::string peer = connection.peer.to_string(), address = connection.remote_address.to_string();
  if (json) {
    return print_json({{"event", "connected"},
                       {"peer", peer},
                       {"address", address},
                       {"took_seconds", report.took.seconds()},
                       {"rtt_seconds", connection.rtt.seconds()}});
  }
  fmt::print("connected to {} at {} in {:.3f} s, round trip {:.3f} ms\n", peer, address, report.took.seconds(),
             connection.rtt.seconds() * 1e3);
}

}  // namespace

int run_dial(const DialCommandOptions& options) {
  Session session(options.address);
  const auto& report = session.dial_report();
  if (report && options.explain) options.json ? explain_json(*report) : fmt::print("{}", report->to_string());
  if (session.node() != nullptr) show(session.connection(), *report, options.json);
  return session.exit_code();
}

}  // namespace p2pa_tool
