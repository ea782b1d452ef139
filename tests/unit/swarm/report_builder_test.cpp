#include "swarm/report_builder.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "p2pagents/key_pair.hpp"

using namespace p2pa;
using swarm::ReportBuilder;

namespace {

constexpr Instant kStart{5'000'000'000};
constexpr Error kFine{Code::kOk, 0, ""};
Multiaddr at(int port) { return Multiaddr::parse("/ip4/192.0.2.1/tcp/" + std::to_string(port)).value(); }

}  // namespace

TEST_CASE("a report tells each address in order, with times since the dial began") {
  const PeerId peer = KeyPair::from_seed(Bytes(32, 1)).peer_id();
  ReportBuilder builder(kStart);
  builder.skipped(kStart, at(1).with_peer_id(peer), DialStage::kSkippedBackoff, {Code::kTimeout, 0, "silence"});
  const auto slow = builder.started(kStart, at(2));
  const auto fast = builder.started(kStart + milliseconds(250), at(3));
  builder.ended(kStart + milliseconds(300), fast, DialStage::kConnected, kFine);
  builder.ended(kStart + milliseconds(300), slow, DialStage::kSecuring, {Code::kCancelled, 0, "another was faster"});
  const auto report = builder.finish(kStart + milliseconds(300), peer, kFine);
  CHECK(report->peer == peer);
  CHECK(report->took == milliseconds(300));
  CHECK(report->error.code == Code::kOk);
  REQUIRE(report->attempts.size() == 3);
  const auto& attempts = report->attempts;
  CHECK(attempts[0].address == at(1));
  CHECK(attempts[0].stage == DialStage::kSkippedBackoff);
  CHECK(attempts[0].took == Duration{});
  CHECK(attempts[1].stage == DialStage::kSecuring);
  CHECK(attempts[1].took == milliseconds(300));
  CHECK(attempts[2].started == milliseconds(250));
  CHECK(attempts[2].took == milliseconds(50));
  CHECK(attempts[2].error.code == Code::kOk);
  CHECK(report->to_string() ==
        "+0.000 s  /ip4/192.0.2.1/tcp/1  skipped: back-off  timeout: silence\n"
        "+0.000 s  /ip4/192.0.2.1/tcp/2  0.300 s  securing  cancelled: another was faster\n"
        "+0.250 s  /ip4/192.0.2.1/tcp/3  0.050 s  connected\n");
}

TEST_CASE("a report is bounded, and what did not fit may end all the same") {
  ReportBuilder builder(kStart);
  ReportBuilder::Entry last;
  for (std::size_t i = 0; i <= DialReport::kAttemptsMax; ++i) last = builder.started(kStart, at(static_cast<int>(i)));
  CHECK_FALSE(last.has_value());
  builder.ended(kStart, last, DialStage::kConnected, kFine);
  CHECK(builder.finish(kStart, {}, kFine)->attempts.size() == DialReport::kAttemptsMax);
}

TEST_CASE("each stage has a name of its own") {
  std::vector<std::string_view> names;
  for (const DialStage stage :
       {DialStage::kConnected, DialStage::kResolving, DialStage::kConnecting, DialStage::kSecuring, DialStage::kMuxing,
        DialStage::kSkippedBackoff, DialStage::kSkippedBlackHole, DialStage::kSkippedPrivate,
        DialStage::kSkippedGated,        DialStage::kSkippedNoTransport, DialStage::kSkippedLimit}) {
    const std::string_view name = dial_stage_name(stage);
    CHECK(name != "unknown");
    CHECK(std::ranges::find(names, name) == names.end());
    CHECK(name.starts_with("skipped") == skipped(stage));
    names.push_back(name);
  }
  CHECK(dial_stage_name(static_cast<DialStage>(99)) == "unknown");
}
