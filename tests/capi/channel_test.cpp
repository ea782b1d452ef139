#include "support.hpp"

using namespace p2pa::test;

namespace {

/// A client whose channel to the server is open.
struct Channel {
  Node client, server;
  p2pa_channel handle{};

  explicit Channel(const p2pa_channel_options* options = nullptr) {
    const std::string address = server.address();
    REQUIRE(p2pa_node_add_address(*client, server.peer(), address.data(), address.size(), nullptr) == P2PA_OK);
    p2pa_op op{};
    REQUIRE(p2pa_node_open_channel(*client, server.peer(), options, &op) == P2PA_OK);
    REQUIRE(run_until({&client, &server}, [&] { return client.completion(op) != nullptr; }));
    const Seen& opened = *client.completion(op);
    REQUIRE(opened.event.kind == P2PA_EVENT_CHANNEL_OPEN_DONE);
    REQUIRE(opened.event.status == P2PA_OK);
    handle = opened.event.channel;
  }
  p2pa_channel_stats stats() const {
    p2pa_channel_stats stats;
    p2pa_channel_stats_init(&stats);
    REQUIRE(p2pa_channel_info(handle, &stats) == P2PA_OK);
    return stats;
  }
};

}  // namespace

TEST_CASE("messages of many packets arrive, each once, and the channel counts them") {
  p2pa_channel_options options;
  p2pa_channel_options_init(&options);
  options.deadline_us = 50'000;
  options.no_repair = GENERATE(0U, 1U);
  Channel channel(&options);
  const std::string large(4000, 'm');
  REQUIRE(p2pa_channel_send(channel.handle, bytes("small"), 5) == P2PA_OK);
  REQUIRE(p2pa_channel_send(channel.handle, bytes(large), large.size()) == P2PA_OK);
  REQUIRE(run_until({&channel.client, &channel.server},
                    [&] { return channel.server.count(P2PA_EVENT_MESSAGE) == 2; }));
  std::vector<std::string> messages;
  for (const Seen& seen : channel.server.of(P2PA_EVENT_MESSAGE)) {
    CHECK(std::memcmp(&seen.event.peer, channel.client.peer(), sizeof(p2pa_peer)) == 0);
    messages.push_back(seen.data);
  }
  std::ranges::sort(messages);
  CHECK(messages == std::vector<std::string>{large, "small"});
  const p2pa_channel_stats stats = channel.stats();
  CHECK(stats.messages == 2);
  CHECK(stats.packets >= 2);
  CHECK((options.no_repair == 0 || stats.repairs == 0));
}

TEST_CASE("a message over the bound is refused, and nothing goes after the end") {
  Channel channel;
  const std::string huge(channel.stats().size_max + 1, 'm');
  CHECK(p2pa_channel_send(channel.handle, bytes(huge), huge.size()) == P2PA_E_MESSAGE_TOO_LARGE);
  REQUIRE(p2pa_channel_close(channel.handle) == P2PA_OK);
  CHECK(p2pa_channel_close(channel.handle) == P2PA_E_STREAM_FINISHED);
  CHECK(p2pa_channel_send(channel.handle, bytes("x"), 1) == P2PA_E_STREAM_FINISHED);
  REQUIRE(run_until({&channel.client, &channel.server},
                    [&] { return channel.client.count(P2PA_EVENT_CHANNEL_ENDED) == 1; }));
  CHECK(channel.client.of(P2PA_EVENT_CHANNEL_ENDED)[0].event.status == P2PA_OK);
  CHECK(channel.client.of(P2PA_EVENT_CHANNEL_ENDED)[0].event.channel.v == channel.handle.v);
  CHECK(p2pa_channel_send(channel.handle, bytes("x"), 1) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("events that follow know nothing of the channel") {
  Channel channel;
  for (int i = 0; i < 3; ++i) {
    p2pa_op op{};
    REQUIRE(p2pa_node_ping(*channel.client, channel.server.peer(), &op) == P2PA_OK);
    REQUIRE(run_until({&channel.client, &channel.server}, [&] { return channel.client.completion(op) != nullptr; }));
    CHECK(channel.client.completion(op)->event.channel.v == 0);
  }
}

TEST_CASE("a channel ends with its node, and before CLOSED") {
  Channel channel;
  REQUIRE(p2pa_node_close(*channel.client) == P2PA_OK);
  REQUIRE(run_until({&channel.client, &channel.server}, [&] { return channel.client.count(P2PA_EVENT_CLOSED) == 1; }));
  CHECK(channel.client.count(P2PA_EVENT_CHANNEL_ENDED) == 1);
  CHECK(channel.client.seen.back().event.kind == P2PA_EVENT_CLOSED);
}

TEST_CASE("there is no channel to who cannot be reached, or over TCP") {
  static constexpr std::string_view kTcp = "/ip4/127.0.0.1/tcp/0";
  Node client, server([](p2pa_node_options& o) { o.listen = kTcp.data(), o.listen_size = kTcp.size(); });
  p2pa_op op{};
  REQUIRE(p2pa_node_open_channel(*client, server.peer(), nullptr, &op) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.completion(op) != nullptr; }));
  CHECK(client.completion(op)->event.status == P2PA_E_NO_ADDRESS);
  const std::string address = server.address();
  REQUIRE(p2pa_node_add_address(*client, server.peer(), address.data(), address.size(), nullptr) == P2PA_OK);
  REQUIRE(p2pa_node_open_channel(*client, server.peer(), nullptr, &op) == P2PA_OK);
  REQUIRE(run_until({&client, &server}, [&] { return client.completion(op) != nullptr; }));
  CHECK(client.completion(op)->event.status == P2PA_E_UNSUPPORTED);
}
