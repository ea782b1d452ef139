// A session against frames made by hand, and against another session.

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>

#include "support/hex.hpp"
#include "support/transport_end.hpp"
#include "support/yamux_end.hpp"

using namespace p2pa;
using namespace p2pa::yamux;
using test::bytes_of;
using test::from_hex;
using test::to_hex;
using test::YamuxEnd;
using test::YamuxFrame;

namespace {

using Kind = ConnectionEvent::Kind;
using Type = FrameType;
using YamuxFrames = std::vector<YamuxFrame>;

constexpr Duration kRtt = milliseconds(10);

Bytes pattern(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

Limits wide() {
  Limits limits;
  limits.stream_window = 16u << 20;
  limits.connection_window = 64u << 20;
  return limits;
}

/// A session whose peer is the test; what it tells is kept.
struct Alone {
  explicit Alone(bool dialer, const Limits& limits = {}) : Alone(Config{.dialer = dialer}, limits) {}
  explicit Alone(const Config& config, const Limits& limits = {}) : end(config, limits) {
    told.drain = false;
    greeting = end.sent();
  }

  Result<void> hear(const Frame& head, ByteView body = {}) {
    const auto out = end.receive(bytes_of(head, body));
    tell();
    return out;
  }
  void tell() {
    TransportEvent event{&end, {}};
    while (end.poll_event(event.event)) told.handle(end.now, event);
  }
  test::Inbox& inbox(StreamId id) { return told.inbox(end, id); }
  /// What it says now but for pings.
  YamuxFrames said() {
    YamuxFrames out = end.sent();
    tell();
    std::erase_if(out, [](const YamuxFrame& f) { return f.head.type == Type::kPing && f.head.has(kSyn); });
    return out;
  }
  void pong() { REQUIRE(hear({Type::kPing, kAck, 0, ++pongs})); }
  /// The answer to its first ping, a round trip later.
  void measure(Duration rtt = kRtt) {
    end.now = end.now + rtt;
    pong();
  }
  /// A stream of the peer's.
  StreamId opened(std::uint32_t number) {
    REQUIRE(hear({Type::kWindowUpdate, kSyn, number, 0}));
    return told.streams.back();
  }
  StreamId open(std::string_view text = "x") {
    const auto id = end.open_stream(false);
    REQUIRE(id);
    REQUIRE(end.write(*id, as_bytes(text)) == text.size());
    return *id;
  }

  YamuxEnd end;
  test::TransportEnd told;
  YamuxFrames greeting;
  std::uint32_t pongs = 0;
};

std::size_t bytes_in(const YamuxFrames& frames, std::uint32_t stream) {
  std::size_t out = 0;
  for (const YamuxFrame& frame : frames) {
    if (frame.head.type == Type::kData && frame.head.stream == stream) out += frame.body.size();
  }
  return out;
}

std::size_t credit_in(const YamuxFrames& frames, std::uint32_t stream) {
  std::size_t out = 0;
  for (const YamuxFrame& frame : frames) {
    if (frame.head.type == Type::kWindowUpdate && frame.head.stream == stream) out += frame.head.length;
  }
  return out;
}

/// Two sessions, a round trip apart.
struct Two {
  explicit Two(const Limits& limits = {}) : a(Config{.dialer = true}, limits), b(Config{}, limits) {}

  bool carry(YamuxEnd& from, YamuxEnd& to, test::TransportEnd& told, std::size_t cut) {
    const Bytes bytes = from.fill();
    for (std::size_t at = 0; at < bytes.size(); at += cut) {
      const Bytes piece(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                        bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + cut, bytes.size())));
      REQUIRE(to.receive(piece));
    }
    TransportEvent event{&to, {}};
    while (to.poll_event(event.event)) told.handle(to.now, event);
    return !bytes.empty();
  }
  void run(std::size_t cut = SIZE_MAX) {
    bool moved = true;
    while (moved) {
      moved = carry(a, b, at_b, cut);
      a.now = b.now = b.now + kRtt / 2;
      moved |= carry(b, a, at_a, cut);
      a.now = b.now = b.now + kRtt / 2;
    }
  }

  YamuxEnd a, b;
  test::TransportEnd at_a, at_b;
};

}  // namespace

// --- frames

TEST_CASE("the header of a Yamux frame is twelve bytes in network order") {
  const std::pair<Frame, const char*> table[] = {
      {{Type::kData, kSyn | kFin, 1, 5}, "00 00 0005 00000001 00000005"},
      {{Type::kData, 0, 0xfffffffe, 0xffffffff}, "00 00 0000 fffffffe ffffffff"},
      {{Type::kWindowUpdate, kAck, 2, 0x00040000}, "00 01 0002 00000002 00040000"},
      {{Type::kWindowUpdate, kRst, 0x01020304, 0x1002}, "00 01 0008 01020304 00001002"},
      {{Type::kPing, kSyn, 0, 0xdeadbeef}, "00 02 0001 00000000 deadbeef"},
      {{Type::kGoAway, 0, 0, kGoAwayInternalError}, "00 03 0000 00000000 00000002"},
      {{Type::kData, 0xfff0, 7, 0}, "00 00 fff0 00000007 00000000"},
  };
  for (const auto& [frame, hex] : table) {
    const Bytes bytes = from_hex(hex);
    CHECK(to_hex(encode_frame(frame)) == to_hex(bytes));
    CHECK(decode_frame(std::span<const std::uint8_t, 12>(bytes)) == frame);
  }
}

TEST_CASE("a frame of another version, type or stream than may be ends the session") {
  const char* const table[] = {
      "01 00 0000 00000001 00000000",  // version 1
      "ff 02 0001 00000000 00000000",
      "00 04 0000 00000001 00000000",  // the first type that is none
      "00 ff 0000 00000000 00000000",
      "00 00 0001 00000000 00000000",  // data of the session
      "00 01 0001 00000000 00000001",
      "00 02 0001 00000001 00000000",  // a ping of a stream
      "00 03 0000 00000001 00000000",
  };
  for (const char* const hex : table) {
    const Bytes bytes = from_hex(hex);
    CHECK(decode_frame(std::span<const std::uint8_t, 12>(bytes)).error().code == Code::kMalformed);
    Alone alone(false);
    CHECK(alone.end.receive(bytes).error().code == Code::kProtocolViolation);
  }
}

// --- opening

TEST_CASE("either end says hello with a ping, and nothing else by itself") {
  for (const bool dialer : {false, true}) {
    Alone alone(dialer);
    CHECK(alone.greeting == YamuxFrames{{{Type::kPing, kSyn, 0, 1}}});
    CHECK(alone.end.sent().empty());
  }
}

TEST_CASE("the first data opens a stream, odd for a dialer and even for a listener") {
  for (const bool dialer : {false, true}) {
    Alone alone(dialer);
    const std::uint32_t first = dialer ? 1 : 2;
    const StreamId id = alone.open("hello");
    static_cast<void>(alone.end.open_stream(false));  // says nothing: is nothing on the wire
    CHECK(alone.said() == YamuxFrames{{{Type::kData, kSyn, first, 5}, Bytes{'h', 'e', 'l', 'l', 'o'}}});
    alone.end.finish(id);
    CHECK(alone.said() == YamuxFrames{{{Type::kData, kFin, first, 0}}});
    alone.end.finish(*alone.end.open_stream(false));
    CHECK(alone.said() == YamuxFrames{{{Type::kData, kSyn | kFin, first + 4, 0}}});
  }
}

TEST_CASE("a stream that is reset before it left is not spoken of") {
  Alone alone(true);
  alone.end.reset(alone.open("never mind"), 7);
  CHECK(alone.said().empty());
  alone.open("y");
  CHECK(alone.said().at(0).head == Frame{Type::kData, kSyn, 3, 1});
  CHECK(alone.told.count(Kind::kStreamClosed) == 1);
  CHECK(alone.end.session.unconfirmed() == 1);
}

TEST_CASE("a stream of the peer's is acknowledged although nobody says anything on it") {
  const Frame opening = GENERATE(Frame{Type::kData, kSyn, 1, 0}, Frame{Type::kWindowUpdate, kSyn, 1, 0},
                                 Frame{Type::kWindowUpdate, kSyn, 1, 1000});
  Alone alone(false);
  REQUIRE(alone.hear(opening));
  CHECK(alone.said() == YamuxFrames{{{Type::kWindowUpdate, kAck, 1, 0}}});
  CHECK(alone.said().empty());
  REQUIRE(alone.end.write(alone.told.streams.at(0), as_bytes("a")) == 1u);
  CHECK(alone.said() == YamuxFrames{{{Type::kData, 0, 1, 1}, Bytes{'a'}}});
}

TEST_CASE("the acknowledgement of a stream travels with the answer that is there at once") {
  Alone alone(false);
  const StreamId id = alone.opened(1);
  REQUIRE(alone.end.write(id, as_bytes("a")) == 1u);
  CHECK(alone.said() == YamuxFrames{{{Type::kData, kAck, 1, 1}, Bytes{'a'}}});
}

// Others act on the end before they keep the body of its frame, and may lose that: js-libp2p, go-yamux.
TEST_CASE("the end of a stream travels in a frame of its own, behind the data that is there at once") {
  for (const bool dialer : {false, true}) {
    Alone alone(dialer);
    const std::uint16_t first = dialer ? kSyn : kAck;
    const StreamId id = dialer ? *alone.end.open_stream(false) : alone.opened(1);
    REQUIRE(alone.end.write(id, as_bytes("a")) == 1u);
    alone.end.finish(id);
    CHECK(alone.said() == YamuxFrames{{{Type::kData, first, 1, 1}, Bytes{'a'}}, {{Type::kData, kFin, 1, 0}}});
    CHECK(alone.said().empty());
  }
}

TEST_CASE("a stream can be opened once, and by its own end") {
  for (const bool dialer : {false, true}) {
    const std::uint32_t theirs = dialer ? 2 : 1, ours = dialer ? 1 : 2;
    for (const Type type : {Type::kData, Type::kWindowUpdate}) {
      Alone twice(dialer);
      twice.opened(theirs);
      CHECK(twice.hear({type, kSyn, theirs, 0}).error().code == Code::kProtocolViolation);
      Alone parity(dialer);
      CHECK(parity.hear({type, kSyn, ours, 0}).error().code == Code::kProtocolViolation);
      CHECK(parity.told.streams.empty());
    }
  }
}

TEST_CASE("over the bound on streams of the peer one is reset, and what it carries is dropped") {
  Limits limits;
  limits.streams_inbound_per_connection_max = 2;
  Alone alone(false, limits);
  const StreamId first = alone.opened(1);
  alone.opened(3);
  CHECK(alone.said().size() == 2);
  const Frame refusal{Type::kWindowUpdate, kRst, 5, wire_code::kStreamResourceLimit};
  REQUIRE(alone.hear({Type::kData, kSyn | kFin, 5, 4}, pattern(4)));
  CHECK(alone.said() == YamuxFrames{{refusal}});
  CHECK(alone.told.streams.size() == 2);
  REQUIRE(alone.hear({Type::kData, 0, 1, 3}, as_bytes("yes")));
  CHECK(as_text(alone.end.peek(first)) == "yes");
  // A place is free when the stream is over at both ends, and the application has heard of it.
  REQUIRE(alone.hear({Type::kWindowUpdate, kRst, 1, 0}));
  CHECK(alone.said().empty());
  CHECK(alone.told.count(Kind::kStreamClosed) == 1);
  alone.opened(7);
  CHECK(alone.told.streams.size() == 3);
}

TEST_CASE("two hundred and fifty-six streams of ours at once, and word when there may be more") {
  Alone alone(true);
  const StreamId first = alone.open();
  for (std::uint32_t i = 1; i < kOutboundStreamsMax; ++i) alone.open();
  CHECK(alone.end.open_stream(false).error().code == Code::kLimitStreams);
  CHECK(alone.said().size() == kOutboundStreamsMax);
  CHECK(alone.told.count(Kind::kStreamsAvailable) == 0);
  alone.end.reset(first, 1);
  CHECK(alone.said() == YamuxFrames{{{Type::kWindowUpdate, kRst, 1, 1}}});
  CHECK(alone.told.count(Kind::kStreamsAvailable) == 1);
  alone.open();
  CHECK(alone.end.open_stream(false).error().code == Code::kLimitStreams);
}

// --- windows

TEST_CASE("no more is sent than the peer allows") {
  Alone alone(true);
  const StreamId id = *alone.end.open_stream(false);
  const Bytes text = pattern(kWindowInitial + 5000);
  REQUIRE(alone.end.write(id, text) == text.size());
  CHECK(bytes_in(alone.said(), 1) == kWindowInitial);
  REQUIRE(alone.hear({Type::kWindowUpdate, kAck, 1, 0}));
  CHECK(alone.said().empty());
  REQUIRE(alone.hear({Type::kWindowUpdate, 0, 1, 1000}));
  CHECK(bytes_in(alone.said(), 1) == 1000);
  alone.end.finish(id);
  CHECK(alone.said().empty());  // the end is behind the bytes
  REQUIRE(alone.hear({Type::kWindowUpdate, 0, 1, 4000}));
  const YamuxFrames last = alone.said();
  CHECK(bytes_in(last, 1) == 4000);
  CHECK(last.back().head.has(kFin));
}

TEST_CASE("the end of a stream needs no credit") {
  Alone alone(true);
  const StreamId id = *alone.end.open_stream(false);
  REQUIRE(alone.end.write(id, pattern(kWindowInitial)) == kWindowInitial);
  alone.said();
  alone.end.finish(id);
  CHECK(alone.said() == YamuxFrames{{{Type::kData, kFin, 1, 0}}});
}

TEST_CASE("credit that is granted without measure overflows nowhere") {
  Alone alone(true);
  const StreamId id = alone.open("x");
  alone.said();
  for (int i = 0; i < 3000; ++i) REQUIRE(alone.hear({Type::kWindowUpdate, 0, 1, UINT32_MAX}));
  const Bytes text = pattern(1 << 20);
  REQUIRE(alone.end.write(id, text) == text.size());
  CHECK(bytes_in(alone.said(), 1) == text.size());
}

TEST_CASE("a peer may send what the window allows, and not a byte more") {
  const std::uint32_t over = GENERATE(0u, 1u);
  Alone alone(false);
  REQUIRE(alone.hear({Type::kData, kSyn, 1, kWindowInitial / 2}, pattern(kWindowInitial / 2)));
  const std::uint32_t more = kWindowInitial / 2 + over;
  const auto rest = alone.hear({Type::kData, 0, 1, more}, pattern(more));
  CHECK(rest.has_value() == (over == 0));
  if (over > 0) CHECK(rest.error().code == Code::kProtocolViolation);
}

TEST_CASE("the first bytes of a stream may not be more than the window either") {
  Alone alone(false);
  CHECK(alone.end.receive(bytes_of({Type::kData, kSyn, 1, kWindowInitial + 1})).error().code ==
        Code::kProtocolViolation);
}

TEST_CASE("credit is given back when half a window was read, and not for less") {
  Alone alone(false);
  const StreamId id = alone.opened(1);
  REQUIRE(alone.hear({Type::kData, 0, 1, kWindowInitial}, pattern(kWindowInitial)));
  CHECK(credit_in(alone.said(), 1) == 0);
  const auto read = [&](std::size_t n) {
    while (n > 0) {
      const std::size_t now = std::min(n, alone.end.peek(id).size());
      alone.end.consume(id, now);
      n -= now;
    }
  };
  read(kWindowInitial / 2 - 1);
  CHECK(alone.said().empty());
  read(1);
  CHECK(alone.said() == YamuxFrames{{{Type::kWindowUpdate, 0, 1, kWindowInitial / 2}}});
  read(kWindowInitial / 2);
  CHECK(alone.said() == YamuxFrames{{{Type::kWindowUpdate, 0, 1, kWindowInitial / 2}}});
  CHECK(alone.said().empty());
}

TEST_CASE("nothing is granted for bytes that are announced and have not arrived") {
  Alone alone(false);
  const StreamId id = alone.opened(1);
  REQUIRE(alone.hear({Type::kData, 0, 1, kWindowInitial}, pattern(1000)));
  alone.end.consume(id, 1000);
  CHECK(credit_in(alone.said(), 1) == 0);
  const Bytes rest = pattern(kWindowInitial - 1000);
  REQUIRE(alone.end.receive(rest));
  alone.tell();
  while (!alone.end.peek(id).empty()) alone.end.consume(id, alone.end.peek(id).size());
  CHECK(credit_in(alone.said(), 1) == kWindowInitial);
}

TEST_CASE("nothing is granted on a stream whose end has come") {
  Alone alone(false);
  alone.told.drain = true;
  alone.opened(1);
  REQUIRE(alone.hear({Type::kData, kFin, 1, kWindowInitial}, pattern(kWindowInitial)));
  CHECK(credit_in(alone.said(), 1) == 0);
}

namespace {

/// Reads a window's worth on a stream of the peer's, `pause` after the last; says what is granted then.
std::size_t turn_over(Alone& alone, std::uint32_t stream, std::size_t& window, Duration pause) {
  alone.end.now = alone.end.now + pause;
  REQUIRE(alone.hear({Type::kData, 0, stream, static_cast<std::uint32_t>(window)}, pattern(window)));
  const std::size_t credit = credit_in(alone.said(), stream);
  window = credit;
  return credit;
}

}  // namespace

TEST_CASE("a window that turns over within four round trips is doubled, up to the bound of a stream") {
  Limits limits = wide();
  limits.stream_window = 1'500'000;
  Alone alone(false, limits);
  alone.told.drain = true;
  alone.measure();
  alone.opened(1);
  alone.said();
  std::size_t window = kWindowInitial;
  CHECK(turn_over(alone, 1, window, kRtt * 4) == 2 * kWindowInitial);
  CHECK(turn_over(alone, 1, window, kRtt * 4 + microseconds(1)) == 2 * kWindowInitial);
  CHECK(turn_over(alone, 1, window, kRtt) == 4 * kWindowInitial);
  CHECK(turn_over(alone, 1, window, kRtt) == limits.stream_window);
  CHECK(turn_over(alone, 1, window, kRtt) == limits.stream_window);
  CHECK(alone.hear({Type::kData, 0, 1, static_cast<std::uint32_t>(window) + 1}).error().code ==
        Code::kProtocolViolation);
}

TEST_CASE("no window is widened before a round trip is known, nor below what everybody grants") {
  Limits limits;
  limits.stream_window = 1000;
  const bool measured = GENERATE(false, true);
  Alone alone(false, measured ? limits : wide());
  alone.told.drain = true;
  if (measured) alone.measure();
  alone.opened(1);
  alone.said();
  std::size_t window = kWindowInitial;
  CHECK(turn_over(alone, 1, window, kRtt) == kWindowInitial);
}

TEST_CASE("what all windows of a connection are wider than at first has a bound, and comes back") {
  Limits limits = wide();
  limits.connection_window = kWindowInitial + 1000;
  Alone alone(false, limits);
  alone.told.drain = true;
  alone.measure();
  std::map<std::uint32_t, std::size_t> windows;
  for (const std::uint32_t stream : {1u, 3u, 5u}) {
    alone.opened(stream);
    windows[stream] = kWindowInitial;
  }
  alone.said();
  CHECK(turn_over(alone, 1, windows[1], kRtt) == 2 * kWindowInitial);
  CHECK(turn_over(alone, 3, windows[3], Duration{}) == kWindowInitial + 1000);
  CHECK(turn_over(alone, 5, windows[5], Duration{}) == kWindowInitial);
  REQUIRE(alone.hear({Type::kWindowUpdate, kRst, 1, 0}));
  alone.said();
  CHECK(turn_over(alone, 5, windows[5], Duration{}) == 2 * kWindowInitial);
}

// --- endings

TEST_CASE("the end of the peer's direction comes with data or with a window") {
  for (const Type type : {Type::kData, Type::kWindowUpdate}) {
    Alone alone(false);
    alone.told.drain = true;
    const StreamId id = alone.opened(1);
    REQUIRE(alone.hear({Type::kData, 0, 1, 3}, as_bytes("bye")));
    CHECK_FALSE(alone.inbox(id).ended);
    REQUIRE(alone.hear({type, kFin, 1, 0}));
    CHECK(alone.inbox(id).text == "bye");
    CHECK(alone.inbox(id).ended);
    CHECK_FALSE(alone.inbox(id).closed);
    alone.end.finish(id);
    alone.said();
    REQUIRE(alone.hear({Type::kPing, kSyn, 0, 1}));
    CHECK(alone.inbox(id).closed);
    // Both ends have done with it: its number names nothing.
    REQUIRE(alone.hear({Type::kData, 0, 1, 3}, as_bytes("ah!")));
    CHECK(alone.inbox(id).text == "bye");
  }
}

TEST_CASE("an end that comes with data is behind the data, however it is cut") {
  Alone alone(false);
  alone.told.drain = true;
  const StreamId id = alone.opened(1);
  const Bytes bytes = bytes_of({Type::kData, kFin, 1, 3}, as_bytes("bye"));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CHECK_FALSE(alone.inbox(id).ended);
    REQUIRE(alone.end.receive(ByteView(bytes).subspan(i, 1)));
    alone.tell();
  }
  CHECK(alone.inbox(id).text == "bye");
  CHECK(alone.inbox(id).ended);
}

TEST_CASE("nothing may follow the end of a stream but credit, and the end once more") {
  Alone alone(false);
  const StreamId id = alone.opened(1);
  REQUIRE(alone.hear({Type::kData, kFin, 1, 1}, as_bytes("x")));
  REQUIRE(alone.end.write(id, pattern(kWindowInitial + 10)) == kWindowInitial + 10);
  CHECK(bytes_in(alone.said(), 1) == kWindowInitial);
  REQUIRE(alone.hear({Type::kWindowUpdate, kFin, 1, 10}));
  CHECK(bytes_in(alone.said(), 1) == 10);
  CHECK(alone.hear({Type::kData, 0, 1, 1}, as_bytes("y")).error().code == Code::kProtocolViolation);
}

TEST_CASE("a reset ends a stream, with the code of a window frame and without one on data") {
  for (const Type type : {Type::kData, Type::kWindowUpdate}) {
    const std::uint32_t code = type == Type::kData ? 0 : 0x1004;
    Alone alone(false);
    const StreamId id = alone.opened(1), other = alone.opened(3);
    REQUIRE(alone.hear({Type::kData, 0, 1, 5}, as_bytes("never")));
    REQUIRE(alone.end.write(id, as_bytes("read")) == 4u);
    REQUIRE(alone.hear({type, kRst, 1, code}));
    REQUIRE(alone.end.write(other, as_bytes("x")) == 1u);
    CHECK(bytes_in(alone.said(), 1) == 0);
    CHECK(alone.inbox(id).reset == code);
    CHECK(alone.inbox(id).stopped == code);
    CHECK(alone.inbox(id).closed);
    CHECK(alone.end.peek(id).empty());
    CHECK_FALSE(alone.inbox(other).closed);
    REQUIRE(alone.hear({type, kRst, 1, code}));  // which is unknown now
  }
}

TEST_CASE("the body of data that resets is dropped, and the next frame is where it ought to be") {
  Alone alone(false);
  alone.opened(1);
  REQUIRE(alone.hear({Type::kData, kRst, 1, 100}, pattern(100)));
  REQUIRE(alone.hear({Type::kPing, kSyn, 0, 77}));
  CHECK(alone.said().back().head == Frame{Type::kPing, kAck, 0, 77});
}

TEST_CASE("a reset of ours carries its code, and all else of the stream is forgotten") {
  Alone alone(false);
  const StreamId id = alone.opened(1);
  REQUIRE(alone.hear({Type::kData, 0, 1, 10}, pattern(5)));  // half of a body
  REQUIRE(alone.end.write(id, as_bytes("no")) == 2u);
  alone.end.reset(id, 0x1'0000'0000);
  CHECK(alone.said() == YamuxFrames{{{Type::kWindowUpdate, kRst, 1, UINT32_MAX}}});
  REQUIRE(alone.end.receive(pattern(5)));
  REQUIRE(alone.hear({Type::kPing, kSyn, 0, 1}));
  CHECK(alone.said().size() == 1);
  CHECK(alone.inbox(id).closed);
  CHECK(alone.end.resources.usage().memory <= mux::MemoryBudget::kSpareMax);
}

TEST_CASE("frames of streams that nobody knows are passed over, with what they carry") {
  Alone alone(true);
  for (const std::uint32_t stream : {1u, 2u, 4'000'000'000u}) {
    REQUIRE(alone.hear({Type::kData, 0, stream, 1'000'000}, pattern(1'000'000)));
    REQUIRE(alone.hear({Type::kData, kFin | kAck, stream, 0}));
    REQUIRE(alone.hear({Type::kWindowUpdate, 0, stream, 5}));
    REQUIRE(alone.hear({Type::kWindowUpdate, kFin, stream, 5}));
    REQUIRE(alone.hear({Type::kWindowUpdate, kRst, stream, 5}));
  }
  CHECK(alone.said().empty());
  CHECK(alone.told.events.empty());
  CHECK(alone.end.resources.usage() == LimitUsage{});
}

TEST_CASE("a stream that is not read any more is drained, and ends with the peer's direction or with ours") {
  const bool finish_first = GENERATE(false, true);
  Alone alone(false);
  const StreamId id = alone.opened(1);
  REQUIRE(alone.hear({Type::kData, 0, 1, 1000}, pattern(1000)));
  alone.said();
  alone.end.stop(id, 0x1005);
  CHECK(alone.said().empty());  // there is no word for it
  for (int i = 0; i < 8; ++i) {
    REQUIRE(alone.hear({Type::kData, 0, 1, kWindowInitial / 2}, pattern(kWindowInitial / 2)));
    CHECK(credit_in(alone.said(), 1) >= kWindowInitial / 2);
  }
  CHECK(alone.inbox(id).readable == 1);
  if (!finish_first) REQUIRE(alone.hear({Type::kData, kFin, 1, 0}));
  alone.said();
  CHECK_FALSE(alone.inbox(id).closed);
  alone.end.finish(id);
  CHECK(alone.said() == YamuxFrames{{{Type::kData, kFin, 1, 0}}});
  REQUIRE(alone.hear({Type::kPing, kSyn, 0, 1}));
  CHECK(alone.inbox(id).closed);
  CHECK(alone.end.resources.usage().memory <= mux::MemoryBudget::kSpareMax);
}

TEST_CASE("streams that are open when the session goes are no more, whatever they were doing") {
  Alone alone(true);
  const StreamId sending = alone.open("x"), silent = *alone.end.open_stream(false), read = alone.open("y");
  const StreamId gone = alone.opened(2), over = alone.opened(4);
  alone.said();
  REQUIRE(alone.end.write(sending, pattern(500'000)) == 500'000u);
  REQUIRE(alone.hear({Type::kData, 0, 3 + 2, 3}, as_bytes("abc")));
  REQUIRE(alone.end.receive(bytes_of({Type::kWindowUpdate, kRst, 2, 3})));
  alone.end.reset(over, 4);
  alone.end.detach();
  const YamuxFrames last = alone.end.sent();
  CHECK(std::ranges::count(last, Frame{Type::kWindowUpdate, kRst, 4, 4}, &YamuxFrame::head) == 1);
  CHECK(bytes_in(last, 1) == 0);
  CHECK(alone.end.write(sending, pattern(1)).error().code == Code::kClosed);
  for (const StreamId id : {sending, silent, gone, over}) {
    alone.end.finish(id);
    alone.end.stop(id, 1);
    alone.end.reset(id, 1);
    CHECK(alone.end.peek(id).empty());
  }
  CHECK(as_text(alone.end.peek(read)) == "abc");
  alone.end.consume(read, 3);
  alone.tell();
  CHECK(alone.end.sent().empty());
}

TEST_CASE("what would go over a bound on memory resets its stream at both ends, also one just opened") {
  const bool known = GENERATE(false, true);
  Limits limits;
  limits.memory_max = 64 * 1024;
  Alone alone(false, limits);
  if (known) alone.opened(1);
  const std::uint16_t flags = known ? 0 : kSyn;
  REQUIRE(alone.hear({Type::kData, flags, 1, 100'000}, pattern(100'000)));
  const Frame reset{Type::kWindowUpdate, kRst, 1, wire_code::kStreamResourceLimit};
  CHECK(alone.said() == YamuxFrames{{reset}});
  REQUIRE(alone.told.streams.size() == 1);
  CHECK(alone.inbox(alone.told.streams[0]).reset == wire_code::kStreamResourceLimit);
  CHECK(alone.inbox(alone.told.streams[0]).closed);
  REQUIRE(alone.hear({Type::kData, kSyn, 3, 5}, as_bytes("small")));
  CHECK(as_text(alone.end.peek(alone.told.streams.at(1))) == "small");
}

// --- answers

TEST_CASE("a ping is answered with its value, at once and before everything else") {
  Alone alone(true);
  const StreamId id = *alone.end.open_stream(false);
  REQUIRE(alone.end.write(id, pattern(100'000)) == 100'000u);
  for (const std::uint32_t value : {0u, 1u, 0xffffffffu}) REQUIRE(alone.hear({Type::kPing, kSyn, 0, value}));
  const YamuxFrames said = alone.said();
  REQUIRE(said.size() > 3);
  CHECK(said[0].head == Frame{Type::kPing, kAck, 0, 0});
  CHECK(said[1].head == Frame{Type::kPing, kAck, 0, 1});
  CHECK(said[2].head == Frame{Type::kPing, kAck, 0, 0xffffffff});
}

TEST_CASE("answers to pings that were never asked for are passed over") {
  Alone alone(true);
  REQUIRE(alone.hear({Type::kPing, kAck, 0, 2}));
  REQUIRE(alone.hear({Type::kPing, 0, 0, 1}));  // neither asks nor answers
  CHECK(alone.end.session.rtt() == Duration{});
  CHECK(alone.said().empty());
  alone.measure();
  CHECK(alone.end.session.rtt() == kRtt);
  REQUIRE(alone.hear({Type::kPing, kAck, 0, 1}));  // again
  CHECK(alone.end.session.rtt() == kRtt);
}

TEST_CASE("who wants answers and does not read them is told off at the bound, and not before") {
  Alone alone(false);
  const auto ask = [&](int how, std::uint32_t n) -> Result<void> {
    switch (how) {
      case 0: return alone.end.receive(bytes_of({Type::kPing, kSyn, 0, n}));
      case 1: return alone.end.receive(bytes_of({Type::kWindowUpdate, kSyn, 2 * n + 1, 0}));
      default: {
        const auto opened = alone.end.receive(bytes_of({Type::kData, kSyn, 2 * n + 1, 0}));
        alone.tell();
        return opened ? alone.end.receive(bytes_of({Type::kWindowUpdate, kRst, 2 * n + 1, 0})) : opened;
      }
    }
  };
  const int how = GENERATE(0, 1, 2);  // pings; streams, most of them refused; streams that are reset at once
  for (std::uint32_t n = 0; n < kAnswersMax; ++n) REQUIRE(ask(how, n));
  const auto over = ask(how, kAnswersMax);
  REQUIRE_FALSE(over);
  CHECK(over.error().code == Code::kRateLimited);
  CHECK(over.error().detail == kAnswersMax);
}

TEST_CASE("who reads the answers may ask for any number of them") {
  Alone alone(false);
  for (std::uint32_t n = 0; n < 3 * kAnswersMax; ++n) {
    REQUIRE(alone.hear({Type::kPing, kSyn, 0, n}));
    REQUIRE(alone.hear({Type::kData, kSyn, 2 * n + 1, 0}));
    REQUIRE(alone.hear({Type::kWindowUpdate, kRst, 2 * n + 1, 0}));
    if (n % 1000 == 0) alone.said();
  }
}

// --- time

TEST_CASE("a dialer pings a silent connection a little before a listener would") {
  const bool dialer = GENERATE(false, true);
  Alone alone(Config{.dialer = dialer, .keep_alive = seconds(8), .idle_timeout = seconds(30)});
  alone.pong();
  const Duration period = dialer ? seconds(8) : seconds(9);
  const Instant due = alone.end.now + period;
  CHECK(alone.end.session.next_deadline() == due);
  alone.end.now = due - microseconds(1);
  REQUIRE(alone.end.session.on_deadline(alone.end.now));
  CHECK(alone.end.sent().empty());
  alone.end.now = due;
  REQUIRE(alone.end.session.on_deadline(due));
  CHECK(alone.end.woken);
  CHECK(alone.end.sent() == YamuxFrames{{{Type::kPing, kSyn, 0, 2}}});
  CHECK(alone.end.session.next_deadline() == due + period);
  alone.end.now = due + milliseconds(3);
  alone.pong();
  CHECK(alone.end.session.next_deadline() == alone.end.now + period);
}

TEST_CASE("pings that a peer never answers do not pile up, nor do deadlines that find nothing to do") {
  Alone alone(Config{.dialer = true, .keep_alive = seconds(8), .idle_timeout = seconds(30)});
  std::size_t pings = 1;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(alone.hear({Type::kWindowUpdate, 0, 9, 0}));
    alone.end.now = alone.end.now + seconds(8);
    REQUIRE(alone.end.session.on_deadline(alone.end.now));
    CHECK(alone.end.session.next_deadline() > alone.end.now);
    pings += alone.end.sent().size();
    CHECK(alone.end.session.next_deadline() > alone.end.now);
  }
  CHECK(pings == kPingsMax);
}

TEST_CASE("without keep-alive only a dialer pings, to measure") {
  const bool dialer = GENERATE(false, true);
  Alone alone(Config{.dialer = dialer, .keep_alive = {}, .idle_timeout = minutes(10)});
  alone.pong();
  CHECK(alone.end.session.next_deadline() == alone.end.now + (dialer ? kMeasureInterval : minutes(10)));
}

TEST_CASE("a round trip is measured again when the connection is in use") {
  Alone alone(Config{.dialer = true, .keep_alive = seconds(8), .idle_timeout = seconds(30)});
  alone.measure(milliseconds(40));
  CHECK(alone.end.session.rtt() == milliseconds(40));
  const Instant begin = alone.end.now;
  while (alone.end.now < begin + kMeasureInterval) {
    alone.end.now = alone.end.now + seconds(1);
    REQUIRE(alone.hear({Type::kWindowUpdate, 0, 9, 0}));
    REQUIRE(alone.end.session.on_deadline(alone.end.now));
  }
  CHECK(alone.end.sent() == YamuxFrames{{{Type::kPing, kSyn, 0, 2}}});
  alone.measure(milliseconds(20));
  CHECK(alone.end.session.rtt_min() == milliseconds(20));
  CHECK(alone.end.session.rtt() == microseconds(37'500));
}

TEST_CASE("a peer that says nothing at all is lost after the idle time-out") {
  Alone alone(Config{.dialer = true, .keep_alive = seconds(8), .idle_timeout = seconds(30)});
  const Instant begin = alone.end.now;
  for (int i = 1; i <= 3; ++i) {
    CHECK(alone.end.session.next_deadline() == begin + seconds(8) * i);
    alone.end.now = begin + seconds(8) * i;
    REQUIRE(alone.end.session.on_deadline(alone.end.now));
    CHECK(alone.end.sent().size() == 1);
  }
  alone.end.now = begin + seconds(30) - microseconds(1);
  CHECK(alone.end.session.on_deadline(alone.end.now));
  alone.end.now = begin + seconds(30);
  CHECK(alone.end.session.next_deadline() == alone.end.now);
  CHECK(alone.end.session.on_deadline(alone.end.now).error().code == Code::kConnectionLost);
}

TEST_CASE("an answer that is lost on the way is asked for again") {
  Alone alone(Config{.dialer = false, .keep_alive = seconds(8), .idle_timeout = seconds(30)});
  alone.end.now = alone.end.now + seconds(20);
  REQUIRE(alone.hear({Type::kPing, kSyn, 0, 1}));  // it lives, but it does not answer our first
  alone.said();
  const Instant due = alone.end.session.next_deadline();
  CHECK(due == alone.end.now + seconds(9));
  alone.end.now = due;
  REQUIRE(alone.end.session.on_deadline(due));
  CHECK(alone.end.sent() == YamuxFrames{{{Type::kPing, kSyn, 0, 2}}});
  CHECK(alone.end.session.next_deadline() == due + seconds(9));
}

// --- what has arrived

TEST_CASE("what was written is confirmed by the answer to a ping behind it") {
  Alone alone(true);
  alone.pong();
  alone.end.finish(alone.open("hello"));
  CHECK(alone.end.session.unconfirmed() == 0);
  CHECK(alone.end.sent().size() == 2);  // bytes and end; nobody waits: no ping for so little
  CHECK(alone.end.session.unconfirmed() == 6);
  alone.end.session.ask_confirmation();
  CHECK(alone.end.woken);
  CHECK(alone.end.sent() == YamuxFrames{{{Type::kPing, kSyn, 0, 2}}});
  CHECK(alone.end.sent().empty());
  alone.open("y");
  CHECK(alone.end.sent().size() == 2);
  REQUIRE(alone.hear({Type::kPing, kAck, 0, 2}));
  CHECK(alone.end.session.unconfirmed() == 1);
  REQUIRE(alone.hear({Type::kPing, kAck, 0, 3}));
  CHECK(alone.end.session.unconfirmed() == 0);
}

TEST_CASE("much that was written is confirmed without being asked, and pings do not pile up") {
  Alone alone(true);
  alone.pong();
  const StreamId id = alone.open("x");
  alone.end.sent();
  REQUIRE(alone.hear({Type::kWindowUpdate, 0, 1, 1u << 30}));
  std::size_t pings = 0;
  for (std::size_t written = 1; written < 2 * kPingsMax * kConfirmBytes; written += 1 << 20) {
    REQUIRE(alone.end.write(id, pattern(1 << 20)) == 1u << 20);
    for (const YamuxFrame& frame : alone.end.sent()) pings += frame.head.type == Type::kPing ? 1 : 0;
    CHECK(pings >= std::min(kPingsMax, written / kConfirmBytes / 2));
  }
  CHECK(pings == kPingsMax);
  // The answer to the last confirms all before it.
  const std::size_t before = alone.end.session.unconfirmed();
  REQUIRE(alone.hear({Type::kPing, kAck, 0, static_cast<std::uint32_t>(1 + kPingsMax)}));
  CHECK(alone.end.session.unconfirmed() <= before - kPingsMax * kConfirmBytes);
  CHECK(alone.end.sent().size() == 1);
}

// --- goodbye

TEST_CASE("a goodbye of the peer's leaves the streams there are, and lets none be opened") {
  Alone alone(true);
  alone.told.drain = true;
  const StreamId id = alone.open("x");
  alone.said();
  CHECK_FALSE(alone.end.session.gone().has_value());
  REQUIRE(alone.hear({Type::kGoAway, 0, 0, 0x1006}));
  CHECK(alone.end.session.gone() == 0x1006u);
  const auto refused = alone.end.open_stream(false);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::kClosed);
  CHECK(refused.error().detail == 0x1006);
  REQUIRE(alone.hear({Type::kData, 0, 1, 2}, as_bytes("ok")));
  CHECK(alone.inbox(id).text == "ok");
}

TEST_CASE("our goodbye is behind the answers, with its code") {
  Alone alone(true);
  alone.end.reset(alone.opened(2), 9);
  alone.end.session.go_away(0x1002);
  const YamuxFrames said = alone.said();
  REQUIRE(said.size() == 2);
  CHECK(said[1].head == Frame{Type::kGoAway, 0, 0, 0x1002});
}

// --- in turn

TEST_CASE("a small stream gets out between the frames of a large one") {
  Alone alone(true);
  const StreamId bulk = *alone.end.open_stream(false);
  REQUIRE(alone.end.write(bulk, pattern(kWindowInitial)) == kWindowInitial);
  alone.open("small");
  const YamuxFrames said = alone.said();
  REQUIRE(said.size() > 2);
  CHECK(said[0].head == Frame{Type::kData, kSyn, 1, kFrameBytesShared});
  CHECK(said[1].head == Frame{Type::kData, kSyn, 3, 5});
  CHECK(said[2].head.length > kFrameBytesShared);  // alone again
  CHECK(bytes_in(said, 1) == kWindowInitial);
}

TEST_CASE("streams with as much to say get as much said") {
  Alone alone(true);
  std::map<std::uint32_t, std::size_t> said;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(alone.end.write(*alone.end.open_stream(false), pattern(kWindowInitial)) == kWindowInitial);
  }
  Bytes room(200'000);
  room.resize(alone.end.session.fill(alone.end.now, room));
  for (const YamuxFrame& frame : test::frames_of(room)) said[frame.head.stream] += frame.body.size();
  for (const std::uint32_t stream : {1u, 3u, 5u}) {
    CHECK(said[stream] > 200'000 / 3 - kFrameBytesShared);
    CHECK(said[stream] < 200'000 / 3 + kFrameBytesShared);
  }
}

TEST_CASE("whatever room there is, frames are whole and bytes are in order") {
  const std::size_t room = GENERATE(0u, 1u, 3000u, 65'000u) + kFrameRoomMin;
  Alone alone(true);
  const StreamId id = *alone.end.open_stream(false);
  const Bytes text = pattern(200'000);
  REQUIRE(alone.end.write(id, text) == text.size());
  alone.end.finish(id);
  Bytes got;
  for (const YamuxFrame& f : alone.end.sent(room)) got.insert(got.end(), f.body.begin(), f.body.end());
  CHECK(std::ranges::equal(got, text));
}

TEST_CASE("a conversation of frames means the same wherever it is cut") {
  Bytes talk;
  const auto say = [&](const Frame& head, ByteView body = {}) {
    const Bytes bytes = bytes_of(head, body);
    talk.insert(talk.end(), bytes.begin(), bytes.end());
  };
  say({Type::kData, kSyn, 1, 5}, as_bytes("hello"));
  say({Type::kWindowUpdate, kSyn, 3, 9});
  say({Type::kPing, kSyn, 0, 0x01020304});
  say({Type::kData, 0, 99, 4}, as_bytes("none"));
  say({Type::kData, kFin, 1, 6}, as_bytes(" world"));
  say({Type::kWindowUpdate, kRst, 3, 0x1234});
  say({Type::kGoAway, 0, 0, 3});
  for (std::size_t cut = 1; cut <= talk.size(); ++cut) {
    Alone alone(false);
    alone.told.drain = true;
    for (std::size_t at = 0; at < talk.size(); at += cut) {
      REQUIRE(alone.end.receive(ByteView(talk).subspan(at, std::min(cut, talk.size() - at))));
    }
    alone.tell();
    REQUIRE(alone.told.streams.size() == 2);
    CHECK(alone.inbox(alone.told.streams[0]).text == "hello world");
    CHECK(alone.inbox(alone.told.streams[0]).ended);
    CHECK(alone.inbox(alone.told.streams[1]).reset == 0x1234u);
    CHECK(alone.end.session.gone() == 3u);
    CHECK(alone.said().at(0).head == Frame{Type::kPing, kAck, 0, 0x01020304});
  }
}

TEST_CASE("two sessions carry an echo of megabytes, in whatever pieces it arrives") {
  const std::size_t cut = GENERATE(std::size_t{1}, std::size_t{13}, std::size_t{70'000});
  const std::size_t size = cut == 1 ? 300'000 : 2'000'000;
  Two two(wide());
  two.at_b.echo = true;
  const StreamId id = *two.a.open_stream(false);
  const Bytes text = pattern(size);
  REQUIRE(two.a.write(id, text) == size);
  two.a.finish(id);
  two.run(cut);
  test::Inbox& back = two.at_a.inbox(two.a, id);
  CHECK(as_bytes(back.text).size() == size);
  CHECK(std::ranges::equal(as_bytes(back.text), text));
  CHECK(back.ended);
  CHECK(back.closed);
  CHECK(two.at_b.count(Kind::kStreamClosed) == 1);
  two.a.ask_delivery();
  two.run(cut);
  CHECK(two.a.undelivered() == 0);
  CHECK(two.a.resources.usage().memory <= mux::MemoryBudget::kSpareMax);
  CHECK(two.b.resources.usage().memory <= mux::MemoryBudget::kSpareMax);
}
