#include "swarm/report_builder.hpp"

#include <utility>

namespace p2pa::swarm {

void ReportBuilder::skipped(Instant now, const Multiaddr& address, DialStage stage, const Error& why) {
  add({address.without_peer_id(), now - begun_, {}, stage, why});
}

ReportBuilder::Entry ReportBuilder::started(Instant now, const Multiaddr& address) {
  return add({address.without_peer_id(), now - begun_, {}, DialStage::kConnecting, {}});
}

void ReportBuilder::ended(Instant now, Entry entry, DialStage stage, const Error& why) {
  if (!entry) return;
  DialAttempt& attempt = report_.attempts[*entry];
  attempt.took = now - begun_ - attempt.started;
  attempt.stage = stage;
  attempt.error = why;
}

std::shared_ptr<const DialReport> ReportBuilder::finish(Instant now, const PeerId& peer, const Error& error) {
  report_.peer = peer;
  report_.took = now - begun_;
  report_.error = error;
  return std::make_shared<const DialReport>(std::move(report_));
}

ReportBuilder::Entry ReportBuilder::add(DialAttempt attempt) {
  if (report_.attempts.size() == DialReport::kAttemptsMax) return std::nullopt;
  report_.attempts.push_back(std::move(attempt));
  return report_.attempts.size() - 1;
}

}  // namespace p2pa::swarm
