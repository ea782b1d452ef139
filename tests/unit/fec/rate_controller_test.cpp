#include "fec/rate_controller.hpp"

#include <catch2/catch.hpp>

#include "crypto/rng.hpp"
#include "fec/code.hpp"
#include "fec/decoder.hpp"

using namespace p2pa;
using namespace p2pa::fec;

namespace {

/// Half a minute of reports, each of 100 bodies.
RateController told(double loss, double burst, double ratio_max = 1) {
  RateController out(ratio_max);
  LossReport report;
  for (int i = 1; i <= 300; ++i) {
    report.judged += 100;
    report.lost = static_cast<std::uint64_t>(static_cast<double>(report.judged) * loss);
    report.runs = static_cast<std::uint64_t>(static_cast<double>(report.lost) / burst);
    out.on_report(report);
  }
  return out;
}

}  // namespace

TEST_CASE("the estimates come to what was reported") {
  const RateController rate = told(0.03, 4);
  CHECK(rate.loss() == Approx(0.03).epsilon(0.05));
  CHECK(rate.burst() == Approx(4).epsilon(0.1));
}

TEST_CASE("more loss and longer bursts bring more repairs, and bursts a longer window") {
  double before = 0;
  for (const double loss : {0.0, 0.01, 0.03, 0.05, 0.1}) {
    const double ratio = told(loss, 1).plan(25).ratio;
    CHECK(ratio > before);
    CHECK(ratio > loss);
    before = ratio;
  }
  const Plan random = told(0.03, 1).plan(25), bursts = told(0.03, 4).plan(25);
  CHECK(bursts.ratio > random.ratio);
  CHECK(bursts.window > random.window);
  CHECK(bursts.window <= kWindowMax);
}

TEST_CASE("a flow that has no losses pays three percent") { CHECK(told(0, 1).plan(25).ratio < 0.03); }

TEST_CASE("the bound on repairs holds") { CHECK(told(0.9, 1, 0.2).plan(1).ratio == 0.2); }

TEST_CASE("reports that contradict themselves or earlier ones change nothing") {
  RateController rate = told(0.03, 2);
  const double loss = rate.loss(), burst = rate.burst();
  for (const LossReport& report : {LossReport{1000, 30, 15}, LossReport{40'000, 20'000, 19'000},
                                   LossReport{30'001, 1000, 1000}, LossReport{31'000, 800, 500}}) {
    rate.on_report(report);
    CHECK(rate.loss() == loss);
    CHECK(rate.burst() == burst);
  }
}

TEST_CASE("a decoder reports losses and their runs, and takes what is late for what it is") {
  Decoder decoder;
  Bytes packet;
  const auto hear = [&](std::uint32_t number) {
    packet.clear();
    append_packet(packet, Source{number, Bytes{1}});
    REQUIRE(decoder.receive(packet));
  };
  // 3, 4 and 9 are lost, 6 comes just in time.
  for (std::uint32_t n = 0; n < 6 + Decoder::kReorderMax; ++n) {
    if (n != 3 && n != 4 && n != 6 && n != 9) hear(n);
  }
  hear(6);
  for (std::uint32_t n = 6 + Decoder::kReorderMax; n < 60; ++n) hear(n);
  CHECK(decoder.report() == LossReport{60 - Decoder::kReorderMax, 3, 2});
}

TEST_CASE("bodies that were jumped over are reported as lost") {
  Decoder decoder;
  Bytes packet;
  append_packet(packet, Source{1'000'000, Bytes{1}});
  REQUIRE(decoder.receive(packet));
  CHECK(decoder.report() == LossReport{1'000'001 - Decoder::kReorderMax, 1'000'001 - Decoder::kReorderMax, 1});
}
