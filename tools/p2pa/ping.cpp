#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "session.hpp"

namespace p2pa_tool {

int run_ping(const PingOptions& options) {
  Session session(options.address, options.network);
  if (session.node() == nullptr) return session.exit_code();
  p2pa::Node& node = *session.node();

  std::vector<double> milliseconds;
  for (int i = 0; (options.count == 0 || i < options.count) && !stop_requested(); ++i) {
    if (i > 0) {
      const auto next = node.now() + p2pa::milliseconds(options.interval_ms);
      while (node.now() < next && !stop_requested()) {
        if (!node.poll(next - node.now())) return kFailed;
      }
    }
    const auto answer = later<p2pa::Result<p2pa::Duration>>();
    node.ping(session.peer(), [answer](auto rtt) { *answer = std::move(rtt); });
    Progress progress("waiting for an answer");
    if (!session.run_until([&] { return answer->has_value(); }, progress)) break;
    if (!**answer) return report("no answer from " + options.address, (*answer)->error());
    const double ms = (**answer)->seconds() * 1e3;
    milliseconds.push_back(ms);
    if (options.json) {
      print_json({{"sequence", std::int64_t{i}}, {"rtt_ms", ms}});
    } else {
      fmt::print("{}: {:.3f} ms\n", session.peer().to_string(), ms);
      std::fflush(stdout);
    }
  }
  if (milliseconds.empty()) return report_interrupted();
  std::ranges::sort(milliseconds);
  if (!options.json) {
    fmt::print("{} answers, min {:.3f} / median {:.3f} / max {:.3f} ms\n", milliseconds.size(),
               milliseconds.front(), milliseconds[milliseconds.size() / 2], milliseconds.back());
  }
  // To stop is the only end that an endless one has.
  const bool all = options.count == 0 || milliseconds.size() == static_cast<std::size_t>(options.count);
  if (!all) return report_interrupted();
  return kOk;
}

}  // namespace p2pa_tool
