// Forward error correction of a UDP session: what is lost comes back in time or not at all, within bounds.

#include <catch2/catch.hpp>
#include <algorithm>
#include <set>
#include <string>

#include "fec/gf256.hpp"
#include "fec/packet_codec.hpp"
#include "support/hex.hpp"
#include "support/udp_hand.hpp"
#include "support/udp_pair.hpp"
#include "transport/udp/fec_receiver.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

using Flight = UdpPair::Flight;

SessionMessageOptions corrected(Delivery delivery = Delivery::kUnreliable, Duration lifetime = {}) {
  SessionMessageOptions options;
  options.delivery = delivery;
  options.lifetime = lifetime;
  options.correction = true;
  return options;
}

/// A pair whose road of 50 ms each way loses DATA of side a, those whose count, from when this was made, is given.
struct Road {
  explicit Road(std::set<int> which, const udp::Config& config = {}) : pair(config), lost(std::move(which)) {
    pair.delay = milliseconds(50);
    c = &pair.connect();
    pair.run_for(seconds(2));  // the size of packets is found
    pair.filter = [this](Flight& flight) { return flight.to != 1 || !lost.contains(count++); };
    pair.b.told.on_event = [this](Instant, const TransportEvent& e) {
      if (e.event.kind != ConnectionEvent::Kind::kMessage) return;
      got.emplace_back(as_text(e.event.datagram));
      at.push_back(pair.now);
    };
  }
  /// One packet each, `every` from the last.
  void send(int first, int end, const SessionMessageOptions& options, Duration every = milliseconds(2)) {
    for (int i = first; i < end; ++i) {
      REQUIRE(c->send_message(as_bytes(text(i)), options));
      sent.push_back(pair.now);
      pair.run_for(every);
    }
  }
  static std::string text(int i) { return std::to_string(1000 + i) + std::string(1100, '.'); }

  UdpPair pair;
  std::set<int> lost;
  udp::Connection* c = nullptr;
  int count = 0;
  std::vector<std::string> got;
  std::vector<Instant> sent, at;
};

Bytes body_of(const udp::CorrectedMessage& message) {
  Bytes out;
  append(out, message);
  return out;
}

Bytes source_of(std::uint32_t number, ByteView body) {
  Bytes out;
  fec::append_packet(out, fec::Source{number, body});
  return out;
}

}  // namespace

TEST_CASE("a message that was lost is repaired within its lifetime") {
  Road road({3});
  constexpr Duration kLifetime = milliseconds(80);
  road.send(0, 5, corrected(Delivery::kUnreliable, kLifetime));
  road.pair.run_for(milliseconds(200));
  REQUIRE(road.got.size() == 5);
  CHECK(road.got.back() == Road::text(3));
  CHECK(road.at.back() - road.sent[3] > road.pair.delay);
  CHECK(road.at.back() - road.sent[3] <= kLifetime);
}

TEST_CASE("without correction it is lost") {
  Road road({3});
  SessionMessageOptions options = corrected();
  options.correction = false;
  road.send(0, 5, options);
  road.pair.run_for(seconds(1));
  CHECK(road.got.size() == 4);
  CHECK(road.count == 5);
}

TEST_CASE("what is repaired when its lifetime is over is not delivered, and what has none is") {
  for (const bool bounded : {true, false}) {
    Road road({0});
    road.pair.delay = milliseconds(50);
    // The repair comes, but is held back for longer than the message lives.
    road.pair.filter = [&](Flight& flight) {
      if (flight.to != 1) return true;
      const int n = road.count++;
      if (n > 1) flight.at = flight.at + milliseconds(40);
      return n != 0;
    };
    road.send(0, 2, corrected(Delivery::kUnreliable, bounded ? milliseconds(80) : Duration{}));
    road.pair.run_for(seconds(1));
    INFO(bounded);
    CHECK(road.count > 2);
    CHECK(road.got.size() == (bounded ? 1 : 2));
    CHECK(road.got.front() == Road::text(1));
  }
}

TEST_CASE("a sequenced message that was repaired never comes after a newer one") {
  Road road({2});
  road.send(0, 6, corrected(Delivery::kSequenced));
  road.pair.run_for(seconds(1));
  CHECK(road.got.size() == 5);
  CHECK(std::ranges::is_sorted(road.got));
  Road alone({0});  // nothing is newer: it does come
  alone.send(0, 1, corrected(Delivery::kSequenced));
  alone.pair.run_for(seconds(1));
  CHECK(alone.got == std::vector{Road::text(0)});
}

TEST_CASE("a reliable message with a deadline is repaired before it could come again, and comes once") {
  Road road({3});
  road.send(0, 5, corrected(Delivery::kOrdered, milliseconds(500)));
  road.pair.run_for(milliseconds(300));
  REQUIRE(road.got.size() == 5);
  CHECK(road.at[3] - road.sent[3] < road.pair.delay * 2);
  CHECK(std::ranges::is_sorted(road.got));
  road.pair.run_for(seconds(2));
  CHECK(road.got.size() == 5);
  CHECK(road.c->undelivered() == 0);
  CHECK(road.c->send_message(as_bytes("x"), corrected(Delivery::kReliable)).error().code == Code::kInvalidArgument);
}

TEST_CASE("messages of all kinds, with correction and without, share packets, and each comes once") {
  Road road({});
  Rng rng(udp_seed(5));
  road.pair.filter = [&](Flight&) { return rng.below(30) != 0; };
  std::set<std::string> reliable;
  for (int sent = 0; sent < 600; ++sent) {
    SessionMessageOptions options = corrected(static_cast<Delivery>(rng.below(4)), seconds(60));
    options.correction = rng.below(3) != 0;
    options.priority = static_cast<std::int8_t>(rng.below(3));
    options.channel = static_cast<std::uint8_t>(rng.below(3));
    const std::string text = std::to_string(1000 + sent) + std::string(rng.below(3000), '.');
    REQUIRE(road.c->send_message(as_bytes(text), options));
    if (options.delivery >= Delivery::kReliable) reliable.insert(text);
    if (rng.below(2) == 0) road.pair.run_for(milliseconds(static_cast<std::int64_t>(rng.below(20))));
  }
  road.pair.run_for(seconds(20));
  const std::set<std::string> once(road.got.begin(), road.got.end());
  CHECK(once.size() == road.got.size());
  CHECK(once.size() > 400);
  CHECK(std::ranges::includes(once, reliable));
  CHECK(road.c->undelivered() == 0);
}

TEST_CASE("repairs wait for the congestion window as everything does") {
  Road road({});
  // Nothing is acknowledged.
  road.pair.filter = [](Flight& flight) { return flight.to == 1; };
  const std::size_t before = road.pair.a.bytes_sent;
  road.send(0, 100, corrected(), milliseconds(1));
  const std::size_t window = static_cast<std::size_t>(road.c->stats(road.pair.now).congestion_window);
  CHECK(road.pair.a.bytes_sent - before <= window);
  CHECK(road.pair.a.bytes_sent - before > window / 2);
}

TEST_CASE("smaller packets carry smaller bodies, and repairs of those") {
  Road road({});
  std::size_t most = 1452;
  int lost = -1, count = 0;
  road.pair.filter = [&](Flight& flight) { return flight.bytes.size() <= most && (flight.to != 1 || count++ != lost); };
  road.send(0, 20, corrected());
  most = 1200;  // the road became narrow
  const auto stream = *road.c->open_stream(false);
  const std::string large(100'000, 'x');
  REQUIRE(road.c->write(stream, as_bytes(large)) == large.size());
  road.pair.run_for(seconds(10));
  REQUIRE(road.c->stats(road.pair.now).mtu == 1200);
  road.pair.run_for(seconds(3));
  road.got.clear();
  lost = count + 5;
  road.send(0, 10, corrected());
  road.pair.run_for(seconds(1));
  CHECK(road.got.size() == 10);
}

TEST_CASE("where there is no memory for a decoder messages come, and are not repaired") {
  Limits limits;
  limits.memory_max = limits.memory_per_peer_max = udp::FecReceiver::kBytesMax - 1;
  UdpPair pair({}, limits);
  UdpHand hand(pair, {});
  const Bytes text = {'a', 'b', 'c'};
  const Bytes body = body_of({0, {Delivery::kUnreliable, 1, 0, text.size(), 0, text}});
  hand.send({udp::FecFrame{source_of(0, body)}});
  Bytes repair;
  fec::append_packet(repair, fec::Repair{0, 2, 0, Bytes(50, 1)});
  hand.send({udp::FecFrame{repair}});
  CHECK(pair.b.messages.size() == 1);
  CHECK_FALSE(pair.b.told.closed.has_value());
  CHECK(pair.b.resources.usage().memory <= 2 * mux::MemoryBudget::kStep);
}

TEST_CASE("whatever repairs a peer sends, the decoder keeps to its bound, and gives it back in the end") {
  UdpPair pair;
  UdpHand hand(pair, {});
  Rng rng(udp_seed(6));
  for (int i = 0; i < 2000; ++i) {
    Bytes symbol(2 + rng.below(1380));
    rng.fill(symbol);
    Bytes packet;
    const std::uint64_t number = rng.below(8) == 0 ? rng.next_u64() : static_cast<std::uint64_t>(i) * 3;
    const auto first = static_cast<std::uint32_t>(number);
    fec::append_packet(packet, fec::Repair{first, static_cast<std::uint8_t>(1 + rng.below(fec::kWindowMax)),
                                           static_cast<std::uint8_t>(i), symbol});
    hand.send({udp::FecFrame{packet}});
    REQUIRE(pair.b.resources.usage().memory <= udp::FecReceiver::kBytesMax + 2 * mux::MemoryBudget::kStep);
    if (pair.b.told.closed) break;  // what came out was no message
  }
  if (!pair.b.told.closed) hand.send({udp::CloseFrame{0, {}}});
  pair.run_for(minutes(1));
  CHECK(pair.b.resources.usage() == LimitUsage{});
}

TEST_CASE("of the repairs in one packet so many are looked at") {
  // The repair of body 1 alone; and one of body 0 alone, which says nothing new, and costs a look.
  const auto repair_of = [](std::uint8_t number, ByteView body) {
    Bytes symbol{static_cast<std::uint8_t>(body.size() >> 8), static_cast<std::uint8_t>(body.size())};
    symbol.insert(symbol.end(), body.begin(), body.end());
    const std::uint8_t factor = fec::gf256::inverse(static_cast<std::uint8_t>(number ^ 128));
    for (std::uint8_t& byte : symbol) byte = fec::gf256::multiply(factor, byte);
    Bytes out;
    fec::append_packet(out, fec::Repair{number, 1, 0, symbol});
    return out;
  };
  const auto body = [](std::uint64_t sequence, std::string_view text) {
    return body_of({0, {Delivery::kUnreliable, 0, sequence, text.size(), 0, as_bytes(text)}});
  };
  const Bytes known = body(0, "known"), lost = body(1, "lost"), source = source_of(0, known);
  const Bytes useless = repair_of(0, known), useful = repair_of(1, lost);
  constexpr std::size_t kMax = udp::FecReceiver::kRepairsPerPacketMax;
  for (const std::size_t before : {kMax - 1, kMax}) {
    UdpPair pair;
    UdpHand hand(pair, {});
    hand.send({udp::FecFrame{source}});
    Bytes frames;
    for (std::size_t i = 0; i < before; ++i) append(frames, udp::FecFrame{useless});
    append(frames, udp::FecFrame{useful});
    hand.send(frames);
    CHECK(pair.b.messages.size() == (before < kMax ? 2 : 1));
    hand.send({udp::FecFrame{useful}});  // in a packet of its own
    REQUIRE(pair.b.messages.size() == 2);
    CHECK(pair.b.messages[1].second == "lost");
  }
}

TEST_CASE("a peer that sends what is no packet of the code, or a body without messages, loses the session") {
  const Bytes text = {'a', 'b'};
  const udp::MessageFrame message{Delivery::kUnreliable, 0, 0, text.size(), 0, text};
  Bytes other = {0};  // no time, and then a frame of another kind
  append(other, udp::Frame(udp::PingFrame{}));
  Bytes cut = body_of({0, message});
  cut.pop_back();
  Bytes behind = body_of({0, message});
  behind.push_back(0);
  const Bytes good = source_of(0, body_of({0, message}));
  const std::vector<Bytes> crimes = {
      {},
      {2, 0, 0, 0, 0},                                     // neither source nor repair
      {1, 0, 0, 0, 0, 0, 0, 1, 1},                         // a repair of nothing
      {1, 0, 0, 0, 0, 129, 0, 1, 1},                       // of more than a window
      source_of(1, {}),
      source_of(1, other),
      source_of(1, cut),
      source_of(1, behind),
      source_of(1, body_of({udp::kTimeLeftMsMax + 1, message})),
  };
  for (const Bytes& crime : crimes) {
    UdpPair pair;
    UdpHand hand(pair, {});
    hand.send({udp::FecFrame{good}});
    REQUIRE_FALSE(pair.b.told.closed.has_value());
    INFO(to_hex(crime));
    hand.send({udp::FecFrame{crime}});
    REQUIRE(pair.b.told.closed.has_value());
    CHECK(pair.b.told.closed->code == Code::kProtocolViolation);
  }
}

TEST_CASE("what bodies are made of is read as it was written") {
  const Bytes text = {'a', 'b', 'c'};
  for (const std::uint64_t left : {std::uint64_t{0}, std::uint64_t{80}, udp::kTimeLeftMsMax}) {
    const udp::CorrectedMessage message{left, {Delivery::kSequenced, 63, 1ull << 40, 9, 4, text}};
    Bytes out = body_of(message);
    const std::size_t frame = udp::message_frame_overhead(1ull << 40, 9, 4, text.size()) + text.size();
    CHECK(out.size() > frame);
    CHECK(out.size() <= frame + udp::kTimeLeftSizeMax);
    ByteReader reader(out);
    const auto again = udp::read_corrected_message(reader);
    REQUIRE(again);
    CHECK(reader.at_end());
    CHECK(again->ms_left == left);
    CHECK(body_of(*again) == out);
    for (std::size_t size = 0; size < out.size(); ++size) {
      ByteReader part(ByteView(out).first(size));
      CHECK_FALSE(udp::read_corrected_message(part));
    }
  }
}
