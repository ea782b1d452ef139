#include <catch2/catch.hpp>

#include <algorithm>

#include "node/core.hpp"
#include "resource/manager.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

void check_nothing_reserved(World& world, NodeId node) {
  const auto& usage = world.node(node).core().resources().usage();
  CHECK(usage.handshakes == 0);
  CHECK(usage.connections == 0);
  CHECK(usage.streams == 0);
  CHECK(usage.calls == 0);
  CHECK(usage.memory == 0);
}

}  // namespace

TEST_CASE("what was reserved is given back when connections end, well or badly") {
  for_seeds(5, "reservations", [](World& world) {
    world.set_default_link({.delay = milliseconds(20), .loss = 0.05});
    const Pair pair = make_pair(world);
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint32_t i = 0; i < 30; ++i) {
      answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(i * 1000, i)));
    }
    world.run_for(milliseconds(200));  // in the middle of it
    CHECK(world.node(pair.client).core().resources().usage().calls > 0);
    world.node(pair.client).disconnect(pair.server_id);
    world.run_for(minutes(1));
    for (const auto& answer : answers) CHECK(answer->ends == 1);
    CHECK(world.node(pair.client).connections().empty());
    check_nothing_reserved(world, pair.client);
    check_nothing_reserved(world, pair.server);
  });
}

TEST_CASE("connections over the bound are refused and counted, and the others do not notice") {
  for_seeds(1, "connections over the bound", [](World& world) {
    NodeOptions options = listening();
    options.limits.connections_max = 3;
    const NodeId server = world.add_node(std::move(options));
    serve_echo(world.node(server));
    std::vector<std::shared_ptr<Answer>> answers;
    for (int i = 0; i < 4; ++i) {
      const NodeId client = world.add_node({});
      introduce(world, client, server);
      answers.push_back(call(world, client, world.node(server).id(), "echo", as_bytes("hello")));
      world.run_for(seconds(2));
    }
    for (int i = 0; i < 3; ++i) CHECK(answers[static_cast<std::size_t>(i)]->ok());
    world.run_for(seconds(30));
    CHECK(answers[3]->ends == 1);
    CHECK_FALSE(answers[3]->outcome.ok());
    CHECK(world.node(server).limit_counters().refused[LimitCounters::kConnections] == 1);
    CHECK(world.node(server).connections().size() == 3);
  });
}

TEST_CASE("a storm of calls is answered within the bounds, and the rest is refused") {
  for_seeds(2, "storm", [](World& world) {
    NodeOptions options = listening();
    options.limits.calls_max = 16;
    options.limits.memory_max = 1 << 20;
    const Pair pair = make_pair(world, std::move(options));
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint32_t i = 0; i < 100; ++i) {
      answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(5000, i)));
    }
    world.run_for(minutes(1));
    int ok = 0;
    for (const auto& answer : answers) {
      CHECK(answer->ends == 1);
      ok += answer->ok() ? 1 : 0;
    }
    CHECK(ok >= 16);
    CHECK(ok < 100);
    CHECK(world.node(pair.server).limit_counters().refused[LimitCounters::kCalls] > 0);
  });
}

TEST_CASE("a reader that pauses stops the sender, in bounded memory, and loses nothing") {
  for_seeds(2, "slow reader", [](World& world) {
    NodeOptions options;
    options.limits.send_buffer_max = 64 * 1024;
    NodeOptions server_options = listening();
    server_options.limits.stream_window = 64 * 1024;
    const Pair pair = make_pair(world, std::move(server_options), std::move(options));
    std::size_t received = 0;
    CallId inbound = 0;
    REQUIRE(world.node(pair.server).serve("slow", Method([&](Call& incoming) {
                                            CallHandler handler;
                                            handler.on_message = [&](Call&, ByteView message) {
                                              received += message.size();
                                            };
                                            handler.on_finished = [](Call& call) { call.finish(); };
                                            incoming.set_handler(std::move(handler));
                                            incoming.pause();
                                            inbound = incoming.id();
                                          })));
    constexpr std::size_t kMessages = 200, kSize = 4000;
    std::size_t sent = 0;
    std::optional<CallOutcome> end;
    const auto push = [&sent](Call& call) {
      while (sent < kMessages) {
        const auto taken = call.send(pattern(kSize, static_cast<std::uint32_t>(sent)));
        if (!taken) {
          CHECK(taken.error().code == Code::kWouldBlock);
          return;
        }
        if (++sent == kMessages) call.finish();
      }
    };
    CallHandler handler;
    handler.on_writable = push;
    handler.on_end = [&](Call&, const CallOutcome& outcome) { end = outcome; };
    push(*world.node(pair.client).open_call(pair.server_id, "slow", {}, std::move(handler)));
    world.run_for(seconds(10));
    CHECK(sent < kMessages);
    CHECK(received == 0);
    for (const NodeId node : {pair.server, pair.client}) {
      CHECK(world.node(node).core().resources().usage().memory < 256 * 1024);
    }
    REQUIRE(world.node(pair.server).find_call(inbound) != nullptr);
    world.node(pair.server).find_call(inbound)->resume();
    REQUIRE(world.run_until([&] { return end.has_value(); }, seconds(15)));
    CHECK(end->ok());
    CHECK(received == kMessages * kSize);
  });
}

TEST_CASE("a reader that pauses at every message hears the end after the last one") {
  const std::size_t size = GENERATE(std::size_t{10}, std::size_t{20'000});  // in one piece, and in several
  for_seeds(1, "paused at the end", [size](World& world) {
    const Pair pair = make_pair(world);
    constexpr std::size_t kMessages = 5;
    REQUIRE(world.node(pair.server).serve("list", Method([size](Call& incoming) {
                                            for (std::size_t i = 0; i < kMessages; ++i) {
                                              CHECK(incoming.send(pattern(size, 1)));
                                            }
                                            incoming.finish();
                                          })));
    std::size_t received = 0;
    bool finished = false;
    std::optional<CallOutcome> end;
    CallHandler handler;
    handler.on_message = [&](Call& call, ByteView message) {
      CHECK(message.size() == size);
      ++received;
      call.pause();
    };
    handler.on_finished = [&](Call&) {
      CHECK(received == kMessages);
      finished = true;
    };
    handler.on_end = [&](Call&, const CallOutcome& outcome) { end = outcome; };
    Call* call = world.node(pair.client).open_call(pair.server_id, "list", {}, std::move(handler));
    call->finish();
    const CallId id = call->id();
    for (std::size_t i = 1; i <= kMessages; ++i) {
      world.run_for(seconds(1));
      CHECK(received == i);
      CHECK_FALSE(finished);
      REQUIRE(world.node(pair.client).find_call(id) != nullptr);
      world.node(pair.client).find_call(id)->resume();
    }
    world.run_for(seconds(1));
    CHECK(finished);
    REQUIRE(end.has_value());
    CHECK(end->ok());
  });
}

TEST_CASE("a stream of one-way messages that is paused at its end is heard to its end") {
  for_seeds(1, "one way, paused", [](World& world) {
    const Pair pair = make_pair(world);
    std::size_t received = 0;
    bool finished = false;
    CallId inbound = 0;
    REQUIRE(world.node(pair.server).serve("tell", Method([&](Call& incoming) {
                                            CallHandler handler;
                                            handler.on_message = [&](Call& call, ByteView) {
                                              ++received;
                                              call.pause();
                                            };
                                            handler.on_finished = [&](Call&) { finished = true; };
                                            incoming.set_handler(std::move(handler));
                                            inbound = incoming.id();
                                          })));
    CallOptions options;
    options.one_way = true;
    Call* call = world.node(pair.client).open_call(pair.server_id, "tell", options, {});
    CHECK(call->send(pattern(10, 1)));
    CHECK(call->send(pattern(10, 2)));
    call->finish();
    for (std::size_t i = 1; i <= 2; ++i) {
      world.run_for(seconds(1));
      CHECK(received == i);
      CHECK_FALSE(finished);
      REQUIRE(world.node(pair.server).find_call(inbound) != nullptr);
      world.node(pair.server).find_call(inbound)->resume();
    }
    world.run_for(seconds(1));
    CHECK(finished);
  });
}

namespace {

/// Calls of a method that sends `messages` messages to each, all of which pause at first. How many ended well,
/// and so with every message; the others were told why not.
std::size_t run_paused_listing(World& world, const Pair& pair, std::size_t calls, int messages) {
  struct Serving {
    int sent = 0;
  };
  std::vector<std::unique_ptr<Serving>> servings;
  const Bytes message = pattern(1500, 7);
  REQUIRE(world.node(pair.server).serve("list", Method([&](Call& incoming) {
                                          Serving* serving = servings.emplace_back(std::make_unique<Serving>()).get();
                                          const auto push = [serving, messages, &message](Call& call) {
                                            while (serving->sent < messages) {
                                              if (const auto taken = call.send(message); !taken) {
                                                CHECK(taken.error().code == Code::kWouldBlock);
                                                return;
                                              }
                                              ++serving->sent;
                                            }
                                            call.finish();
                                          };
                                          CallHandler handler;
                                          handler.on_writable = push;
                                          incoming.set_handler(std::move(handler));
                                          push(incoming);
                                        })));
  struct Listing {
    CallId id = 0;
    int received = 0;
    std::optional<CallOutcome> end;
  };
  std::vector<Listing> listings(calls);
  for (Listing& listing : listings) {
    CallHandler handler;
    handler.on_message = [&](Call&, ByteView bytes) { listing.received += bytes.size() == message.size() ? 1 : 0; };
    handler.on_end = [&](Call&, const CallOutcome& outcome) { listing.end = outcome; };
    CallOptions options;
    options.deadline = Duration{};
    Call* call = world.node(pair.client).open_call(pair.server_id, "list", options, std::move(handler));
    listing.id = call->id();
    call->pause();
    call->finish();
  }
  world.run_for(seconds(5));
  const auto& server = world.node(pair.server).core().resources();
  CHECK(server.counters().refused[LimitCounters::kMemoryPerPeer] > 0);
  for (const Listing& listing : listings) {
    if (Call* call = world.node(pair.client).find_call(listing.id)) call->resume();
  }
  const auto all_ended = [&] {
    return std::ranges::all_of(listings, [](const Listing& l) { return l.end.has_value(); });
  };
  CHECK(world.run_until(all_ended, minutes(2)));
  std::size_t whole = 0;
  for (const Listing& listing : listings) {
    REQUIRE(listing.end);
    if (!listing.end->ok()) continue;
    CHECK(listing.received == messages);
    ++whole;
  }
  return whole;
}

}  // namespace

TEST_CASE("streaming calls over the bound on memory wait, and lose nothing") {
  for_seeds(1, "streaming over the memory bound", [](World& world) {
    NodeOptions server = listening(), client;
    server.limits.memory_per_peer_max = 512 * 1024;
    server.limits.memory_max = 1 << 20;
    client.limits.stream_window = 64 * 1024;
    client.limits.connection_window = 128 * 1024;
    const Pair pair = make_pair(world, std::move(server), std::move(client));
    CHECK(run_paused_listing(world, pair, 8, 200) == 8);
  });
}

TEST_CASE("three hundred paused calls fill the bound on memory, and lose nothing in silence") {
  for_seeds(1, "many paused calls", [](World& world) {
    NodeOptions server = listening(), client;
    server.limits.memory_per_peer_max = 4 << 20;
    client.limits.connection_window = 1 << 20;
    const Pair pair = make_pair(world, std::move(server), std::move(client));
    // A request that arrives when the answers to others fill the memory is reset, and its caller told.
    CHECK(run_paused_listing(world, pair, 300, 30) > 100);
  });
}

TEST_CASE("answers over the bound on memory are the caller's reason") {
  for_seeds(1, "answers over the memory bound", [](World& world) {
    NodeOptions server = listening();
    server.limits.memory_per_peer_max = 256 * 1024;
    const Pair pair = make_pair(world, std::move(server));
    REQUIRE(world.node(pair.server).serve("big", UnaryMethod([](const PeerId&, ByteView) {
                                            return std::expected<Bytes, ApplicationError>(pattern(2'000'000, 1));
                                          })));
    REQUIRE(world.node(pair.server).serve("bad", UnaryMethod([](const PeerId&, ByteView) {
                                            return std::expected<Bytes, ApplicationError>(std::unexpected(
                                                ApplicationError{42, "mine", pattern(500'000, 1)}));
                                          })));
    for (const auto method : {"big", "bad"}) {
      const Answer answer = call_and_wait(world, pair.client, pair.server_id, method, as_bytes("x"));
      CHECK(answer.outcome.error == Error{Code::kLimitMemory, 256 * 1024, ""});
      CHECK(answer.bytes.empty());
    }
    std::vector<std::shared_ptr<Answer>> answers;
    for (std::uint32_t i = 0; i < 6; ++i) {
      answers.push_back(call(world, pair.client, pair.server_id, "echo", pattern(60'000, i)));
    }
    world.run_for(minutes(1));
    for (std::uint32_t i = 0; i < 6; ++i) {
      CHECK(answers[i]->ends == 1);
      CHECK(answers[i]->bytes == (answers[i]->ok() ? pattern(60'000, i) : Bytes{}));
    }
  });
}
