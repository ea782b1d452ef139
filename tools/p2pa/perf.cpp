#include <fmt/format.h>

#include "session.hpp"

namespace p2pa_tool {
namespace {

double gigabits(std::uint64_t bytes, p2pa::Duration took) {
  return took.ns > 0 ? static_cast<double>(bytes) * 8 / static_cast<double>(took.ns) : 0;
}

}  // namespace

int run_perf(const PerfOptions& options) {
  Session session(options.address, options.network);
  if (session.node() == nullptr) return session.exit_code();
  p2pa::Node& node = *session.node();

  const auto result = later<p2pa::Result<p2pa::PerfResult>>();
  node.perf(session.peer(), options.upload, options.download, [result](auto r) { *result = std::move(r); });
  {
    Progress progress("perf");
    const double total = static_cast<double>(options.upload + options.download);
    const bool done = session.run_until([&] {
      for (const auto& c : node.connections()) {
        if (c.id != session.connection().id) continue;
        const double moved = static_cast<double>(c.bytes_sent + c.bytes_received);
        progress.update(total > 0 ? std::min(1.0, moved / total) : 1, human_bytes(moved));
      }
      return result->has_value();
    });
    if (!done) {
      progress.clear();
      return report_interrupted();
    }
  }
  if (!**result) return report("no measurement with " + options.address, (*result)->error());
  const p2pa::PerfResult& r = ***result;
  if (options.json) {
    print_json({{"upload_bytes", static_cast<std::int64_t>(r.bytes_up)},
                {"upload_seconds", r.upload.seconds()},
                {"download_bytes", static_cast<std::int64_t>(r.bytes_down)},
                {"download_seconds", r.download.seconds()}});
  } else {
    fmt::print("upload   {} in {:.3f} s, {:.3f} Gbit/s\n", human_bytes(static_cast<double>(r.bytes_up)),
               r.upload.seconds(), gigabits(r.bytes_up, r.upload));
    fmt::print("download {} in {:.3f} s, {:.3f} Gbit/s\n", human_bytes(static_cast<double>(r.bytes_down)),
               r.download.seconds(), gigabits(r.bytes_down, r.download));
  }
  return kOk;
}

}  // namespace p2pa_tool
