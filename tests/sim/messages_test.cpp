// What forward error correction is for, in the world: the goal of benchmarks/fec, and whole nodes.
#include <catch2/catch.hpp>

#include "message_flow.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;
using fec_flow::Carrier;
using fec_flow::Outcome;

namespace {

Outcome flow(double loss, double burst, Carrier carrier, Duration length = seconds(12)) {
  World world(1, "messages");
  Outcome out = fec_flow::run(world, {loss, burst, carrier, length});
  CHECK(world.failure().empty());
  CHECK(out.intact);
  return out;
}

}  // namespace

TEST_CASE("with random losses of 1 and 3 percent, 99 of 100 messages take 0.8 round trips at most") {
  for (const double loss : {0.01, 0.03}) {
    const Outcome plain = flow(loss, 1, Carrier::kPlain), corrected = flow(loss, 1, Carrier::kCorrected);
    INFO("loss " << loss << ", p99 " << corrected.quantile(0.99));
    CHECK(plain.delivered() < 1 - 2 * loss);
    CHECK(corrected.quantile(0.99) <= 0.8);
    CHECK(corrected.delivered() >= 0.999);
    CHECK(fec_flow::overhead(corrected, plain) <= 0.15);
  }
}

TEST_CASE("over a session as well, 99 of 100 messages take 0.8 round trips at most, for 15 percent more bytes") {
  for (const double loss : {0.01, 0.03}) {
    const Outcome plain = flow(loss, 1, Carrier::kSessionPlain), corrected = flow(loss, 1, Carrier::kSessionCorrected);
    INFO("loss " << loss << ", p99 " << corrected.quantile(0.99));
    CHECK(plain.delivered() < 1 - 2 * loss);
    CHECK(corrected.quantile(0.99) <= 0.8);
    CHECK(fec_flow::overhead(corrected, plain) <= 0.15);
  }
}

TEST_CASE("losses in bursts lose fewer messages with correction") {
  const Outcome plain = flow(0.03, 4, Carrier::kPlain), corrected = flow(0.03, 4, Carrier::kCorrected);
  CHECK(1 - corrected.delivered() < (1 - plain.delivered()) / 4);
  // Few bursts in twelve seconds are long enough to matter: as many as in the figures of ADR 18.
  constexpr Duration kLong = seconds(40);
  const Outcome before = flow(0.03, 4, Carrier::kSessionPlain, kLong);
  const Outcome after = flow(0.03, 4, Carrier::kSessionCorrected, kLong);
  CHECK(1 - after.delivered() < (1 - before.delivered()) / 2);
}

TEST_CASE("a channel of messages in the world is the same twice") {
  for_seeds(2, "message channel", [](World& world) {
    const Outcome out = fec_flow::run(world, {0.05, 2, Carrier::kCorrected, seconds(2)});
    CHECK(out.intact);
    CHECK(out.delivered() > 0.9);
  });
  for_seeds(2, "corrected session", [](World& world) {
    const Outcome out = fec_flow::run(world, {0.05, 2, Carrier::kSessionCorrected, seconds(2)});
    CHECK(out.intact);
    CHECK(out.delivered() > 0.9);
  });
}

TEST_CASE("a node takes messages and datagrams of one peer apart") {
  for_seeds(1, "messages and datagrams", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    std::vector<Bytes> messages, datagrams;
    const auto keep = [](std::vector<Bytes>& into) {
      return [&into](const PeerId&, ByteView bytes) { into.emplace_back(bytes.begin(), bytes.end()); };
    };
    world.node(pair.server).on_message(keep(messages));
    world.node(pair.server).on_datagram(keep(datagrams));
    MessageChannel* channel = nullptr;
    world.node(pair.client).open_message_channel(pair.server_id, {}, [&](Result<MessageChannel*> opened) {
      channel = opened.value_or(nullptr);
    });
    REQUIRE(world.run_until([&] { return channel != nullptr; }, seconds(10)));
    const Bytes message = pattern(10'000, 1), datagram = pattern(500, 2);
    REQUIRE(world.node(pair.client).send_datagram(pair.server_id, datagram));
    REQUIRE(channel->send(message));
    world.run_for(seconds(1));
    CHECK(messages == std::vector<Bytes>{message});
    CHECK(datagrams == std::vector<Bytes>{datagram});
  });
}

TEST_CASE("options of a channel that cannot work are refused, in a turn") {
  World world(1, "channel options");
  const Pair pair = make_pair(world);
  for (const MessageChannelOptions& options :
       {MessageChannelOptions{.deadline = milliseconds(-1)}, MessageChannelOptions{.repair_max = -0.1},
        MessageChannelOptions{.repair_max = 1.1}}) {
    std::optional<Error> refused;
    world.node(pair.client).open_message_channel(pair.server_id, options, [&](Result<MessageChannel*> opened) {
      if (!opened) refused = opened.error();
    });
    CHECK_FALSE(refused);
    world.run_for(milliseconds(1));
    REQUIRE(refused);
    CHECK(refused->code == Code::kInvalidArgument);
  }
}
