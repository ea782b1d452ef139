#include <catch2/catch.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "p2pagents/key_pair.hpp"
#include "transport/memory/pair.hpp"
#include "transport/stream.hpp"

using namespace p2pa;
using namespace p2pa::memory;
using Kind = ConnectionEvent::Kind;

namespace {

PeerId peer(std::uint8_t seed) { return KeyPair::from_seed(Bytes(32, seed)).peer_id(); }

struct Wire {
  explicit Wire(Config config = {}) : pair(config, peer(1), peer(2)) {
    events(Pair::kDialer);
    events(Pair::kListener);
  }
  End& dialer() { return pair.end(Pair::kDialer); }
  End& listener() { return pair.end(Pair::kListener); }
  void step() {
    pair.advance(now);
    now = now + milliseconds(1);
    pair.advance(now);
  }
  std::vector<ConnectionEvent> events(Pair::Side side) {
    std::vector<ConnectionEvent> out;
    ConnectionEvent event;
    while (pair.poll_event(side, event)) out.push_back(event);
    return out;
  }
  std::vector<Kind> kinds(Pair::Side side) {
    std::vector<Kind> out;
    for (const ConnectionEvent& event : events(side)) out.push_back(event.kind);
    return out;
  }
  /// Everything there is to read.
  std::string read(End& end, StreamId stream) {
    std::string out;
    while (!end.peek(stream).empty()) {
      out += as_text(end.peek(stream));
      end.consume(stream, end.peek(stream).size());
    }
    return out;
  }

  Instant now{1000};
  Pair pair;
};

}  // namespace

TEST_CASE("both ends of a connection in memory know each other", "[memory]") {
  Pair pair({}, peer(1), peer(2), 7, 9);
  ConnectionEvent event;
  REQUIRE(pair.poll_event(Pair::kDialer, event));
  CHECK(event.kind == Kind::kEstablished);
  CHECK(pair.end(Pair::kDialer).peer() == peer(2));
  CHECK(pair.end(Pair::kListener).peer() == peer(1));
  CHECK(pair.end(Pair::kDialer).outbound());
  CHECK_FALSE(pair.end(Pair::kListener).outbound());
  CHECK(pair.end(Pair::kDialer).id() == 7);
  CHECK(pair.end(Pair::kListener).id() == 9);
  CHECK(pair.end(Pair::kDialer).remote_address() == pair.end(Pair::kListener).local_address());
  CHECK(pair.next_deadline() == kNever);
}

TEST_CASE("bytes arrive after the delay, in order, and the end behind them", "[memory]") {
  Wire wire({.delay = milliseconds(1)});
  const StreamId stream = *wire.dialer().open_stream(false);
  CHECK(*wire.dialer().write(stream, as_bytes("hello ")) == 6);
  CHECK(*wire.dialer().write(stream, as_bytes("world")) == 5);
  wire.dialer().finish(stream);
  wire.pair.advance(wire.now);
  CHECK(wire.events(Pair::kListener).empty());
  CHECK(wire.pair.next_deadline() == wire.now + milliseconds(1));
  wire.step();
  CHECK(wire.kinds(Pair::kListener) == std::vector<Kind>{Kind::kStreamOpened, Kind::kReadable});
  CHECK_FALSE(wire.listener().at_end(stream));
  CHECK(wire.read(wire.listener(), stream) == "hello world");
  CHECK(wire.listener().at_end(stream));
}

TEST_CASE("a stream closes at both ends when both directions are over and read", "[memory]") {
  Wire wire;
  const StreamId stream = *wire.dialer().open_stream(false);
  REQUIRE(wire.dialer().write(stream, as_bytes("x")));
  wire.dialer().finish(stream);
  wire.step();
  wire.listener().finish(stream);
  wire.step();
  wire.step();
  CHECK(wire.kinds(Pair::kDialer) == std::vector<Kind>{Kind::kReadable, Kind::kStreamClosed});
  CHECK(wire.kinds(Pair::kListener) == std::vector<Kind>{Kind::kStreamOpened, Kind::kReadable});
  CHECK(wire.read(wire.listener(), stream) == "x");
  CHECK(wire.kinds(Pair::kListener) == std::vector<Kind>{Kind::kStreamClosed});
  CHECK(wire.listener().peek(stream).empty());
}

TEST_CASE("a full buffer takes no more until the reader has read", "[memory]") {
  Wire wire({.stream_bytes_max = 10, .segment_bytes_max = 4});
  const StreamId stream = *wire.dialer().open_stream(false);
  CHECK(*wire.dialer().write(stream, Bytes(7, 1)) == 7);
  CHECK(wire.dialer().writable(stream) == 3);
  CHECK(*wire.dialer().write(stream, Bytes(7, 2)) == 3);
  CHECK(*wire.dialer().write(stream, Bytes(7, 2)) == 0);
  wire.step();
  CHECK(wire.listener().peek(stream).size() == 4);
  wire.step();
  CHECK(wire.events(Pair::kDialer).empty());
  wire.listener().consume(stream, 3);
  wire.step();
  CHECK(wire.kinds(Pair::kDialer) == std::vector<Kind>{Kind::kWritable});
  CHECK(wire.dialer().writable(stream) == 3);
}

TEST_CASE("a reset ends both directions and carries its code", "[memory]") {
  Wire wire;
  const StreamId stream = *wire.dialer().open_stream(false);
  REQUIRE(wire.dialer().write(stream, as_bytes("lost")));
  wire.dialer().reset(stream, 77);
  CHECK(wire.dialer().write(stream, as_bytes("x")).error().code == Code::kStreamFinished);
  wire.step();
  const auto events = wire.events(Pair::kListener);
  std::vector<Kind> kinds;
  for (const auto& event : events) {
    kinds.push_back(event.kind);
    if (event.kind == Kind::kStreamReset || event.kind == Kind::kStreamStopped) CHECK(event.code == 77);
  }
  CHECK(std::count(kinds.begin(), kinds.end(), Kind::kStreamReset) == 1);
  CHECK(std::count(kinds.begin(), kinds.end(), Kind::kStreamStopped) == 1);
  CHECK(wire.listener().peek(stream).empty());
  CHECK_FALSE(wire.listener().at_end(stream));
  wire.step();
  wire.step();
  CHECK(wire.kinds(Pair::kDialer) == std::vector<Kind>{Kind::kStreamClosed});
  CHECK(wire.kinds(Pair::kListener) == std::vector<Kind>{Kind::kStreamClosed});
}

TEST_CASE("a stop ends only the direction that is not read any more", "[memory]") {
  Wire wire;
  const StreamId stream = *wire.dialer().open_stream(false);
  REQUIRE(wire.dialer().write(stream, as_bytes("x")));
  wire.step();
  wire.events(Pair::kListener);
  wire.listener().stop(stream, 5);
  wire.step();
  CHECK(wire.kinds(Pair::kDialer) == std::vector<Kind>{Kind::kStreamStopped});
  CHECK_FALSE(wire.dialer().write(stream, as_bytes("y")));
  REQUIRE(wire.listener().write(stream, as_bytes("still")));
  wire.listener().finish(stream);
  wire.step();
  CHECK(wire.read(wire.dialer(), stream) == "still");
  CHECK(wire.dialer().at_end(stream));
}

TEST_CASE("one stream over the bound has to wait for another to end", "[memory]") {
  Wire wire({.streams_max = 2});
  const StreamId first = *wire.dialer().open_stream(false);
  REQUIRE(wire.dialer().open_stream(false));
  CHECK(wire.dialer().open_stream(false).error() == Error{Code::kLimitStreams, 2, ""});
  CHECK(wire.listener().open_stream(false));
  wire.dialer().reset(first, 0);
  wire.step();
  wire.step();
  const auto kinds = wire.kinds(Pair::kDialer);
  CHECK(std::count(kinds.begin(), kinds.end(), Kind::kStreamsAvailable) == 1);
  CHECK(wire.dialer().open_stream(false));
}

TEST_CASE("datagrams keep their borders, and one over the bound does not leave", "[memory]") {
  Wire wire({.datagram_size_max = 4});
  CHECK(wire.dialer().send_datagram(as_bytes("one")));
  CHECK(wire.dialer().send_datagram(as_bytes("two!")));
  CHECK(wire.dialer().send_datagram(as_bytes("three")).error() == Error{Code::kMessageTooLarge, 4, ""});
  wire.step();
  ConnectionEvent event;
  REQUIRE(wire.pair.poll_event(Pair::kListener, event));
  CHECK(as_text(event.datagram) == "one");
  REQUIRE(wire.pair.poll_event(Pair::kListener, event));
  CHECK(as_text(event.datagram) == "two!");
  CHECK_FALSE(wire.pair.poll_event(Pair::kListener, event));
}

TEST_CASE("a close is the last thing that both ends hear", "[memory]") {
  Wire wire;
  const StreamId stream = *wire.dialer().open_stream(false);
  wire.dialer().close(0x1006, "bye");
  wire.dialer().close(0x1006, "bye");
  CHECK_FALSE(wire.dialer().established());
  CHECK_FALSE(wire.dialer().open_stream(false));
  CHECK_FALSE(wire.dialer().write(stream, as_bytes("x")));
  wire.step();
  const auto here = wire.events(Pair::kDialer);
  REQUIRE(here.size() == 1);
  CHECK(here[0].error.code == Code::kOk);
  const auto there = wire.events(Pair::kListener);
  REQUIRE(there.size() == 2);
  CHECK(there[1].kind == Kind::kClosed);
  CHECK(there[1].error == Error{Code::kConnectionClosed, 0x1006, ""});
  wire.listener().finish(stream);
  wire.step();
  CHECK(wire.events(Pair::kDialer).empty());
}

TEST_CASE("a stream hides its bytes until the protocol is agreed", "[stream]") {
  Wire wire;
  Bytes scratch;
  const multistream::Negotiation::Known known = [](std::string_view id) { return id == "/echo/1"; };
  Stream out(wire.dialer(), *wire.dialer().open_stream(false));
  REQUIRE(out.propose("/echo/1", scratch));
  REQUIRE(out.write(as_bytes("first")));
  wire.step();
  Stream in(wire.listener(), out.id());
  in.listen();
  CHECK(in.peek().empty());
  CHECK(*in.negotiate(known, scratch));
  CHECK(in.protocol() == "/echo/1");
  CHECK(as_text(in.peek()) == "first");
  CHECK_FALSE(in.outbound());
  CHECK(out.outbound());
  REQUIRE(in.write(as_bytes("second")));
  in.finish();
  wire.step();
  CHECK(out.peek().empty());
  CHECK_FALSE(out.at_end());
  CHECK(*out.negotiate(known, scratch));
  CHECK(as_text(out.peek()) == "second");
}

TEST_CASE("a stream that ends before its protocol is agreed fails at both ends", "[stream]") {
  Wire wire;
  Bytes scratch;
  const multistream::Negotiation::Known known = [](std::string_view) { return true; };
  const StreamId id = *wire.dialer().open_stream(false);
  REQUIRE(wire.dialer().write(id, Bytes{19, '/'}));
  wire.dialer().finish(id);
  wire.step();
  Stream in(wire.listener(), id);
  in.listen();
  CHECK(in.negotiate(known, scratch).error().code == Code::kNegotiation);

  Stream out(wire.dialer(), *wire.dialer().open_stream(false));
  REQUIRE(out.propose("/echo/1", scratch));
  wire.step();
  wire.listener().finish(out.id());
  wire.step();
  CHECK(out.negotiate(known, scratch).error().code == Code::kNegotiation);
}

TEST_CASE("a refused proposal can be read by whoever spoke too early", "[stream]") {
  Wire wire;
  Bytes scratch;
  const multistream::Negotiation::Known nothing = [](std::string_view) { return false; };
  Stream out(wire.dialer(), *wire.dialer().open_stream(false));
  REQUIRE(out.propose("/echo/1", scratch));
  REQUIRE(out.write(Bytes(50, 0xff)));
  wire.step();
  Stream in(wire.listener(), out.id());
  in.listen();
  CHECK_FALSE(in.negotiate(nothing, scratch));
  wire.step();
  CHECK(out.negotiate(nothing, scratch).error().code == Code::kProtocolUnsupported);
}
