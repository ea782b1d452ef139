#include "p2pagents/dial_report.hpp"

#include <cstdio>

namespace p2pa {
namespace {

std::string seconds_text(Duration duration) {
  const std::int64_t ms = duration.ms();
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%03d s", static_cast<long long>(ms / 1000), static_cast<int>(ms % 1000));
  return text;
}

}  // namespace

std::string_view dial_stage_name(DialStage stage) noexcept {
  switch (stage) {
    case DialStage::kConnected: return "connected";
    case DialStage::kResolving: return "resolving";
    case DialStage::kConnecting: return "connecting";
    case DialStage::kSecuring: return "securing";
    case DialStage::kMuxing: return "muxing";
    case DialStage::kSkippedBackoff: return "skipped: back-off";
    case DialStage::kSkippedBlackHole: return "skipped: black hole";
    case DialStage::kSkippedPrivate: return "skipped: private";
    case DialStage::kSkippedGated: return "skipped: gated";
    case DialStage::kSkippedNoTransport: return "skipped: no transport";
    case DialStage::kSkippedLimit: return "skipped: limit";
  }
  return "unknown";
}

std::string DialReport::to_string() const {
  std::string out;
  for (const DialAttempt& attempt : attempts) {
    out += '+' + seconds_text(attempt.started) + "  " + attempt.address.to_string() + "  ";
    if (!skipped(attempt.stage)) out += seconds_text(attempt.took) + "  ";
    out += dial_stage_name(attempt.stage);
    if (attempt.error.code != Code::kOk) out += "  " + describe(attempt.error);
    out += '\n';
  }
  return out;
}

}  // namespace p2pa
