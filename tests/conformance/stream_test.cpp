// What a stream promises, whatever carries it.

#include <catch2/catch.hpp>

#include "conformance/road.hpp"
#include "support/writer.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

using Kind = ConnectionEvent::Kind;

/// Has the writer go on whenever this end has room.
void follow(Writer& writer, TransportEnd& end) {
  end.on_event = [&writer](Instant, const TransportEvent& e) {
    if (e.event.kind == Kind::kWritable && e.event.stream == writer.stream) writer.go();
  };
  writer.go();
}

std::unique_ptr<Road> any_road(Limits client = {}, Limits server = {}) {
  RoadOptions options = GENERATE(from_range(all_roads()));
  options.client_limits = client;
  options.server_limits = server;
  UNSCOPED_INFO(describe(options));
  return make_road(options);
}

}  // namespace

TEST_CASE("a stream carries bytes there and back, and ends, and then its id is dead") {
  const auto road = any_road();
  road->server.echo = true;
  Connection& c = road->connect();
  const StreamId stream = road->request(c, "hello");
  CHECK(c.write(stream, as_bytes("more")).error().code == Code::kStreamFinished);
  Inbox& inbox = road->client.inbox(c, stream);
  REQUIRE(road->run_until([&] { return inbox.closed && road->served_inbox().closed; }));
  CHECK(inbox.text == "hello");
  CHECK(inbox.ended);
  CHECK(c.peek(stream).empty());
  CHECK_FALSE(c.at_end(stream));
  CHECK(c.writable(stream) == 0);
  CHECK(c.write(stream, as_bytes("x")).error().code == Code::kStreamFinished);
  c.finish(stream);
  c.reset(stream, 1);
  c.stop(stream, 1);
  road->run_for(seconds(1));
  CHECK(c.established());
}

TEST_CASE("an empty stream ends as well") {
  const auto road = any_road();
  road->server.echo = true;
  Connection& c = road->connect();
  const StreamId stream = road->request(c, "");
  REQUIRE(road->run_until([&] { return road->client.inbox(c, stream).closed; }));
  CHECK(road->client.inbox(c, stream).ended);
}

TEST_CASE("megabytes arrive in order, and the end behind them") {
  const auto road = any_road();
  Connection& c = road->connect();
  const std::string text = pattern(3 << 20);
  Writer writer{c, *c.open_stream(false), text};
  follow(writer, road->client);
  REQUIRE(road->run_until([&] { return !road->server.streams.empty() && road->served_inbox().ended; }, seconds(600)));
  CHECK(road->served_inbox().text == text);
  CHECK(road->resources_of(road->client).usage().memory <= Limits{}.send_buffer_max + (1 << 17));
}

TEST_CASE("two that send at once, each on the other's stream and on its own, disturb nobody") {
  const auto road = any_road();
  road->server.echo = false;
  Connection& c = road->connect();
  Connection& d = road->served();
  const std::string there = pattern(300'000), back = pattern(200'000);
  const auto ours = *c.open_stream(false), theirs = *d.open_stream(false);
  REQUIRE(c.write(ours, as_bytes(there)) == there.size());
  REQUIRE(d.write(theirs, as_bytes(back)) == back.size());
  c.finish(ours);
  d.finish(theirs);
  REQUIRE(road->run_until([&] {
    return road->client.streams.size() == 1 && road->server.streams.size() == 1 && road->served_inbox().ended &&
           road->client.inbox(c, road->client.streams[0]).ended;
  }));
  CHECK(road->served_inbox().text == there);
  CHECK(road->client.inbox(c, road->client.streams[0]).text == back);
}

TEST_CASE("a peer that never reads stops the sender, costs bounded memory, and may read at last") {
  Limits limits;
  limits.stream_window = 256 * 1024;
  limits.connection_window = 512 * 1024;
  limits.send_buffer_max = 64 * 1024;
  const auto road = any_road(limits, limits);
  road->server.drain = false;
  Connection& c = road->connect();
  const std::string text = pattern(3 << 20);
  Writer writer{c, *c.open_stream(false), text};
  follow(writer, road->client);
  road->run_for(seconds(20));
  CHECK_FALSE(writer.rest.empty());
  CHECK(c.established());
  CHECK(road->resources_of(road->server).usage().memory <= 512 * 1024);

  road->server.drain = true;
  std::string& read = road->served_inbox().text;
  const StreamId id = road->server.streams[0];
  while (!road->served().peek(id).empty()) {
    const ByteView bytes = road->served().peek(id);
    read += as_text(bytes);
    road->served().consume(id, bytes.size());
  }
  REQUIRE(road->run_until([&] { return road->served_inbox().ended; }, seconds(600)));
  CHECK(read == text);
  road->run_for(seconds(20));
  CHECK(road->resources_of(road->server).usage().memory == 0);
  CHECK(road->resources_of(road->client).usage().memory == 0);
}

TEST_CASE("half a close leaves the other direction open") {
  const auto road = any_road();
  Connection& c = road->connect();
  const StreamId stream = road->request(c, "question");
  REQUIRE(road->run_until([&] { return !road->server.streams.empty() && road->served_inbox().ended; }));
  road->run_for(seconds(5));
  CHECK_FALSE(road->client.inbox(c, stream).closed);
  REQUIRE(road->served().write(road->server.streams[0], as_bytes("answer")));
  road->served().finish(road->server.streams[0]);
  REQUIRE(road->run_until([&] { return road->client.inbox(c, stream).closed; }));
  CHECK(road->client.inbox(c, stream).text == "answer");
}

TEST_CASE("what was not read yet survives the end of the stream") {
  const auto road = any_road();
  road->client.drain = false;
  road->server.echo = true;
  Connection& c = road->connect();
  const StreamId stream = road->request(c, "hello");
  road->run_for(seconds(2));
  CHECK_FALSE(road->client.inbox(c, stream).closed);
  CHECK(as_text(c.peek(stream)) == "hello");
  CHECK_FALSE(c.at_end(stream));
  c.consume(stream, 5);
  CHECK(c.at_end(stream));
  REQUIRE(road->run_until([&] { return road->client.inbox(c, stream).closed; }));
}

TEST_CASE("a reset ends both directions at both ends, and carries its code") {
  const auto road = any_road();
  Connection& c = road->connect();
  const auto stream = *c.open_stream(false);
  REQUIRE(c.write(stream, as_bytes("half of a mess")));
  REQUIRE(road->run_until([&] { return !road->server.streams.empty(); }));
  c.reset(stream, 0x1007);
  CHECK(c.write(stream, as_bytes("x")).error().code == Code::kStreamFinished);
  REQUIRE(road->run_until([&] { return road->served_inbox().reset.has_value(); }));
  CHECK(road->served_inbox().reset == 0x1007u);
  REQUIRE(road->run_until([&] { return road->client.inbox(c, stream).closed && road->served_inbox().closed; }));
  CHECK(road->served().write(road->server.streams[0], as_bytes("x")).error().code == Code::kStreamFinished);
  CHECK(c.established());
  road->run_for(seconds(20));
  CHECK(road->resources_of(road->client).usage().memory == 0);
}

TEST_CASE("a stream that is reset before anything of it left is nobody's concern") {
  const auto road = any_road();
  road->server.echo = true;
  Connection& c = road->connect();
  const auto stream = *c.open_stream(false);
  c.reset(stream, 7);
  REQUIRE(road->run_until([&] { return road->client.inbox(c, stream).closed; }));
  const StreamId other = road->request(c, "and the next one works");
  REQUIRE(road->run_until([&] { return road->client.inbox(c, other).closed; }));
  CHECK(road->client.inbox(c, other).text == "and the next one works");
}

TEST_CASE("resets amid a flood disturb neither the others nor the count of memory") {
  const auto road = any_road();
  road->server.echo = true;
  Connection& c = road->connect();
  for (int i = 0; i < 50; ++i) {
    const auto stream = *c.open_stream(false);
    REQUIRE(c.write(stream, as_bytes(pattern(20'000))));
    road->run_for(milliseconds(i));
    c.reset(stream, 5);
  }
  const StreamId last = road->request(c, "still here");
  REQUIRE(road->run_until([&] { return road->client.inbox(c, last).closed; }));
  CHECK(road->client.inbox(c, last).text == "still here");
  road->run_for(seconds(20));
  CHECK(road->resources_of(road->client).usage().memory == 0);
  CHECK(road->resources_of(road->server).usage().memory == 0);
}

TEST_CASE("after a stop nothing more is to be read, and the stream ends when the rest of it does") {
  const auto road = any_road();
  Connection& c = road->connect();
  const StreamId stream = road->request(c, "give me everything");
  REQUIRE(road->run_until([&] { return !road->server.streams.empty() && road->served_inbox().ended; }));
  const std::string text = pattern(4 << 20);
  Writer writer{road->served(), road->server.streams[0], text};
  follow(writer, road->server);
  Inbox& inbox = road->client.inbox(c, stream);
  REQUIRE(road->run_until([&] { return inbox.text.size() > 10'000; }));
  c.stop(stream, 0x1005);
  const std::size_t read = inbox.text.size();
  CHECK(c.peek(stream).empty());
  REQUIRE(road->run_until([&] { return inbox.closed; }));
  CHECK(inbox.text.size() == read);
  CHECK_FALSE(inbox.reset.has_value());
  const StreamId other = road->request(c, "and the connection goes on");
  REQUIRE(road->run_until([&] { return road->server.streams.size() == 2 && road->served_inbox(1).ended; }));
  CHECK(road->served_inbox(1).text == "and the connection goes on");
  static_cast<void>(other);
}

TEST_CASE("streams come and go by the thousand without growing anything") {
  const auto road = any_road();
  road->server.echo = true;
  Connection& c = road->connect();
  int begun = 0, ended = 0;
  const auto begin = [&] {
    if (begun++ < 3000) road->request(c, "ping");
  };
  road->client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind != Kind::kStreamClosed) return;
    ++ended;
    begin();
  };
  for (int i = 0; i < 64; ++i) begin();
  REQUIRE(road->run_until([&] { return ended == 3000; }, seconds(120)));
  CHECK(c.stats(road->now).streams_opened == 3000);
  road->run_for(seconds(20));
  CHECK(road->served().stats(road->now).streams_accepted == 3000);
  CHECK(road->resources_of(road->client).usage().memory == 0);
  CHECK(road->resources_of(road->server).usage().memory == 0);
}

TEST_CASE("over the bound on streams one waits, and is told when there is room") {
  const auto road = any_road();
  Connection& c = road->connect();
  std::vector<StreamId> streams;
  for (;;) {
    const auto stream = c.open_stream(false);
    if (!stream) {
      CHECK(stream.error().code == Code::kLimitStreams);
      break;
    }
    REQUIRE(c.write(*stream, as_bytes("x")) == 1u);
    c.finish(*stream);
    streams.push_back(*stream);
    REQUIRE(streams.size() < 100'000);
  }
  CHECK(streams.size() >= 256);
  road->run_for(seconds(1));
  CHECK(road->client.count(Kind::kStreamsAvailable) == 0);
  road->served().finish(road->server.streams.at(2));
  REQUIRE(road->run_until([&] { return road->client.count(Kind::kStreamsAvailable) == 1; }));
  CHECK(c.open_stream(false));
  CHECK(c.open_stream(false).error().code == Code::kLimitStreams);
}

TEST_CASE("a context travels with the events of its stream") {
  const auto road = any_road();
  road->server.echo = true;
  Connection& c = road->connect();
  int mark = 0;
  const auto stream = road->request(c, "hello");
  c.set_context(stream, &mark);
  int seen = 0;
  road->client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.stream == stream) seen += e.event.context == &mark ? 1 : 1000;
  };
  REQUIRE(road->run_until([&] { return road->client.inbox(c, stream).closed; }));
  CHECK(seen > 1);
  CHECK(seen < 1000);
}

TEST_CASE("what was written is delivered in the end, and what was given up does not count") {
  const auto road = any_road();
  Connection& c = road->connect();
  road->run_for(seconds(1));
  CHECK(c.undelivered() == 0);
  const auto stream = *c.open_stream(false);
  REQUIRE(c.write(stream, as_bytes("hello")) == 5u);
  c.finish(stream);
  if (road->name != "memory") CHECK(c.undelivered() > 0);  // there what was written is as good as delivered
  c.ask_delivery();
  REQUIRE(road->run_until([&] { return c.undelivered() == 0 && !road->server.streams.empty(); }));
  CHECK(road->served_inbox().text == "hello");
  CHECK(road->served_inbox().ended);
  const auto other = *c.open_stream(false);
  REQUIRE(c.write(other, as_bytes("hello")) == 5u);
  c.reset(other, 1);
  CHECK(c.undelivered() == 0);
}

TEST_CASE("a stream that would go over the memory bound is reset, and the others go on") {
  Limits limits;
  limits.memory_max = limits.memory_per_peer_max = 128 * 1024;
  const auto road = any_road({}, limits);
  if (road->name == "memory") return;  // it keeps no count
  road->server.drain = false;
  Connection& c = road->connect();
  const std::string text = pattern(250'000);
  Writer greedy{c, *c.open_stream(false), text};
  greedy.go();
  REQUIRE(road->run_until([&] { return road->client.inbox(c, greedy.stream).reset.has_value(); }));
  CHECK(road->client.inbox(c, greedy.stream).reset == wire_code::kStreamResourceLimit);
  CHECK(road->resources_of(road->server).counters().refused[LimitCounters::kMemory] +
            road->resources_of(road->server).counters().refused[LimitCounters::kMemoryPerPeer] > 0);
  road->server.drain = road->server.echo = true;
  const StreamId modest = road->request(c, "still here?");
  REQUIRE(road->run_until([&] { return road->client.inbox(c, modest).closed; }));
  CHECK(road->client.inbox(c, modest).text == "still here?");
}
