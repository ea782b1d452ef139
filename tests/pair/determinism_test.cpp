#include "pair/pair.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

using Trace = std::vector<std::pair<Instant, std::size_t>>;

/// Cold and resumed connections, loss, a rebinding: when each end sent how much.
std::pair<Trace, Trace> run(std::uint8_t seed) {
  Link link;
  link.loss = 0.03;
  link.jitter = milliseconds(2);
  Scene s(link);
  s.pipe.filter = [n = std::uint64_t{seed}](Peer&, Bytes&) mutable { return ++n % 29 != 0; };
  for (int round = 0; round < 3; ++round) {
    Connection* c = s.pipe.dial(s.client, s.server);
    if (c->early_data_possible()) s.request(*c, "early", true);
    s.pipe.run_until([&] { return s.up(); }, seconds(10));
    if (!c->established()) continue;
    for (int i = 0; i < 20; ++i) s.request(*c, std::string(static_cast<std::size_t>(i) * 700, 'x'));
    s.pipe.run_for(seconds(2));
    s.client.address.port = static_cast<std::uint16_t>(5000 + round);
    s.pipe.run_for(seconds(5));
    c->close(0, "");
    s.pipe.run_for(seconds(1));
  }
  return {s.client.trace, s.server.trace};
}

}  // namespace

TEST_CASE("two runs of one seed send datagrams of the same sizes at the same times") {
  for (std::uint8_t seed = 1; seed <= 5; ++seed) {
    const auto first = run(seed), second = run(seed);
    REQUIRE(first.first.size() > 100);
    CHECK(first == second);
  }
  CHECK(run(1) != run(2));
}
