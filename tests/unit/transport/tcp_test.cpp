// An endpoint whose sockets do what the test says: what it does about it, and what it leaves behind.

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "support/hand_peer.hpp"
#include "support/tcp_end.hpp"
#include "support/yamux_end.hpp"
#include "transport/multistream/negotiation.hpp"
#include "transport/noise/noise_channel.hpp"
#include "transport/tcp/shared.hpp"
#include "transport/tls/tls_channel.hpp"

using namespace p2pa;
using test::TcpEnd;
using test::TcpEnds;

namespace {

using Kind = ConnectionEvent::Kind;
using State = TcpEnd::Socket::State;
using enum Security;
using Type = yamux::FrameType;
using Muxers = test::HandPeer::Muxers;

const Muxers kNoMuxers;

const std::vector<std::vector<Security>> kEither = {{kNoise}, {kTls}};
constexpr std::string_view kNa = "\x03na\n";
constexpr std::string_view kHeaderLine = "\x13/multistream/1.0.0\n", kNoiseLine = "\x07/noise\n";

Bytes operator+(ByteView a, ByteView b) {
  Bytes out(a.begin(), a.end());
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 7 + i / 251);
  return out;
}

/// A peer that is the test's from Noise upwards.
class HandPeer : public test::HandPeer {
 public:
  using test::HandPeer::HandPeer;

  /// Both sides talk until neither has more to say.
  void settle(TcpEnd& end, SocketId socket, Bytes first = {}) {
    for (Bytes out = std::move(first);;) {
      if (!out.empty()) end.bytes(socket, out);
      const Bytes heard = end.take(socket);
      if (heard.empty() && out.empty()) return;
      out = hear(heard);
    }
  }
};

/// An accepted connection whose dialer is the test, past its handshake.
struct Accepted {
  explicit Accepted(const Muxers& muxers = {"/yamux/1.0.0"})
      : end(1, {kNoise}), peer(true, muxers), socket(end.accept()) {
    peer.settle(end, socket, peer.begin());
    REQUIRE(peer.channel.established());
  }
  std::vector<test::YamuxFrame> frames() {
    peer.settle(end, socket);
    return test::frames_of(std::exchange(peer.plain, {}));
  }

  TcpEnd end;
  HandPeer peer;
  SocketId socket;
};

Error closed_error(const TcpEnd& end) {
  REQUIRE(end.told.closed.has_value());
  return *end.told.closed;
}

}  // namespace

// --- handshakes

TEST_CASE("who connects by TCP and says nothing, or all too slowly, is cut off in time") {
  const auto security = GENERATE(from_range(kEither));
  const std::string said = GENERATE(std::string(), std::string(kHeaderLine),
                                    std::string(kHeaderLine) + "\x07/noise\n\x10");
  TcpEnd end(1, security);
  const Instant begin = end.now;
  const SocketId socket = end.accept();
  CHECK(end.resources.usage().handshakes == 1);
  for (std::size_t i = 0; i < 9; ++i) {
    end.run_for(seconds(1));
    if (i < said.size()) end.bytes(socket, as_bytes(said).subspan(i, i < 8 ? 1 : std::dynamic_extent));
  }
  CHECK(end.state(socket) == State::kOpen);
  end.run_to(begin + seconds(10) - microseconds(1));
  CHECK(end.resources.usage().handshakes == 1);
  end.run_to(begin + seconds(10));
  CHECK(end.state(socket) == State::kAborted);
  CHECK(closed_error(end).code == Code::kTimeout);
  CHECK(end.is_unused());
}

TEST_CASE("a dial that nobody answers is given up in time, whatever it waits for") {
  const int stage = GENERATE(0, 1, 2);
  TcpEnd end(1, {kNoise});
  const Instant begin = end.now;
  end.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  end.settle();
  const SocketId socket = end.dialed();
  if (stage > 0) end.connected(socket);
  if (stage > 1) end.bytes(socket, as_bytes(std::string(kHeaderLine) + std::string(kNoiseLine)));
  end.run_to(begin + seconds(10) - microseconds(1));
  CHECK_FALSE(end.told.closed.has_value());
  end.run_to(begin + seconds(10));
  CHECK(end.state(socket) == State::kAborted);
  CHECK(closed_error(end).code == Code::kTimeout);
  CHECK(end.is_unused());
}

TEST_CASE("a secured peer that never says which muxer it wants ends as one that shakes hands") {
  Accepted accepted(kNoMuxers);
  CHECK(accepted.end.resources.usage().handshakes == 1);
  CHECK(accepted.end.told.count(Kind::kEstablished) == 0);
  accepted.end.run_for(seconds(11));
  CHECK(accepted.end.state(accepted.socket) == State::kAborted);
  CHECK(accepted.end.is_unused());
}

TEST_CASE("over the bound on handshakes an accepted socket is reset at once") {
  Limits limits;
  limits.handshakes_max = 3;
  limits.handshakes_per_ip_max = 2;
  TcpEnd end(1, {kNoise}, limits);
  const SocketId first = end.accept("192.0.2.8:1");
  end.accept("192.0.2.8:2");
  CHECK(end.state(end.accept("192.0.2.8:3")) == State::kAborted);  // of one address
  CHECK(end.state(end.accept("192.0.2.9:1")) == State::kOpen);
  CHECK(end.state(end.accept("192.0.2.10:1")) == State::kAborted);  // of all
  CHECK(end.endpoint.connections_count() == 3);
  end.lost(first);
  CHECK(end.state(end.accept("192.0.2.10:2")) == State::kOpen);
  end.run_for(seconds(11));
  CHECK(end.is_unused());
}

TEST_CASE("what is not multistream ends a connection before anything is answered") {
  const std::string garbage = GENERATE("GET / HTTP/1.1\r\n" + std::string(60, 'x'), std::string(1, '\0'),
                                       std::string("\x13/multistream/9.9.9\n"), std::string(10, '\xff'),
                                       std::string(kHeaderLine) + "\x07/noiseX");
  const std::size_t cut = GENERATE(std::size_t{1}, std::size_t{1000});
  TcpEnd end(1, {kNoise, kTls});
  const SocketId socket = end.accept();
  for (std::size_t at = 0; at < garbage.size() && end.state(socket) == State::kOpen; at += cut) {
    end.bytes(socket, as_bytes(garbage).subspan(at, std::min(cut, garbage.size() - at)));
  }
  CHECK(end.state(socket) == State::kFinished);
  CHECK(closed_error(end).code == Code::kNegotiation);
  CHECK(end.is_unused());
}

TEST_CASE("a listener answers proposals it does not know, and gives up after many") {
  TcpEnd end(1, {kNoise});
  const SocketId socket = end.accept();
  end.bytes(socket, as_bytes(std::string(kHeaderLine) + "\x0b/tls/1.0.0\n"));
  CHECK(as_text(end.take(socket)) == std::string(kHeaderLine) + std::string(kNa));
  CHECK(end.state(socket) == State::kOpen);
  for (int i = 1; i < multistream::kProposalsMax; ++i) end.bytes(socket, as_bytes("\x0b/tls/1.0.0\n"));
  CHECK(end.state(socket) == State::kOpen);
  end.bytes(socket, as_bytes("\x0b/tls/1.0.0\n"));
  CHECK(end.state(socket) == State::kFinished);
  CHECK(end.is_unused());
}

TEST_CASE("a handshake message of the largest size that is nonsense is put together and refused") {
  TcpEnd end(1, {kNoise});
  const SocketId socket = end.accept();
  end.bytes(socket, as_bytes(std::string(kHeaderLine) + std::string(kNoiseLine)));
  const Bytes message(SecureChannel::kRecordBytesMax, 0xff);
  const std::size_t cut = GENERATE(std::size_t{777}, std::size_t{65'536}, std::size_t{200'000});
  for (std::size_t at = 0; at < message.size(); at += cut) {
    CHECK(end.state(socket) == State::kOpen);
    end.bytes(socket, ByteView(message).subspan(at, std::min(cut, message.size() - at)));
  }
  CHECK(end.state(socket) == State::kFinished);
  CHECK(end.is_unused());
}

TEST_CASE("more than any record is never kept, whatever state a connection is in") {
  const auto security = GENERATE(from_range(kEither));
  TcpEnd end(1, security);
  const Bytes flood(SecureChannel::kRecordBytesMax + 1, 0x16);
  end.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  end.settle();
  const SocketId dialed = end.dialed();
  end.bytes(dialed, flood);  // no driver does: it is not connected
  CHECK(end.state(dialed) == State::kAborted);
  const SocketId accepted = end.accept();
  end.bytes(accepted, as_bytes(std::string(kHeaderLine) +
                               (security[0] == kTls ? "\x0b/tls/1.0.0\n" : std::string(kNoiseLine))));
  end.bytes(accepted, flood);
  CHECK(end.state(accepted) == State::kFinished);
  CHECK(end.is_unused());
}

// --- the next security

TEST_CASE("who refuses what secures a connection is dialed again for the next, and that is all there is") {
  const int how = GENERATE(0, 1, 2);  // `na`; it hangs up; it resets
  TcpEnd end(1, {kNoise, kTls});
  const Instant begin = end.now;
  Connection& connection = end.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  end.settle();
  const auto refuse = [&](SocketId socket) {
    if (how == 0) end.bytes(socket, as_bytes(std::string(kHeaderLine) + std::string(kNa)));
    if (how == 1) end.end(socket);
    if (how == 2) end.lost(socket);
  };
  const SocketId first = end.dialed();
  end.connected(first);
  CHECK(as_text(end.take(first)).substr(0, 29) == std::string(kHeaderLine) + std::string(kNoiseLine) + '\0');
  end.run_for(seconds(4));
  refuse(first);
  if (how != 2) CHECK(end.state(first) == State::kAborted);
  const SocketId second = end.dialed();
  REQUIRE(second != first);
  CHECK(end.state(second) == State::kConnecting);
  end.bytes(first, as_bytes("late"));  // nobody listens there any more
  end.connected(second);
  CHECK(as_text(end.take(second)).substr(0, 35) == std::string(kHeaderLine) + "\x0b/tls/1.0.0\n\x16\x03\x01");
  CHECK(end.endpoint.next_deadline() <= begin + seconds(10));
  CHECK_FALSE(connection.established());
  refuse(second);
  CHECK(end.dialed() == second);
  const Code codes[] = {Code::kProtocolUnsupported, Code::kConnectionClosed, Code::kConnectionLost};
  CHECK(closed_error(end).code == codes[how]);
  CHECK(end.told.events.size() == 1);
  CHECK(end.is_unused());
}

TEST_CASE("a peer that agreed on what secures the connection and then goes wrong is not asked again") {
  const int how = GENERATE(0, 1, 2);
  TcpEnd end(1, {kNoise, kTls});
  end.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  end.settle();
  const SocketId socket = end.dialed();
  end.connected(socket);
  end.bytes(socket, as_bytes(std::string(kHeaderLine) + std::string(kNoiseLine)));
  if (how == 0) end.bytes(socket, Bytes(100, 0));
  if (how == 1) end.end(socket);
  if (how == 2) end.lost(socket);
  CHECK(end.dialed() == socket);
  CHECK(end.told.closed.has_value());
  CHECK(end.is_unused());
}

TEST_CASE("the second security makes a connection like the first") {
  TcpEnds ends({kNoise, kTls}, {kTls});
  Connection& connection = ends.a.dial(ends.b.key.peer_id());
  ends.a.settle();
  for (int attempt = 0; attempt < 2; ++attempt) {
    ends.join(ends.a.dialed());
    ends.run();
  }
  REQUIRE(connection.established());
  CHECK(connection.local_address() == Multiaddr::parse("/ip4/192.0.2.1/tcp/50000"));
  CHECK(connection.remote_address() == Multiaddr::parse("/ip4/192.0.2.9/tcp/4001"));
  CHECK(ends.b.told.count(Kind::kEstablished) == 1);
  CHECK(ends.b.told.count(Kind::kClosed) == 1);
  CHECK(ends.b.resources.usage().handshakes == 0);
}

TEST_CASE("somebody else than was dialed is refused, by either security") {
  const auto security = GENERATE(from_range(kEither));
  TcpEnds ends(security, security);
  ends.a.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  ends.a.settle();
  ends.join(ends.a.dialed());
  ends.run();
  CHECK(closed_error(ends.a).code == Code::kPeerIdMismatch);
  CHECK(ends.a.told.count(Kind::kEstablished) == 0);
  CHECK(ends.b.told.closed.has_value());
  CHECK(ends.a.is_unused());
  CHECK(ends.b.is_unused());
}

// --- muxers

TEST_CASE("a muxer that the handshake does not agree on is agreed on behind it") {
  Accepted accepted(kNoMuxers);
  Bytes proposal;
  multistream::Negotiation muxer;
  muxer.propose("/yamux/1.0.0", proposal);
  // The first stream comes with the proposal.
  proposal = proposal + test::bytes_of({Type::kData, yamux::kSyn | yamux::kFin, 1, 5}, as_bytes("hello"));
  for (const std::uint8_t byte : proposal) {
    accepted.end.bytes(accepted.socket, accepted.peer.seal(ByteView(&byte, 1)));
  }
  REQUIRE(accepted.end.told.streams.size() == 1);
  CHECK(accepted.end.told.inboxes.begin()->second.text == "hello");
  CHECK(accepted.end.resources.usage().handshakes == 0);
  accepted.peer.settle(accepted.end, accepted.socket);
  const auto progress = muxer.advance(accepted.peer.plain, {}, proposal);
  REQUIRE(progress);
  CHECK(progress->finished);
  CHECK(test::frames_of(ByteView(accepted.peer.plain).subspan(progress->consumed)).size() == 2);  // ping, ACK
}

TEST_CASE("a muxer that nobody has ends the connection, and the other end hears why") {
  Accepted accepted(kNoMuxers);
  Bytes proposal;
  multistream::Negotiation muxer;
  muxer.propose("/mplex/6.7.0", proposal);
  accepted.end.bytes(accepted.socket, accepted.peer.seal(proposal));
  accepted.peer.settle(accepted.end, accepted.socket);
  CHECK(as_text(accepted.peer.plain) == std::string(kHeaderLine) + std::string(kNa));
  accepted.end.run_for(seconds(11));
  CHECK(accepted.end.is_unused());
}

// --- what a peer does later

TEST_CASE("an echo comes back whole however the bytes of the connection are cut") {
  const auto security = GENERATE(from_range(kEither));
  const std::size_t cut = GENERATE(std::size_t{1}, std::size_t{1000}, std::size_t{65'000}, SIZE_MAX);
  TcpEnds ends(security, security);
  Connection& connection = ends.connect(cut);
  ends.b.told.echo = true;
  const std::string text = pattern(cut == 1 ? 70'000 : 200'000);
  const StreamId stream = *connection.open_stream(false);
  REQUIRE(connection.write(stream, as_bytes(text)) == text.size());
  connection.finish(stream);
  ends.run(cut);
  test::Inbox& back = ends.a.told.inbox(connection, stream);
  CHECK((back.text == text));
  CHECK(back.closed);
  connection.close(7, "");
  ends.run(cut);
  CHECK(closed_error(ends.b).detail == 7);
  CHECK(ends.a.is_unused());
  CHECK(ends.b.is_unused());
}

TEST_CASE("a violation of Yamux is answered with a goodbye that says so") {
  Accepted accepted;
  accepted.frames();
  accepted.end.bytes(accepted.socket, accepted.peer.seal(as_bytes("GET / HTTP/1.1\r\n\r\n")));
  const auto said = accepted.frames();
  REQUIRE(said.size() == 1);
  CHECK(said[0].head == yamux::Frame{Type::kGoAway, 0, 0, yamux::kGoAwayProtocolError});
  CHECK(accepted.end.state(accepted.socket) == State::kFinished);
  CHECK(closed_error(accepted.end).code == Code::kProtocolViolation);
  CHECK(accepted.end.is_unused());
}

TEST_CASE("who reads no answers is cut off with the code for it") {
  Accepted accepted;
  accepted.frames();
  accepted.end.swift = false;
  accepted.end.bytes(accepted.socket, accepted.peer.seal(test::bytes_of({Type::kPing, yamux::kSyn, 0, 1})));
  Bytes pings;
  for (std::uint32_t i = 0; i <= yamux::kAnswersMax; ++i) {
    pings = pings + test::bytes_of({Type::kPing, yamux::kSyn, 0, i});
  }
  accepted.end.bytes(accepted.socket, accepted.peer.seal(pings));
  CHECK(closed_error(accepted.end).code == Code::kRateLimited);
  accepted.end.written(accepted.socket);
  accepted.end.written(accepted.socket);
  CHECK(accepted.frames().back().head == yamux::Frame{Type::kGoAway, 0, 0, wire_code::kConnRateLimited});
  CHECK(accepted.end.state(accepted.socket) == State::kFinished);
}

TEST_CASE("a peer that makes a layer answer without end, and takes no answer, is cut off") {
  TcpEnd end(1, {kNoise});
  end.listen_on({.remote = {}, .websocket = true});
  const SocketId socket = end.accept();
  end.bytes(socket, as_bytes("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
  end.swift = false;
  Bytes ping{0x89, 0x80 | 125, 0, 0, 0, 0};
  ping.resize(ping.size() + 125);
  const std::size_t pong = 2 + 125, enough = tcp::Shared::kDressedMax / pong + 2;
  std::size_t sent = 0;
  while (end.endpoint.connections_count() == 1 && sent < 2 * enough) {
    end.bytes(socket, ping);
    ++sent;
  }
  CHECK(sent > tcp::Shared::kDressedMax / pong);
  CHECK(sent <= enough);
  CHECK(end.told.connections.empty());
}

TEST_CASE("a record that cannot be opened ends the connection, and nothing is sealed for its sender") {
  const auto security = GENERATE(from_range(kEither));
  TcpEnds ends(security, security);
  ends.connect();
  const bool noise = security[0] == kNoise;
  Bytes record = {0x17, 0x03, 0x03, 0x00, 0x20};
  if (noise) record = {0x00, 0x20};
  ends.b.bytes(ends.at_b, record + Bytes(0x20, 0xaa));
  CHECK(closed_error(ends.b).code == Code::kProtocolViolation);
  CHECK(ends.b.state(ends.at_b) == State::kFinished);
  CHECK(ends.b.take(ends.at_b).empty() == noise);  // TLS has an alert for it
  CHECK(ends.b.is_unused());
}

TEST_CASE("a peer that falls silent is lost after the idle time-out, and its socket reset") {
  TcpEnds ends({kNoise}, {kNoise});
  ends.connect();
  const Instant begin = ends.b.now;
  ends.b.run_to(begin + seconds(30) - microseconds(1));
  CHECK_FALSE(ends.b.told.closed.has_value());
  ends.b.run_to(begin + seconds(30));
  CHECK(closed_error(ends.b).code == Code::kConnectionLost);
  CHECK(ends.b.state(ends.at_b) == State::kAborted);
  CHECK(ends.b.is_unused());
}

TEST_CASE("the end of the peer's bytes ends a connection, in every state") {
  TcpEnd end(1, {kNoise});
  end.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  end.settle();
  end.end(end.dialed());
  CHECK(end.state(end.dialed()) == State::kAborted);  // there is nobody to say goodbye to
  CHECK(closed_error(end).code == Code::kConnectionClosed);
  const SocketId mute = end.accept();
  end.end(mute);
  CHECK(end.state(mute) == State::kFinished);
  Accepted secured(kNoMuxers);
  secured.end.end(secured.socket);
  CHECK(secured.end.state(secured.socket) == State::kFinished);
  CHECK(secured.end.is_unused());
  Accepted open;
  open.end.end(open.socket);
  CHECK(open.end.state(open.socket) == State::kFinished);
  CHECK(closed_error(open.end).code == Code::kConnectionClosed);
  CHECK(open.end.is_unused());
  CHECK(end.is_unused());
}

TEST_CASE("a socket that is lost ends a connection, in every state, and nothing is asked of it") {
  TcpEnd end(1, {kNoise});
  end.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  end.settle();
  end.lost(end.dialed());
  CHECK(closed_error(end).code == Code::kConnectionLost);
  CHECK(closed_error(end).detail == 104);
  end.lost(end.accept());
  CHECK(end.is_unused());
  Accepted secured(kNoMuxers), open;
  for (Accepted* const accepted : {&secured, &open}) {
    accepted->end.lost(accepted->socket);
    CHECK(closed_error(accepted->end).code == Code::kConnectionLost);
    CHECK(accepted->end.is_unused());
  }
}

TEST_CASE("what a socket does after its connection closed is nobody's concern") {
  TcpEnds ends({kNoise}, {kNoise});
  Connection& connection = ends.connect();
  connection.close(1, "");
  ends.a.settle();
  CHECK(ends.a.state(ends.at_a) == State::kFinished);
  const std::size_t told = ends.a.told.events.size();
  ends.a.bytes(ends.at_a, Bytes(100, 1));
  ends.a.end(ends.at_a);
  ends.a.written(ends.at_a);
  ends.a.lost(ends.at_a);
  ends.a.run_for(minutes(1));
  CHECK(ends.a.told.events.size() == told);
  CHECK(ends.a.is_unused());
}

// --- goodbyes

TEST_CASE("the goodbye is written behind what is under way, and then our direction ends") {
  TcpEnds ends({kNoise}, {kNoise});
  Connection& connection = ends.connect();
  ends.a.swift = false;
  const StreamId stream = *connection.open_stream(false);
  REQUIRE(connection.write(stream, as_bytes("hello")) == 5u);
  ends.a.settle();
  CHECK(ends.a.sockets.at(ends.at_a).writing);
  connection.close(0x1006, "");
  ends.a.settle();
  CHECK(ends.a.state(ends.at_a) == State::kOpen);
  CHECK(closed_error(ends.a).detail == 0x1006);
  CHECK(ends.a.is_unused());
  ends.a.written(ends.at_a);
  CHECK(ends.a.sockets.at(ends.at_a).writing);  // the goodbye
  CHECK(ends.a.state(ends.at_a) == State::kOpen);
  ends.a.written(ends.at_a);
  CHECK(ends.a.state(ends.at_a) == State::kFinished);
  ends.run();
  REQUIRE(ends.b.told.inboxes.size() == 1);
  CHECK(ends.b.told.inboxes.begin()->second.text == "hello");
  CHECK(closed_error(ends.b).code == Code::kConnectionClosed);
  CHECK(closed_error(ends.b).detail == 0x1006);
  CHECK(ends.a.endpoint.next_deadline() == kNever);
}

TEST_CASE("a peer that does not read our goodbye is reset after a while") {
  const bool under_way = GENERATE(false, true);
  TcpEnds ends({kNoise}, {kNoise});
  Connection& connection = ends.connect();
  ends.a.swift = false;
  if (under_way) {
    REQUIRE(connection.write(*connection.open_stream(false), as_bytes("hello")) == 5u);
    ends.a.settle();
  }
  const Instant begin = ends.a.now;
  connection.close(1, "");
  ends.a.settle();
  CHECK(ends.a.endpoint.next_deadline() == begin + tcp::kFarewellTimeout);
  ends.a.run_to(begin + tcp::kFarewellTimeout - microseconds(1));
  CHECK(ends.a.state(ends.at_a) == State::kOpen);
  ends.a.run_to(begin + tcp::kFarewellTimeout);
  CHECK(ends.a.state(ends.at_a) == State::kAborted);
  CHECK(ends.a.endpoint.next_deadline() == kNever);
  ends.a.written(ends.at_a);
}

TEST_CASE("a socket that is lost before it took our goodbye is forgotten") {
  TcpEnds ends({kNoise}, {kNoise});
  ends.connect().close(1, "");
  ends.a.swift = false;
  ends.a.settle();
  ends.a.end(ends.at_a);
  ends.a.bytes(ends.at_a, Bytes(10, 1));
  CHECK(ends.a.endpoint.next_deadline() != kNever);
  ends.a.lost(ends.at_a);
  CHECK(ends.a.endpoint.next_deadline() == kNever);
  ends.a.run_for(minutes(1));
  CHECK(ends.a.state(ends.at_a) == State::kLost);
}

TEST_CASE("goodbyes that nobody reads do not pile up: the oldest peer is reset") {
  Limits limits;
  limits.handshakes_per_ip_max = limits.handshakes_max = 1000;
  TcpEnd end(1, {kNoise}, limits);
  end.swift = false;
  std::vector<SocketId> sockets;
  const auto leave = [&] {
    sockets.push_back(end.accept());
    end.bytes(sockets.back(), as_bytes(kHeaderLine));
    CHECK(end.sockets.at(sockets.back()).writing);
    end.bytes(sockets.back(), Bytes(10, 0xff));
    CHECK(end.state(sockets.back()) == State::kOpen);
    end.now = end.now + milliseconds(1);
  };
  while (sockets.size() < tcp::kFarewellsMax) leave();
  CHECK(end.is_unused());
  CHECK(end.state(sockets[0]) == State::kOpen);
  leave();
  CHECK(end.state(sockets[0]) == State::kAborted);
  CHECK(end.state(sockets[1]) == State::kOpen);
  end.written(sockets[1]);
  CHECK(end.state(sockets[1]) == State::kFinished);
  leave();
  CHECK(end.state(sockets[2]) == State::kOpen);
  end.run_for(tcp::kFarewellTimeout);
  CHECK(end.state(sockets.back()) == State::kAborted);
  CHECK(end.endpoint.next_deadline() == kNever);
}

TEST_CASE("both may close at once") {
  const auto security = GENERATE(from_range(kEither));
  TcpEnds ends(security, security);
  ends.connect();
  ends.dialer().close(1, "");
  ends.listener().close(2, "");
  ends.run();
  CHECK(closed_error(ends.a).detail == 1);
  CHECK(closed_error(ends.b).detail == 2);
  CHECK(ends.a.is_unused());
  CHECK(ends.b.is_unused());
}

TEST_CASE("a connection may be closed while it is dialed or shakes hands") {
  const int stage = GENERATE(0, 1, 2);
  TcpEnd end(1, {kNoise, kTls});
  Connection& connection = end.dial(KeyPair::from_seed(Bytes(32, 9)).peer_id());
  if (stage > 0) end.settle();
  if (stage > 1) end.connected(end.dialed());
  connection.close(3, "");
  end.settle();
  CHECK(end.state(end.dialed()) == (stage > 1 ? State::kFinished : State::kAborted));
  CHECK(closed_error(end).code == Code::kClosed);
  CHECK(end.is_unused());
}

TEST_CASE("an endpoint that goes leaves nothing of its connections behind") {
  Limits limits;
  resource::Manager resources(limits);
  const KeyPair key = KeyPair::from_seed(Bytes(32, 1));
  Rng rng(Bytes(32, 2));
  SocketNumbers numbers;
  {
    tcp::Endpoint endpoint(key, rng, resources, numbers, {});
    SocketEvent event{.kind = SocketEvent::Kind::kAccepted, .socket = kAcceptedSockets};
    endpoint.handle({1}, event);
    REQUIRE(endpoint.dial({1}, {*Multiaddr::parse("/ip4/192.0.2.9/tcp/4001"), key.peer_id(), true}));
    CHECK(resources.usage().handshakes == 1);
  }
  CHECK(resources.usage() == LimitUsage{});
}
