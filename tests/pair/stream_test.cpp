#include <numeric>

#include "pair/pair.hpp"
#include "support/writer.hpp"

using namespace p2pa;
using namespace p2pa::test;

TEST_CASE("a stream carries bytes there and back, and ends") {
  Scene s;
  Connection& c = s.connect();
  const StreamId stream = s.request(c, "hello");
  CHECK(c.write(stream, as_bytes("more")).error().code == Code::kStreamFinished);
  Inbox& inbox = s.client.inbox(c, stream);
  REQUIRE(s.pipe.run_until([&] { return inbox.closed && s.served_inbox().closed; }));
  CHECK(inbox.text == "hello");
  CHECK(inbox.ended);
  // The id is dead: nothing is found, nothing happens.
  CHECK(c.peek(stream).empty());
  CHECK_FALSE(c.at_end(stream));
  CHECK(c.writable(stream) == 0);
  CHECK(c.write(stream, as_bytes("x")).error().code == Code::kStreamFinished);
  c.consume(stream, 1);
  c.finish(stream);
  c.reset(stream, 1);
  c.stop(stream, 1);
}

TEST_CASE("an empty stream ends as well") {
  Scene s;
  Connection& c = s.connect();
  const StreamId stream = s.request(c, "");
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
  CHECK(s.client.inbox(c, stream).ended);
}

TEST_CASE("megabytes arrive in order over a wire that loses and reorders") {
  Link link;
  link.loss = GENERATE(0.0, 0.02);
  link.jitter = milliseconds(3);
  Scene s(link);
  Connection& c = s.connect();
  const std::string text = pattern(3 << 20);
  Writer writer{c, *c.open_stream(false), text};
  s.client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind == Kind::kWritable) writer.go();
  };
  s.server.echo = false;
  writer.go();
  CHECK(writer.rest.size() == text.size() - Limits{}.send_buffer_max);
  REQUIRE(s.pipe.run_until([&] { return !s.server.streams.empty() && s.served_inbox().ended; }, seconds(300)));
  CHECK(s.served_inbox().text == text);
  CHECK(s.client.resources.usage().memory <= Limits{}.send_buffer_max + (1 << 17));
}

TEST_CASE("a peer that never reads stops the sender at its windows, and costs bounded memory") {
  Limits limits;
  limits.stream_window = 64 * 1024;
  limits.connection_window = 128 * 1024;
  limits.send_buffer_max = 32 * 1024;
  Scene s({}, limits, limits);
  s.server.drain = s.server.echo = false;
  Connection& c = s.connect();
  const std::string text = pattern(1 << 20);
  std::vector<Writer> writers;
  for (int i = 0; i < 4; ++i) writers.push_back({c, *c.open_stream(false), text});
  s.client.on_event = [&](Instant, const TransportEvent& e) {
    for (Writer& w : writers) {
      if (e.event.kind == Kind::kWritable && w.stream == e.event.stream) w.go();
    }
  };
  for (Writer& w : writers) w.go();
  s.pipe.run_for(seconds(20));
  std::size_t sent = 0;
  for (const Writer& w : writers) sent += text.size() - w.rest.size();
  CHECK(sent >= 128 * 1024);
  CHECK(sent <= 128 * 1024 + 4 * 32 * 1024);
  CHECK(s.server.resources.usage().memory <= 256 * 1024);
  CHECK(c.established());

  // When it reads at last, everything comes.
  s.server.drain = true;
  for (const StreamId id : s.server.streams) {
    while (!s.served().peek(id).empty()) {
      const ByteView bytes = s.served().peek(id);
      s.server.inbox(s.served(), id).text += as_text(bytes);
      s.served().consume(id, bytes.size());
    }
  }
  REQUIRE(s.pipe.run_until([&] {
    return std::ranges::all_of(s.server.streams, [&](StreamId id) { return s.server.inbox(s.served(), id).ended; });
  }, seconds(300)));
  for (const StreamId id : s.server.streams) CHECK(s.server.inbox(s.served(), id).text == text);
  s.pipe.run_for(seconds(20));
  CHECK(s.server.resources.usage().memory == 0);
  CHECK(s.client.resources.usage().memory == 0);
}

TEST_CASE("half a close leaves the other direction open") {
  Scene s;
  s.server.echo = false;
  Connection& c = s.connect();
  const StreamId stream = s.request(c, "question");
  REQUIRE(s.pipe.run_until([&] { return !s.server.streams.empty() && s.served_inbox().ended; }));
  s.pipe.run_for(seconds(5));
  CHECK_FALSE(s.client.inbox(c, stream).closed);
  REQUIRE(s.served().write(s.server.streams[0], as_bytes("answer")));
  s.served().finish(s.server.streams[0]);
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
  CHECK(s.client.inbox(c, stream).text == "answer");
}

TEST_CASE("what was not read yet survives the end of the stream") {
  Scene s;
  s.client.drain = false;
  Connection& c = s.connect();
  const StreamId stream = s.request(c, "hello");
  s.pipe.run_for(seconds(2));
  CHECK_FALSE(s.client.inbox(c, stream).closed);
  CHECK(as_text(c.peek(stream)) == "hello");
  CHECK_FALSE(c.at_end(stream));
  c.consume(stream, 5);
  CHECK(c.at_end(stream));
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
}

TEST_CASE("a reset reaches the other end with its code") {
  Scene s;
  s.server.echo = false;
  Connection& c = s.connect();
  const auto stream = *c.open_stream(false);
  REQUIRE(c.write(stream, as_bytes("half of a mess")));
  REQUIRE(s.pipe.run_until([&] { return !s.server.streams.empty(); }));
  c.reset(stream, 0x1007);
  REQUIRE(s.pipe.run_until([&] { return s.served_inbox().reset.has_value(); }));
  CHECK(s.served_inbox().reset == 0x1007u);
  CHECK(s.client.inbox(c, stream).closed);
  REQUIRE(s.pipe.run_until([&] { return s.served_inbox().closed; }));
  CHECK(c.established());
  s.pipe.run_for(seconds(20));
  CHECK(s.client.resources.usage().memory == 0);
}

TEST_CASE("a reset that overtakes lost data does not resurrect it") {
  Link link;
  link.loss = 0.2;
  Scene s(link);
  Connection& c = s.connect();
  for (int i = 0; i < 50; ++i) {
    const auto stream = *c.open_stream(false);
    REQUIRE(c.write(stream, as_bytes(pattern(20'000))));
    s.pipe.run_for(milliseconds(i));
    c.reset(stream, 5);
  }
  s.pipe.run_for(seconds(20));
  CHECK(c.established());
  CHECK(s.client.resources.usage().memory == 0);
  CHECK(s.server.resources.usage().memory == 0);
}

TEST_CASE("a stop ends the other end's writing, and only that") {
  Scene s;
  s.server.echo = false;
  Connection& c = s.connect();
  const StreamId stream = s.request(c, "give me everything");
  REQUIRE(s.pipe.run_until([&] { return !s.server.streams.empty() && s.served_inbox().ended; }));
  const std::string text = pattern(1 << 20);
  Writer writer{s.served(), s.server.streams[0], text};
  writer.go();
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).text.size() > 10'000; }));
  c.stop(stream, 0x1005);
  REQUIRE(s.pipe.run_until([&] { return s.served_inbox().stopped.has_value(); }));
  CHECK(s.served().write(s.server.streams[0], as_bytes("x")).error().code == Code::kStreamFinished);
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed && s.served_inbox().closed; }));
  CHECK(s.client.count(Kind::kStreamReset) == 0);
  s.pipe.run_for(seconds(20));
  CHECK(s.client.resources.usage().memory == 0);
}

TEST_CASE("a stop that meets an end is no harm: go peers do it on every close") {
  Scene s;
  Connection& c = s.connect();
  const StreamId stream = s.request(c, "hello");
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).ended; }));
  c.stop(stream, 0);
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed && s.served_inbox().closed; }));
  CHECK(c.established());
}

TEST_CASE("over the peer's stream limit one waits, and is told when there is room") {
  Limits limits;
  limits.streams_inbound_per_connection_max = 4;
  Scene s({}, {}, limits);
  s.server.echo = false;
  Connection& c = s.connect();
  std::vector<StreamId> streams;
  for (int i = 0; i < 4; ++i) streams.push_back(s.request(c, "x"));
  CHECK(c.open_stream(false).error().code == Code::kLimitStreams);
  s.pipe.run_for(seconds(1));
  CHECK(s.client.count(Kind::kStreamsAvailable) == 0);
  s.served().finish(s.server.streams.at(2));
  REQUIRE(s.pipe.run_until([&] { return s.client.count(Kind::kStreamsAvailable) == 1; }));
  CHECK(c.open_stream(false));
  CHECK(c.open_stream(false).error().code == Code::kLimitStreams);
}

TEST_CASE("streams come and go by the thousand without growing anything") {
  Scene s;
  Connection& c = s.connect();
  int begun = 0, ended = 0;
  const auto begin = [&] {
    if (begun++ < 5000) s.request(c, "ping");
  };
  s.client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind != Kind::kStreamClosed) return;
    ++ended;
    begin();
  };
  for (int i = 0; i < 64; ++i) begin();
  REQUIRE(s.pipe.run_until([&] { return ended == 5000; }, seconds(60)));
  CHECK(c.stats(s.pipe.now).streams_opened == 5000);
  s.pipe.run_for(seconds(20));
  CHECK(s.served().stats(s.pipe.now).streams_accepted == 5000);
  CHECK(s.client.resources.usage().memory == 0);
  CHECK(s.server.resources.usage().memory == 0);
}

TEST_CASE("a stream that would go over the memory bound is reset, and the others go on") {
  Limits limits;
  limits.memory_max = limits.memory_per_peer_max = 256 * 1024;
  Scene s({}, {}, limits);
  s.server.drain = s.server.echo = false;
  Connection& c = s.connect();
  const std::string text = pattern(400'000);
  Writer greedy{c, *c.open_stream(false), text};
  greedy.go();
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, greedy.stream).reset.has_value(); }));
  CHECK(s.client.inbox(c, greedy.stream).reset == wire_code::kStreamResourceLimit);
  CHECK(s.server.resources.counters().refused[LimitCounters::kMemory] +
            s.server.resources.counters().refused[LimitCounters::kMemoryPerPeer] > 0);
  s.server.drain = s.server.echo = true;
  const StreamId modest = s.request(c, "still here?");
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, modest).closed; }));
  CHECK(s.client.inbox(c, modest).text == "still here?");
}

TEST_CASE("a write over the memory bound is short, and goes on when memory is given back") {
  Limits limits;
  limits.memory_max = 256 * 1024;
  Scene s({}, limits);
  s.server.echo = false;
  Connection& c = s.connect();
  const std::string text = pattern(1 << 20);
  Writer writer{c, *c.open_stream(false), text};
  s.client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind == Kind::kWritable) writer.go();
  };
  const std::size_t expected = c.writable(writer.stream);
  writer.go();
  CHECK(text.size() - writer.rest.size() == expected);
  CHECK(expected > 200 * 1024);
  CHECK(s.client.resources.usage().memory <= limits.memory_max);
  CHECK(s.client.resources.counters().refused[LimitCounters::kMemory] > 0);
  REQUIRE(s.pipe.run_until([&] { return !s.server.streams.empty() && s.served_inbox().ended; }));
  CHECK(s.served_inbox().text == text);
}

TEST_CASE("a stream without memory waits in silence until somebody else gives some back") {
  Limits limits;
  limits.memory_max = 256 * 1024;
  Scene s({}, limits);
  Connection& c = s.connect();
  const auto stream = *c.open_stream(false);
  auto elsewhere = s.client.resources.memory(PeerId{}, limits.memory_max);
  REQUIRE(elsewhere);
  CHECK(c.writable(stream) == 0);
  CHECK(c.write(stream, as_bytes("small")) == 0u);
  CHECK(c.write(stream, as_bytes("small")) == 0u);
  s.pipe.run_for(seconds(5));
  CHECK_FALSE(s.client.endpoint.has_events());
  CHECK(s.client.inbox(c, stream).writable == 0);

  elsewhere->release();
  CHECK(s.client.endpoint.has_events());
  s.pipe.run_for(milliseconds(1));
  CHECK(s.client.inbox(c, stream).writable == 1);
  CHECK_FALSE(s.client.endpoint.has_events());
  CHECK(c.write(stream, as_bytes("small")) == 5u);
}

TEST_CASE("streams that wait for memory may be reset, and their connection closed") {
  Limits limits;
  limits.memory_max = 256 * 1024;
  Scene s({}, limits);
  Connection& c = s.connect();
  auto elsewhere = s.client.resources.memory(PeerId{}, limits.memory_max);
  const auto first = *c.open_stream(false);
  const auto second = *c.open_stream(false);
  CHECK(c.write(first, as_bytes("x")) == 0u);
  CHECK(c.write(second, as_bytes("x")) == 0u);
  c.reset(first, 1);
  s.pipe.run_for(seconds(1));
  CHECK(s.client.inbox(c, first).closed);
  SECTION("the other is woken alone") {
    elsewhere->release();
    s.pipe.run_for(seconds(1));
    CHECK(s.client.inbox(c, first).writable == 0);
    CHECK(s.client.inbox(c, second).writable == 1);
  }
  SECTION("nobody is left") {
    c.close(0, "");
    s.pipe.run_for(seconds(1));
    elsewhere->release();
    CHECK_FALSE(s.client.endpoint.has_events());
  }
}

TEST_CASE("a context travels with the events of its stream") {
  Scene s;
  Connection& c = s.connect();
  int mark = 0;
  const auto stream = s.request(c, "hello");
  c.set_context(stream, &mark);
  int seen = 0;
  s.client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.stream == stream) seen += e.event.context == &mark ? 1 : 1000;
  };
  REQUIRE(s.pipe.run_until([&] { return s.client.inbox(c, stream).closed; }));
  CHECK(seen > 1);
  CHECK(seen < 1000);
}

TEST_CASE("a path that becomes slower is paced from then on, and not for what went before") {
  Link link;
  link.delay = microseconds(10);
  Limits limits;
  limits.stream_window = limits.connection_window = 128 * 1024;  // so that the congestion window stays small
  Scene s(link, limits, limits);
  s.server.echo = false;
  Connection& c = s.connect();
  const std::string text = pattern(16 << 20);
  Writer writer{c, *c.open_stream(false), text};
  s.client.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind == Kind::kWritable) writer.go();
  };
  writer.go();
  REQUIRE(s.pipe.run_until([&] { return s.server.streams.size() == 1 && s.served_inbox().text.size() > 15'000'000; }));
  s.pipe.link.delay = milliseconds(100);
  REQUIRE(s.pipe.run_until([&] { return s.served_inbox().ended; }, seconds(8)));
  CHECK(s.served_inbox().text == text);
}

TEST_CASE("what was written is delivered once it is acknowledged, an end that goes alone too") {
  Scene scene;
  scene.server.echo = false;
  Connection& c = scene.connect();
  scene.pipe.run_for(seconds(1));
  CHECK(c.undelivered() == 0);
  const auto stream = c.open_stream(false);
  REQUIRE(stream);
  REQUIRE(c.write(*stream, as_bytes("hello")) == 5);
  CHECK(c.undelivered() > 0);
  REQUIRE(scene.pipe.run_until([&] { return c.undelivered() == 0; }));
  CHECK(scene.served_inbox().text == "hello");
  bool lose = true;
  scene.pipe.filter = [&](Peer& from, Bytes&) { return &from != &scene.client || !lose; };
  c.finish(*stream);
  CHECK(c.undelivered() > 0);
  scene.pipe.run_for(milliseconds(100));
  CHECK(c.undelivered() > 0);
  lose = false;
  REQUIRE(scene.pipe.run_until([&] { return c.undelivered() == 0; }));
  CHECK(scene.served_inbox().ended);
}

TEST_CASE("a stream that was given up does not wait to be delivered") {
  Scene scene;
  scene.server.echo = false;
  Connection& c = scene.connect();
  scene.pipe.filter = [&](Peer& from, Bytes&) { return &from != &scene.client; };
  const auto stream = c.open_stream(false);
  REQUIRE(stream);
  REQUIRE(c.write(*stream, as_bytes("hello")) == 5);
  scene.pipe.run_for(milliseconds(100));
  CHECK(c.undelivered() > 0);
  c.reset(*stream, 1);
  CHECK(c.undelivered() == 0);
}
