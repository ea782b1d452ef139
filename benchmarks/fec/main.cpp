// bench_fec [seed]: prints what forward error correction gains and costs. Virtual time: one seed prints the
// same on every machine.
#include <cstdio>
#include <cstdlib>

#include "message_flow.hpp"

using namespace p2pa;
using namespace p2pa::fec_flow;

namespace {

Outcome measure(std::uint64_t seed, double loss, double burst, Carrier carrier) {
  sim::World world(seed, "fec benchmark");
  return run(world, {loss, burst, carrier});
}

void print_way(double way) {
  if (way > 1e6) {
    std::printf("  %6s", "never");
  } else {
    std::printf("  %6.2f", way);
  }
}

void print(const char* name, const Outcome& outcome, double extra) {
  std::printf("  %-10s", name);
  for (const double share : {0.5, 0.99, 0.999}) print_way(outcome.quantile(share));
  print_way(outcome.longest());
  std::printf("  %8.3f %%", 100 * outcome.delivered());
  if (extra >= 0) std::printf("  %6.1f %%", 100 * extra);
  std::printf("\n");
}

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t seed = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1;
  std::printf("250 messages of 4 KB a second, 100 ms round trip: one way, in round trips, of all messages\n");
  for (const double burst : {1.0, 4.0}) {
    for (const double loss : {0.0, 0.01, 0.03, 0.05}) {
      if (loss == 0 && burst > 1) continue;
      std::printf("\n%.0f %% loss%s\n", 100 * loss, burst > 1 ? ", 4 packets in a row" : "");
      std::printf("  %-10s  %6s  %6s  %6s  %6s  %10s  %8s\n", "", "p50", "p99", "p99.9", "max", "delivered",
                  "overhead");
      const Outcome plain = measure(seed, loss, burst, Carrier::kPlain);
      const Outcome corrected = measure(seed, loss, burst, Carrier::kCorrected);
      print("plain", plain, 0);
      print("streams", measure(seed, loss, burst, Carrier::kStreams), -1);
      print("corrected", corrected, overhead(corrected, plain));
      const Outcome session = measure(seed, loss, burst, Carrier::kSessionPlain);
      const Outcome repaired = measure(seed, loss, burst, Carrier::kSessionCorrected);
      print("session", session, 0);
      print("  corr.", repaired, overhead(repaired, session));
      std::fflush(stdout);
    }
  }
}
