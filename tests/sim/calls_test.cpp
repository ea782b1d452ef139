#include <catch2/catch.hpp>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// A method that never answers and remembers how each of its calls ended.
std::shared_ptr<std::vector<CallOutcome>> serve_silence(Node& node) {
  auto ends = std::make_shared<std::vector<CallOutcome>>();
  REQUIRE(node.serve("silence", Method([ends](Call& incoming) {
                       CallHandler handler;
                       handler.on_end = [ends](Call&, const CallOutcome& outcome) {
                         ends->push_back(outcome);
                       };
                       incoming.set_handler(std::move(handler));
                     })));
  return ends;
}

}  // namespace

TEST_CASE("a deadline passes at its instant of virtual time, on both ends") {
  for_seeds(3, "deadline", [](World& world) {
    world.set_default_link({.delay = milliseconds(50)});
    const Pair pair = make_pair(world);
    const auto server_ends = serve_silence(world.node(pair.server));
    REQUIRE(connect(world, pair.client, pair.server_id));
    world.run_for(seconds(1));
    const Instant begin = world.now();
    const Answer answer = call_and_wait(world, pair.client, pair.server_id, "silence",
                                        as_bytes("?"), {.deadline = milliseconds(700)});
    CHECK(answer.ends == 1);
    CHECK(answer.outcome.error.code == Code::kDeadlineExceeded);
    CHECK((answer.at - begin).us() == 700'000);
    world.run_for(seconds(1));
    REQUIRE(server_ends->size() == 1);
    CHECK_FALSE(server_ends->front().ok());
  });
}

TEST_CASE("the caller's cancellation reaches the server whatever is lost") {
  for_seeds(5, "cancelled by the caller", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.1});
    const Pair pair = make_pair(world);
    const auto server_ends = serve_silence(world.node(pair.server));
    REQUIRE(connect(world, pair.client, pair.server_id));
    const auto answer = call(world, pair.client, pair.server_id, "silence", as_bytes("?"));
    auto other = std::make_shared<CallOutcome>();
    int ends = 0;
    CallHandler handler;
    handler.on_end = [&ends, other](Call&, const CallOutcome& outcome) {
      ++ends;
      *other = outcome;
    };
    Call* shaped =
        world.node(pair.client).open_call(pair.server_id, "silence", {}, std::move(handler));
    const CallId id = shaped->id();
    REQUIRE(shaped->send(as_bytes("?")));
    world.run_for(seconds(2));
    REQUIRE(world.node(pair.client).find_call(id) != nullptr);
    world.node(pair.client).find_call(id)->cancel();
    REQUIRE(world.run_until([&] { return server_ends->size() == 1; }, seconds(20)));
    CHECK(ends == 1);
    CHECK(other->error.code == Code::kCancelled);
    CHECK(server_ends->front().error.code == Code::kCancelled);
    CHECK(answer->ends == 0);  // its neighbour did not notice
  });
}

TEST_CASE("the server's cancellation reaches the caller whatever is lost") {
  for_seeds(5, "cancelled by the server", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.1});
    const Pair pair = make_pair(world);
    REQUIRE(
        world.node(pair.server).serve("refuse", Method([](Call& incoming) { incoming.cancel(); })));
    const Answer answer =
        call_and_wait(world, pair.client, pair.server_id, "refuse", as_bytes("?"));
    CHECK(answer.ends == 1);
    CHECK(answer.outcome.error.code == Code::kCancelled);
  });
}

TEST_CASE("a stream of messages arrives whole and in order in both directions") {
  for_seeds(3, "two-way call", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.05, .reorder = 0.05});
    const Pair pair = make_pair(world);
    REQUIRE(world.node(pair.server).serve("mirror", Method([](Call& incoming) {
                                            CallHandler handler;
                                            handler.on_message = [](Call& c, ByteView m) {
                                              CHECK(c.send(m));
                                            };
                                            handler.on_finished = [](Call& c) { c.finish(); };
                                            incoming.set_handler(std::move(handler));
                                          })));
    std::vector<Bytes> received;
    std::optional<CallOutcome> end;
    CallHandler handler;
    handler.on_message = [&](Call&, ByteView m) { received.emplace_back(m.begin(), m.end()); };
    handler.on_end = [&](Call&, const CallOutcome& outcome) { end = outcome; };
    Call* mirror =
        world.node(pair.client).open_call(pair.server_id, "mirror", {}, std::move(handler));
    for (std::uint32_t i = 0; i < 50; ++i) REQUIRE(mirror->send(pattern(i * 37, i)));
    mirror->finish();
    REQUIRE(world.run_until([&] { return end.has_value(); }, minutes(1)));
    CHECK(end->ok());
    REQUIRE(received.size() == 50);
    for (std::uint32_t i = 0; i < 50; ++i) CHECK(received[i] == pattern(i * 37, i));
  });
}

TEST_CASE("a method that nobody serves is said so") {
  for_seeds(1, "no such method", [](World& world) {
    const Pair pair = make_pair(world);
    const Answer answer =
        call_and_wait(world, pair.client, pair.server_id, "nothing", as_bytes("?"));
    CHECK(answer.ends == 1);
    CHECK(answer.outcome.error.code == Code::kNoSuchMethod);
  });
}
