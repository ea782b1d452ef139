// Whole UDP sessions between two endpoints: handshake, hostile datagrams, paths, keys, messages.

#include <catch2/catch.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "support/hex.hpp"
#include "support/udp_hand.hpp"
#include "support/udp_pair.hpp"
#include "support/writer.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

using Kind = ConnectionEvent::Kind;
using Flight = UdpPair::Flight;

constexpr std::uint8_t kInitialByte = 8, kCookieByte = 9, kResponseByte = 10, kFinishByte = 11;

void send_all(UdpPair& pair, std::string_view text) {
  const auto stream = *pair.ours().open_stream(false);
  REQUIRE(pair.ours().write(stream, as_bytes(text)) == text.size());
  pair.ours().finish(stream);
}

/// By side b.
std::uint64_t dropped(const UdpPair& pair, DropCounters::Which reason) {
  return pair.b.resources.drops().dropped[reason];
}

bool arrived(UdpPair& pair, std::string_view text, std::size_t n = 0) {
  if (pair.b.told.streams.size() <= n) return false;
  const Inbox& inbox = pair.b.told.inbox(*pair.b.told.connection(), pair.b.told.streams[n]);
  return inbox.ended && inbox.text == text;
}

SessionMessageOptions by(Delivery delivery) {
  SessionMessageOptions options;
  options.delivery = delivery;
  return options;
}

}  // namespace

TEST_CASE("a dialer is up after two round trips, its peer half of one later, and each knows the other") {
  UdpPair pair;
  const Instant begin = pair.now;
  pair.dial(pair.b.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.a.told.count(Kind::kEstablished) == 1; }));
  CHECK(pair.now - begin == pair.delay * 4);
  CHECK(pair.b.told.count(Kind::kEstablished) == 0);
  REQUIRE(pair.run_until([&] { return pair.up(); }));
  CHECK(pair.now - begin == pair.delay * 5);
  CHECK(pair.ours().peer() == pair.b.key.peer_id());
  CHECK(pair.theirs().peer() == pair.a.key.peer_id());
  CHECK(pair.ours().remote_address().to_string() == "/ip4/192.0.2.2/udp/4001/p2pa-udp");
}

TEST_CASE("the first answer takes three round trips") {
  UdpPair pair;
  pair.b.told.echo = true;
  const Instant begin = pair.now;
  pair.dial(pair.b.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.a.told.count(Kind::kEstablished) == 1; }));
  const auto stream = *pair.ours().open_stream(false);
  REQUIRE(pair.ours().write(stream, as_bytes("hello")));
  REQUIRE(pair.run_until([&] { return pair.a.told.inbox(pair.ours(), stream).text == "hello"; }));
  CHECK(pair.now - begin == pair.delay * 6);
}

TEST_CASE("who is somebody else is refused") {
  UdpPair pair;
  pair.dial(pair.a.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.a.told.closed.has_value(); }));
  CHECK(pair.a.told.closed->code == Code::kPeerIdMismatch);
  pair.run_for(seconds(20));
  CHECK(pair.b.endpoint.connections_count() == 0);
  CHECK(pair.b.resources.usage() == LimitUsage{});
}

TEST_CASE("nobody answers: the dial ends in time, and so does a session that was half open") {
  UdpPair pair;
  pair.filter = [](Flight& flight) { return flight.bytes[0] != kFinishByte && flight.bytes[0] < 12; };
  pair.dial(pair.b.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.a.told.closed.has_value(); }));
  CHECK(pair.a.told.closed->code == Code::kTimeout);
  pair.run_for(seconds(1));
  CHECK(pair.b.told.closed->code == Code::kTimeout);
  CHECK(pair.b.told.count(Kind::kEstablished) == 0);
  CHECK(pair.b.resources.usage() == LimitUsage{});
}

TEST_CASE("an address that nobody has proven gets no more bytes than came from it, and costs nothing") {
  UdpPair pair;
  pair.dial(pair.b.key.peer_id());
  while (pair.settle()) {
  }
  REQUIRE(pair.flights.size() == 1);
  Flight initial = pair.flights[0];
  pair.flights.clear();
  REQUIRE(initial.bytes.size() == udp::kInitialSize);
  // As many as a flood has, all from addresses that know nothing of it.
  std::size_t answered = 0, answers = 0;
  pair.filter = [&](Flight& flight) {
    answered += flight.bytes.size();
    ++answers;
    return false;
  };
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    initial.from.port = port;
    pair.arrive(initial);
  }
  while (pair.settle()) {
  }
  CHECK(answers == udp::Endpoint::kAnswersMax);
  CHECK(answered == answers * 33);
  CHECK(dropped(pair, DropCounters::kAddressUnproven) == 1000);
  CHECK(dropped(pair, DropCounters::kAnswersFull) == 1000 - answers);
  CHECK(pair.b.endpoint.connections_count() == 0);
  CHECK(pair.b.resources.usage() == LimitUsage{});
  initial.bytes.resize(udp::kInitialSize - 1);
  answers = 0;
  pair.arrive(initial);
  while (pair.settle()) {
  }
  CHECK(answers == 0);
  CHECK(dropped(pair, DropCounters::kMalformed) == 1);
}

TEST_CASE("a dialer gets its cookie although a flood always comes first and fills every place") {
  UdpPair pair;
  pair.dial(pair.b.key.peer_id());
  // Before each datagram of the dialer's, ten times as many as there are places for.
  Bytes opening = encode(udp::InitialPacket{1, {}, Bytes(udp::kFirstMessageSize, 9)});
  std::size_t cookies = 0;
  pair.filter = [&](Flight& flight) {
    if (flight.target != pair.a.where && flight.target != pair.b.where) return false;  // to the flood
    if (flight.bytes[0] == kCookieByte) ++cookies;
    if (flight.bytes[0] != kInitialByte || flight.bytes[10] != 0) return true;
    Flight flood = flight;
    flood.bytes = opening;
    for (std::size_t i = 0; i < 2 * udp::Endpoint::kAnswersMax; ++i) {
      flood.from.ip.bytes = {198, 51, 100, static_cast<std::uint8_t>(i)};
      flood.from.port = static_cast<std::uint16_t>(1000 + i);
      pair.flights.push_back(flood);
    }
    return true;
  };
  CHECK(pair.run_until([&] { return pair.up(); }, seconds(9)));
  CHECK(cookies > 0);
  CHECK(dropped(pair, DropCounters::kAnswersFull) >= udp::Endpoint::kAnswersMax);
}

TEST_CASE("a cookie is of no use at another address") {
  UdpPair pair;
  Flight shown;
  pair.filter = [&](Flight& flight) {
    if (flight.bytes[0] != kInitialByte || flight.bytes[10] == 0) return true;
    shown = flight;
    return false;
  };
  pair.dial(pair.b.key.peer_id());
  pair.run_until([&] { return !shown.bytes.empty(); });
  REQUIRE_FALSE(shown.bytes.empty());
  Flight elsewhere = shown;
  elsewhere.from.port = 99;
  pair.arrive(elsewhere);
  CHECK(pair.b.endpoint.connections_count() == 0);
  pair.arrive(shown);
  CHECK(pair.b.endpoint.connections_count() == 1);
  pair.arrive(shown);  // and again: the same session
  CHECK(pair.b.endpoint.connections_count() == 1);
}

TEST_CASE("half-open sessions have a bound") {
  Limits limits;
  limits.handshakes_max = 2;
  UdpPair pair({}, limits);
  pair.filter = [](Flight& flight) { return flight.bytes[0] != kFinishByte; };
  for (int i = 0; i < 3; ++i) pair.dial(pair.b.key.peer_id());
  pair.run_for(seconds(2));
  CHECK(pair.b.resources.usage().handshakes == 2);
  CHECK(pair.b.endpoint.connections_count() == 2);
  CHECK(pair.b.resources.counters().refused[LimitCounters::kHandshakes] > 0);
}

TEST_CASE("a handshake survives the loss of any datagram, and the damage of any") {
  for (const std::uint8_t type : {kInitialByte, kCookieByte, kResponseByte, kFinishByte}) {
    for (const bool damage : {false, true}) {
      for (const std::size_t at : {std::size_t{1}, std::size_t{20}, std::size_t{40}, std::size_t{100}, SIZE_MAX}) {
        UdpPair pair;
        int left = 2;
        pair.filter = [&](Flight& flight) {
          if (flight.bytes[0] != type || left-- <= 0) return true;
          flight.bytes[std::min(at, flight.bytes.size() - 1)] ^= 1;
          return damage;
        };
        pair.dial(pair.b.key.peer_id());
        INFO(int{type} << " " << damage << " " << at);
        CHECK(pair.run_until([&] { return pair.up(); }, seconds(9)));
      }
    }
  }
}

TEST_CASE("what overtakes FINISH is kept for it, within a bound") {
  UdpPair pair;
  pair.filter = [&](Flight& flight) {
    if (flight.bytes[0] == kFinishByte) flight.at = flight.at + milliseconds(5);
    return true;
  };
  pair.dial(pair.b.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.a.told.count(Kind::kEstablished) == 1; }));
  const Instant established = pair.now;
  send_all(pair, "at once");
  REQUIRE(pair.run_until([&] { return pair.b.told.connection() != nullptr && arrived(pair, "at once"); }));
  CHECK(pair.now - established == pair.delay + milliseconds(5));
}

TEST_CASE("of what overtakes FINISH eight packets are kept, and none that is larger than any may be") {
  UdpPair pair;
  bool let_finish = false;
  std::size_t sent = 0;
  Flight data;
  pair.filter = [&](Flight& flight) {
    if (flight.bytes[0] == kFinishByte) return let_finish;
    if (flight.to == 1 && flight.bytes[0] >= 12) {
      data = flight;
      ++sent;
    }
    return true;
  };
  pair.dial(pair.b.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.a.told.count(Kind::kEstablished) == 1; }));
  constexpr std::size_t kMax = udp::Connection::kEarlyPacketsMax;
  const Bytes message(1000, 7);  // one fills a packet
  REQUIRE(pair.ours().send_message(message, by(Delivery::kUnreliable)));
  while (pair.settle()) {
  }
  REQUIRE(sent == 1);
  data.bytes.resize(udp::MtuProbe::kSizeMax + 1);
  pair.arrive(data);
  CHECK(dropped(pair, DropCounters::kEarly) == 1);
  for (std::size_t i = 1; i < kMax + 5; ++i) REQUIRE(pair.ours().send_message(message, by(Delivery::kUnreliable)));
  pair.run_for(milliseconds(100));
  REQUIRE(sent > kMax);
  CHECK(dropped(pair, DropCounters::kEarly) == 1 + sent - kMax);
  let_finish = true;
  REQUIRE(pair.run_until([&] { return pair.up(); }));
  pair.run_for(seconds(1));
  CHECK(pair.b.messages.size() == kMax);
  CHECK(dropped(pair, DropCounters::kNotAuthentic) == 0);
}

TEST_CASE("the true FINISH is taken behind three that are not, and not behind four") {
  for (const int forged : {udp::Connection::kFinishesRefusedMax - 1, udp::Connection::kFinishesRefusedMax}) {
    UdpPair pair;
    Flight finish;
    pair.filter = [&](Flight& flight) {
      if (flight.bytes[0] != kFinishByte) return true;
      finish = flight;
      return false;
    };
    pair.dial(pair.b.key.peer_id());
    REQUIRE(pair.run_until([&] { return !finish.bytes.empty(); }));
    pair.filter = {};
    for (int i = 0; i < forged; ++i) {
      Flight forgery = finish;
      forgery.bytes[20 + static_cast<std::size_t>(i)] ^= 1;
      pair.arrive(forgery);
    }
    CHECK(dropped(pair, DropCounters::kNotAuthentic) == static_cast<std::uint64_t>(forged));
    pair.arrive(finish);
    while (pair.settle()) {
    }
    const bool given_up = forged == udp::Connection::kFinishesRefusedMax;
    CHECK(pair.b.endpoint.connections_count() == (given_up ? 0 : 1));
    CHECK(pair.up() == !given_up);
    CHECK(pair.b.resources.usage().handshakes == 0);
    if (!given_up) continue;
    CHECK(pair.b.told.closed->code == Code::kHandshake);
    CHECK(dropped(pair, DropCounters::kUnknown) == 1);
  }
}

TEST_CASE("a cookie that somebody copied is of no use for other handshakes, from the same address either") {
  UdpPair pair;
  Flight shown;
  std::size_t responses = 0;
  pair.filter = [&](Flight& flight) {
    responses += flight.bytes[0] == kResponseByte ? 1 : 0;
    if (flight.bytes[0] != kInitialByte || flight.bytes[10] == 0) return true;
    shown = flight;
    return false;
  };
  pair.dial(pair.b.key.peer_id());
  pair.run_until([&] { return !shown.bytes.empty(); });
  REQUIRE_FALSE(shown.bytes.empty());
  const auto initial = udp::decode_initial(shown.bytes);
  Bytes other_message(initial->message.begin(), initial->message.end());
  for (std::uint8_t i = 1; i < 100; ++i) {
    other_message[0] = static_cast<std::uint8_t>(initial->message[0] ^ i);
    Flight forged = shown;
    forged.bytes = encode(udp::InitialPacket{initial->source, initial->cookie, other_message});
    pair.arrive(forged);
  }
  CHECK(pair.b.endpoint.connections_count() == 0);
  CHECK(dropped(pair, DropCounters::kProofRefused) == 99);
  for (int i = 0; i < 100; ++i) pair.arrive(shown);  // and again: one session, and its one answer
  while (pair.settle()) {
  }
  CHECK(pair.b.endpoint.connections_count() == 1);
  CHECK(responses == 1);
  CHECK(pair.b.resources.handshakes_begun() == 1);
}

TEST_CASE("whoever has the dialer's address may begin four times, each costs a Diffie-Hellman, and no more") {
  UdpPair pair;
  std::vector<Bytes> cookies;
  std::size_t responses = 0;
  pair.filter = [&](Flight& flight) {
    if (flight.bytes[0] == kCookieByte) cookies.push_back(flight.bytes);
    responses += flight.bytes[0] == kResponseByte ? 1 : 0;
    return false;
  };
  const auto say = [&](ByteView datagram) {
    pair.arrive({pair.now, 1, pair.a.where, pair.b.where, Bytes(datagram.begin(), datagram.end())});
    while (pair.settle()) {
    }
  };
  constexpr udp::Cid kId = 77;
  constexpr std::uint8_t kMany = 10;
  for (std::uint8_t i = 1; i <= kMany; ++i) {
    const Bytes message(udp::kFirstMessageSize, i);
    say(encode(udp::InitialPacket{kId, {}, message}));
    say(encode(udp::InitialPacket{kId, udp::decode_cookie(cookies.back())->cookie, message}));
  }
  CHECK(cookies.size() == kMany);
  CHECK(responses == udp::Connection::kFirstsMax);
  CHECK(dropped(pair, DropCounters::kUnexpected) == kMany - udp::Connection::kFirstsMax);
  CHECK(pair.b.endpoint.connections_count() == 1);
}

TEST_CASE("datagrams that come twice, or are not authentic, change nothing") {
  UdpPair pair;
  Rng rng(udp_seed(9));
  std::vector<Flight> copies;
  pair.filter = [&](Flight& flight) {
    copies.push_back(flight);
    copies.push_back(flight);
    copies.back().bytes[rng.below(copies.back().bytes.size())] ^= static_cast<std::uint8_t>(1 + rng.below(255));
    return true;
  };
  udp::Connection& c = pair.connect();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(c.send_message(as_bytes(std::to_string(i)), by(Delivery::kUnreliable)));
    REQUIRE(c.send_datagram(as_bytes("datagram")));
    send_all(pair, "stream " + std::to_string(i));
    pair.run_for(milliseconds(30));
    for (const Flight& copy : copies) pair.arrive(copy);
  }
  pair.run_for(seconds(1));
  CHECK(pair.b.messages.size() == 20);
  CHECK(pair.b.told.datagrams.size() == 20);
  CHECK(pair.b.told.streams.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(arrived(pair, "stream " + std::to_string(i), i));
  CHECK(pair.b.endpoint.connections_count() == 1);
  CHECK(dropped(pair, DropCounters::kRepeated) > 20);
  CHECK(dropped(pair, DropCounters::kNotAuthentic) > 5);
}

TEST_CASE("a megabyte arrives over a road that loses every tenth datagram") {
  UdpPair pair;
  Rng rng(udp_seed(7));
  pair.filter = [&](Flight&) { return rng.below(10) != 0; };
  pair.connect();
  const std::string text = pattern(1 << 20);
  send_all(pair, text);
  CHECK(pair.run_until([&] { return arrived(pair, text); }, seconds(120)));
  CHECK(pair.run_until([&] { return pair.ours().undelivered() == 0; }));
}

TEST_CASE("a session goes on at another address, which is proven first") {
  UdpPair pair;
  udp::Connection& c = pair.connect();
  const std::string text = pattern(1 << 20);
  pair.bytes_per_second = 2'000'000;
  send_all(pair, text);
  pair.run_for(milliseconds(200));
  const IpEndpoint before = pair.a.where;
  pair.a.where.port = 5005;  // a NAT forgot us
  REQUIRE(pair.run_until([&] { return arrived(pair, text); }));
  CHECK(pair.b.told.count(Kind::kPathChanged) == 1);
  CHECK(pair.theirs().remote_address() == udp_multiaddr(pair.a.where));
  CHECK(pair.a.where != before);
  CHECK(c.established());
}

TEST_CASE("an idle session finds its peer again by its keep-alive, and the listener may move as well") {
  UdpPair pair;
  udp::Connection& c = pair.connect();
  pair.a.where.port = 5005;
  pair.run_for(seconds(60));
  CHECK(c.established());
  send_all(pair, "from there");
  CHECK(pair.run_until([&] { return arrived(pair, "from there"); }));
}

TEST_CASE("who copies packets to another address gets no more than came from it, and not the session") {
  UdpPair pair;
  pair.connect();
  const std::string text = pattern(200'000);
  IpEndpoint thief = pair.a.where;
  thief.port = 6666;
  std::size_t stolen = 0, given = 0;
  pair.filter = [&](Flight& flight) {
    if (flight.to == 1) {  // his copy is faster
      Flight copy = flight;
      copy.from = thief;
      copy.at = copy.at - milliseconds(5);
      given += copy.bytes.size();
      pair.flights.push_back(copy);
    }
    if (flight.target == thief) stolen += flight.bytes.size();
    return true;
  };
  send_all(pair, text);
  REQUIRE(pair.run_until([&] { return arrived(pair, text); }));
  CHECK(stolen > 0);
  CHECK(stolen < given);
  CHECK(pair.b.told.count(Kind::kPathChanged) == 0);
  CHECK(pair.theirs().remote_address() == udp_multiaddr(pair.a.where));
}

TEST_CASE("keys change in time, in both directions") {
  UdpPair pair;
  std::map<std::size_t, std::set<std::uint8_t>> phases;
  pair.filter = [&](Flight& flight) {
    phases[flight.to].insert(flight.bytes[0]);
    return true;
  };
  pair.connect();
  pair.run_for(minutes(11));
  CHECK(phases[0].contains(13));
  CHECK(phases[1].contains(13));
  phases.clear();
  pair.run_for(minutes(10));
  CHECK(phases[0].contains(12));
  send_all(pair, "still here");
  CHECK(pair.run_until([&] { return arrived(pair, "still here"); }));
}

TEST_CASE("packets become as large as the path carries, and small again when it does not any more") {
  UdpPair pair;
  std::size_t most = 1300;
  pair.filter = [&](Flight& flight) { return flight.bytes.size() <= most; };
  udp::Connection& c = pair.connect();
  pair.run_for(seconds(20));
  CHECK(c.stats(pair.now).mtu == 1280);
  most = 1200;
  const std::string text = pattern(300'000);
  send_all(pair, text);
  CHECK(pair.run_until([&] { return arrived(pair, text); }));
  CHECK(c.stats(pair.now).mtu == 1200);
  UdpPair wide;
  udp::Connection& d = wide.connect();
  wide.run_for(seconds(1));
  CHECK(d.stats(wide.now).mtu == 1452);
}

TEST_CASE("a narrow road is used well, and shared fairly by two") {
  UdpPair pair;
  pair.delay = milliseconds(20);
  udp::Connection& first = pair.connect();
  udp::Connection& ours_there = pair.theirs();
  pair.dial(pair.b.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.b.told.count(Kind::kEstablished) == 2 && pair.ours().established(); }));
  udp::Connection& second = pair.ours();
  udp::Connection& theirs_there = pair.theirs();
  REQUIRE(&first != &second);
  pair.bytes_per_second = 1'000'000;
  const std::string text = pattern(64 << 20);
  Writer one{first, *first.open_stream(false), text}, two{second, *second.open_stream(false), text};
  pair.a.told.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind != Kind::kWritable) return;
    (e.connection == &first ? one : two).go();
  };
  std::size_t got_first = 0, got_second = 0;
  pair.b.told.drain = false;
  pair.b.told.on_event = [&](Instant, const TransportEvent& e) {
    if (e.event.kind != Kind::kReadable) return;
    for (ByteView bytes; !(bytes = e.connection->peek(e.event.stream)).empty();) {
      (e.connection == &ours_there ? got_first : got_second) += bytes.size();
      e.connection->consume(e.event.stream, bytes.size());
    }
  };
  one.go();
  pair.run_for(seconds(5));  // the first has the road for itself
  const std::size_t alone = got_first;
  CHECK(alone > 5 * 1'000'000 * 7 / 10);
  two.go();
  pair.run_for(seconds(20));
  got_first = got_second = 0;
  pair.run_for(seconds(20));
  CHECK(got_first + got_second > 20 * 1'000'000 * 8 / 10);
  CHECK(got_first < 2 * got_second);
  CHECK(got_second < 2 * got_first);
  static_cast<void>(theirs_there);
}

TEST_CASE("messages of every kind arrive over a road that loses, each as it was asked for") {
  UdpPair pair;
  Rng rng(udp_seed(5));
  udp::Connection& c = pair.connect();
  pair.filter = [&](Flight&) { return rng.below(10) != 0; };
  for (int i = 0; i < 100; ++i) {
    for (const auto delivery : {Delivery::kUnreliable, Delivery::kSequenced, Delivery::kReliable,
                                Delivery::kOrdered}) {
      SessionMessageOptions options = by(delivery);
      options.channel = 3;
      const std::string text = std::to_string(1000 + i) + std::string(rng.below(600), '.');
      REQUIRE(c.send_message(as_bytes(text), options));
    }
    pair.run_for(milliseconds(20));
  }
  REQUIRE(pair.run_until([&] { return c.undelivered() == 0; }));
  pair.run_for(seconds(1));
  std::map<std::uint64_t, std::vector<int>> got;
  for (const auto& [code, text] : pair.b.messages) got[code].push_back(std::stoi(text.substr(0, 4)));
  CHECK(got.size() == 4);
  const auto& unreliable = got[3], sequenced = got[0x103], reliable = got[0x203], ordered = got[0x303];
  CHECK(unreliable.size() > 50);
  CHECK(unreliable.size() < 100);
  CHECK(std::set<int>(unreliable.begin(), unreliable.end()).size() == unreliable.size());
  CHECK(sequenced.size() > 50);
  CHECK(std::ranges::is_sorted(sequenced));
  CHECK(std::set<int>(reliable.begin(), reliable.end()).size() == 100);
  CHECK(reliable.size() == 100);
  CHECK(ordered.size() == 100);
  CHECK(std::ranges::is_sorted(ordered));
}

TEST_CASE("an urgent message does not wait behind a stream that fills the road") {
  UdpPair pair;
  udp::Connection& c = pair.connect();
  pair.bytes_per_second = 1'000'000;
  send_all(pair, pattern(2 << 20));
  pair.run_for(seconds(1));
  const Instant sent = pair.now;
  REQUIRE(c.send_message(as_bytes("stop"), by(Delivery::kReliable)));
  REQUIRE(pair.run_until([&] { return pair.b.messages.size() == 1; }));
  CHECK(pair.now - sent < milliseconds(200));
  CHECK(pair.b.told.inbox(pair.theirs(), pair.b.told.streams[0]).text.size() < (2 << 20));
}

TEST_CASE("a datagram that fills a packet does not wait behind an acknowledgement that may") {
  UdpPair pair;
  bool lossy = true;
  int count = 0;
  pair.filter = [&](Flight& flight) {
    if (flight.bytes.size() > 1200) return false;  // packets stay small
    return !lossy || flight.to == 0 || ++count % 2 == 0;
  };
  udp::Connection& c = pair.connect();
  for (int i = 0; i < 40; ++i) {  // so many gaps make a long acknowledgement
    REQUIRE(c.send_datagram(as_bytes("datagram")));
    pair.run_for(milliseconds(30));
  }
  lossy = false;
  for (int i = 0; i < 2; ++i) {
    pair.run_for(seconds(1));
    const std::size_t before = pair.b.told.datagrams.size();
    REQUIRE(c.send_datagram(as_bytes("owed an answer")));
    REQUIRE(pair.run_until([&] { return pair.b.told.datagrams.size() == before + 1; }));
  }
  const Instant sent = pair.now;
  const std::string large(udp::Connection::kDatagramSizeMax, 'x');
  REQUIRE(pair.theirs().send_datagram(as_bytes(large)));
  REQUIRE(pair.run_until([&] { return !pair.a.told.datagrams.empty(); }));
  CHECK(pair.now - sent == pair.delay);
  CHECK(pair.a.told.datagrams.front() == large);
}

TEST_CASE("a close is heard though its first datagram is lost") {
  UdpPair pair;
  udp::Connection& c = pair.connect();
  pair.run_for(seconds(1));
  int left = 1;
  pair.filter = [&](Flight& flight) { return flight.to != 1 || left-- <= 0; };
  c.close(7, "enough");
  REQUIRE(pair.run_until([&] { return pair.b.told.closed.has_value(); }, seconds(1)));
  CHECK(pair.b.told.closed->code == Code::kConnectionClosed);
  CHECK(pair.b.told.closed->detail == 7);
  pair.run_for(seconds(5));
  CHECK(pair.a.endpoint.next_deadline() == kNever);
  CHECK(pair.b.endpoint.next_deadline() == kNever);
}

TEST_CASE("a socket that goes takes its sessions along") {
  UdpPair pair;
  pair.connect();
  pair.a.endpoint.remove_socket(pair.now, 1);
  pair.run_for(milliseconds(1));
  CHECK(pair.a.told.closed->code == Code::kClosed);
  const DialTarget target{udp_multiaddr(pair.b.where), pair.b.key.peer_id(), true};
  CHECK(pair.a.endpoint.dial(pair.now, 1, target).error().code == Code::kInvalidArgument);
}

TEST_CASE("a peer that breaks the rules of streams loses the session, and is told why") {
  Limits limits;
  limits.stream_window = 1000;
  limits.connection_window = 1500;
  limits.streams_inbound_per_connection_max = 2;
  const Bytes one(1), most(1000);
  const std::vector<std::vector<udp::Frame>> crimes = {
      {udp::StreamFrame{1, 0, one, false}},                                       // a stream that b did not open
      {udp::StreamFrame{4, 0, one, false}},                                       // one too many
      {udp::StreamFrame{0, 1000, one, false}},                                    // over a stream's credit
      {udp::StreamFrame{0, 0, most, false}, udp::StreamFrame{2, 0, most, false}}, // over the session's
      {udp::StreamFrame{0, 0, one, true}, udp::StreamFrame{0, 1, one, false}},    // beyond the end
      {udp::StreamFrame{0, 5, one, true}, udp::StreamFrame{0, 4, one, true}},     // two ends
      {udp::StreamFrame{0, 5, one, false}, udp::StreamFrame{0, 0, one, true}},    // an end before what came
      {udp::StreamFrame{0, 5, one, false}, udp::ResetFrame{0, 1, 5}},
      {udp::ResetFrame{0, 1, 1001}},
      {udp::StopFrame{1, 0}},
      {udp::MaxStreamDataFrame{1, 9}},
      {udp::MessageFrame{Delivery::kReliable, 0, udp::kOpenMessagesMax, 1, 0, one}},
  };
  for (const auto& crime : crimes) {
    UdpPair pair({}, limits);
    pair.b.told.drain = false;
    UdpHand hand(pair, {});
    Bytes frames;
    for (const udp::Frame& frame : crime) append(frames, frame);
    INFO(to_hex(frames));
    hand.send(frames);
    REQUIRE(pair.b.told.closed.has_value());
    CHECK(pair.b.told.closed->code == Code::kProtocolViolation);
    CHECK(hand.heard.size() == 1);
    hand.send({udp::PingFrame{}});  // who goes on is told again
    CHECK(hand.heard.size() == 1);
  }
}

TEST_CASE("frames that nobody may send, and acknowledgements of nothing, end the session") {
  for (const Bytes& frames : {Bytes{0xff}, Bytes{0x30, 1, 1, 0}, Bytes{0x02, 50, 0, 0, 0}}) {
    UdpPair pair;
    UdpHand hand(pair, {});
    hand.send(frames);
    REQUIRE(pair.b.told.closed.has_value());
    CHECK(pair.b.told.closed->code == Code::kProtocolViolation);
  }
}

TEST_CASE("what stays within the rules is taken: ends, resets and stops in any order, and all of it twice") {
  UdpPair pair;
  UdpHand hand(pair, {});
  const Bytes text = {'a', 'b', 'c'};
  for (int i = 0; i < 2; ++i) {
    hand.send({udp::StreamFrame{0, 3, {}, true}, udp::StreamFrame{0, 0, text, false}});
    hand.send({udp::ResetFrame{2, 9, 3}, udp::StreamFrame{2, 0, text, false}});
    hand.send({udp::StopFrame{4, 9}, udp::MaxDataFrame{5}, udp::MaxStreamsFrame{5}, udp::MaxStreamDataFrame{4, 1}});
  }
  REQUIRE(pair.b.told.connection() != nullptr);
  REQUIRE(pair.b.told.streams.size() == 3);
  Connection& c = *pair.b.told.connection();
  CHECK(pair.b.told.inbox(c, pair.b.told.streams[0]).text == "abc");
  CHECK(pair.b.told.inbox(c, pair.b.told.streams[0]).ended);
  CHECK(pair.b.told.inbox(c, pair.b.told.streams[1]).reset == 9u);
  CHECK(pair.b.told.inbox(c, pair.b.told.streams[2]).stopped == 9u);
  hand.send({udp::CloseFrame{5, {}}});
  REQUIRE(pair.b.told.closed.has_value());
  CHECK(pair.b.told.closed->code == Code::kConnectionClosed);
  CHECK(pair.b.told.closed->detail == 5);
}

TEST_CASE("packets are sealed with AES where both ends have hardware for it, and with ChaCha20 otherwise") {
  for (const bool listener : {false, true}) {
    for (const bool dialer : {false, true}) {
      udp::Config config;
      config.aes = listener;
      UdpPair pair(config);
      udp::Parameters parameters;
      parameters.aes = dialer;
      UdpHand hand(pair, parameters);  // which follows the document
      CHECK(hand.theirs().aes == listener);
      hand.send({udp::MessageFrame{Delivery::kReliable, 0, 0, 2, 0, as_bytes("hi")}});
      REQUIRE(pair.b.messages.size() == 1);
      CHECK(pair.b.messages[0].second == "hi");
    }
  }
}

TEST_CASE("two ends with hardware for AES go through new keys as others do") {
  udp::Config config;
  config.aes = true;
  UdpPair pair(config);
  pair.dial(pair.b.key.peer_id());
  REQUIRE(pair.run_until([&] { return pair.up(); }));
  for (int i = 0; i < 3; ++i) {
    pair.run_until([] { return false; }, minutes(11));
    send_all(pair, "under key " + std::to_string(i));
    REQUIRE(pair.run_until([&] { return arrived(pair, "under key " + std::to_string(i), std::size_t(i)); }));
  }
}

TEST_CASE("one seed gives one run") {
  std::array<Bytes, 2> runs;
  for (Bytes& run : runs) {
    UdpPair pair;
    Rng rng(udp_seed(3));
    pair.filter = [&](Flight& flight) {
      run.insert(run.end(), flight.bytes.begin(), flight.bytes.end());
      return rng.below(20) != 0;
    };
    pair.connect();
    send_all(pair, pattern(100'000));
    pair.run_for(seconds(20));
  }
  CHECK(runs[0].size() > 100'000);
  CHECK(runs[0] == runs[1]);
}
