#include "io/tcp_sockets.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "system_calls.hpp"
#include "tcp_peer.hpp"

namespace p2pa::io {
namespace {

using Kind = SocketEvent::Kind;

constexpr SocketId kListener = 1, kFirst = 2, kSecond = 3;

std::size_t descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

/// What a core would have heard.
struct Told {
  Kind kind;
  SocketId socket, listener;
  IpEndpoint local, remote;
  Bytes bytes;
  Error error;
};

/// The driver's side: time is what the test says, and the loop sleeps only for what must come.
struct Host {
  Host() : loop(UvLoop::make().value()), tcp(std::make_unique<TcpSockets>(*loop, [this](const auto& e) {
    told.push_back({e.kind, e.socket, e.listener, e.local, e.remote, {e.bytes.begin(), e.bytes.end()},
                    e.error});
  })) {}

  void turn() {
    loop->collect();
    tcp->work(now);
    tcp->on_deadline(now);
  }
  template <class Condition>
  bool until(Condition&& condition) {
    const Instant end = UvLoop::now() + seconds(20);
    while (!condition() && UvLoop::now() < end) {
      if (!tcp->has_work() && !loop->stale()) loop->wait(seconds(1));
      turn();
    }
    return condition();
  }
  bool until(Kind kind, SocketId socket = 0) {
    return until([&] { return count(kind, socket) > 0; });
  }
  /// Nothing more to do, and nothing keeps the loop awake.
  bool sleeps() {
    loop->collect();
    return !tcp->has_work() && !loop->wait(Duration{1});
  }

  std::size_t count(Kind kind, SocketId socket = 0) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        told, [&](const Told& t) { return t.kind == kind && (socket == 0 || t.socket == socket); }));
  }
  const Told& last(Kind kind) const {
    const auto it = std::find_if(told.rbegin(), told.rend(), [&](const Told& t) { return t.kind == kind; });
    REQUIRE(it != told.rend());
    return *it;
  }
  Bytes bytes_of(SocketId socket) const {
    Bytes out;
    for (const Told& t : told) {
      if (t.kind == Kind::kBytes && t.socket == socket) out.insert(out.end(), t.bytes.begin(), t.bytes.end());
    }
    return out;
  }

  IpEndpoint listen(bool v6 = false) { return tcp->listen(kListener, loopback(v6)).value(); }
  /// A connection that this host accepted.
  SocketId accepted() {
    const std::size_t before = count(Kind::kAccepted);
    REQUIRE(until([&] { return count(Kind::kAccepted) > before; }));
    return last(Kind::kAccepted).socket;
  }
  /// One that it made, to a peer that takes `buffer_bytes` without reading.
  TcpPeer connected(SocketId id, int buffer_bytes = 0) {
    const auto listening = TcpPeer::listen(loopback(), buffer_bytes);
    tcp->connect(id, listening.local());
    REQUIRE(until(Kind::kConnected, id));
    return listening.accept();
  }
  void write(SocketId id, ByteView bytes) {
    std::ranges::copy(bytes, tcp->space().begin());
    tcp->write(id, tcp->space().first(bytes.size()));
  }
  /// Writes until one is not answered at once; answers how many bytes that makes.
  std::size_t fill(SocketId id) {
    const Bytes bytes = pattern(TcpSockets::kWriteBytesMax);
    std::size_t total = 0, before = 0;
    do {
      before = count(Kind::kWritten, id);
      write(id, bytes);
      total += bytes.size();
    } while (count(Kind::kWritten, id) > before);
    return total;
  }

  Instant now{1'000'000'000};
  std::vector<Told> told;
  std::unique_ptr<UvLoop> loop;
  std::unique_ptr<TcpSockets> tcp;
};

constexpr int kSmall = 4096;

// --- connections

TEST_CASE("two hosts connect and both hear with which addresses") {
  const bool v6 = GENERATE(false, true);
  Host server, client;
  const IpEndpoint at = server.listen(v6);
  CHECK(server.tcp->listens());
  client.tcp->connect(kFirst, at);
  CHECK(client.until(Kind::kConnected));
  const SocketId accepted = server.accepted();
  CHECK(accepted >= kAcceptedSockets);
  const Told& there = server.last(Kind::kAccepted);
  const Told& here = client.last(Kind::kConnected);
  CHECK(there.listener == kListener);
  CHECK(there.local == at);
  CHECK(here.remote == at);
  CHECK(there.remote == here.local);

  client.write(kFirst, pattern(1000));
  CHECK(client.count(Kind::kWritten, kFirst) == 1);
  CHECK(server.until([&] { return server.bytes_of(accepted) == pattern(1000); }));
  server.write(accepted, pattern(2000));
  CHECK(client.until([&] { return client.bytes_of(kFirst) == pattern(2000); }));
  CHECK(server.sleeps());
  CHECK(client.sleeps());
}

TEST_CASE("accepted sockets have numbers of their own") {
  Host host;
  const IpEndpoint at = host.listen();
  const TcpPeer first = TcpPeer::connect(at), second = TcpPeer::connect(at);
  host.accepted();
  REQUIRE(host.until([&] { return host.count(Kind::kAccepted) == 2; }));
  CHECK(host.told[0].socket != host.told[1].socket);
}

TEST_CASE("a connection that is refused is lost, and its number can be used again") {
  Host host;
  auto listening = TcpPeer::listen(loopback());
  const IpEndpoint gone = listening.local();
  listening.close();
  host.tcp->connect(kFirst, gone);
  REQUIRE(host.until(Kind::kLost, kFirst));
  CHECK(host.last(Kind::kLost).error == Error{Code::kUnreachable, ECONNREFUSED, ""});
  host.connected(kFirst);
  CHECK(host.told.size() == 2);
}

TEST_CASE("a connect that fails later is lost, and its socket is closed") {
  Host host;
  const std::size_t before = descriptors();
  {
    const FreshSystemCalls fresh;
    system_calls().refuse_connect = [] { return EINPROGRESS; };  // nothing was sent: it never answers
    host.tcp->connect(kFirst, loopback(false, 9));
  }
  CHECK(host.told.empty());
  CHECK(descriptors() == before + 1);
  host.tcp->finish(kFirst, host.now);  // there is nothing to wait for
  CHECK(descriptors() == before);
  host.turn();
  CHECK(host.told.empty());
}

TEST_CASE("a port in use is refused with its errno") {
  Host host;
  const IpEndpoint at = host.listen();
  const auto refused = host.tcp->listen(kSecond, at);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == Error{Code::kIo, EADDRINUSE, ""});
}

TEST_CASE("a closed listener takes nobody, and its connections stay") {
  Host host;
  const IpEndpoint at = host.listen();
  const TcpPeer peer = TcpPeer::connect(at);
  const SocketId id = host.accepted();
  host.tcp->close_listener(kListener);
  CHECK_FALSE(host.tcp->listens());
  host.tcp->connect(kFirst, at);
  CHECK(host.until(Kind::kLost, kFirst));
  peer.write(pattern(10));
  CHECK(host.until([&] { return host.bytes_of(id) == pattern(10); }));
}

TEST_CASE("a listener accepts a bounded number a turn, and all of them in the end") {
  Host host;
  const IpEndpoint at = host.listen();
  std::vector<TcpPeer> peers;
  for (int i = 0; i < TcpSockets::kAcceptsPerTurnMax + 1; ++i) peers.push_back(TcpPeer::connect(at));
  host.turn();
  CHECK(host.told.size() == TcpSockets::kAcceptsPerTurnMax);
  CHECK(host.tcp->has_work());
  host.tcp->work(host.now);
  CHECK(host.told.size() == TcpSockets::kAcceptsPerTurnMax + 1);
}

TEST_CASE("out of descriptors a listener rests, and takes who waited after a while") {
  const FreshSystemCalls fresh;
  Host host;
  const TcpPeer peer = TcpPeer::connect(host.listen());
  system_calls().refuse_accept = [] { return EMFILE; };
  REQUIRE(host.until([&] { return host.tcp->next_deadline() != kNever; }));
  CHECK(host.tcp->next_deadline() == host.now + TcpSockets::kAcceptPause);
  CHECK(host.sleeps());
  system_calls().refuse_accept = nullptr;
  CHECK(host.sleeps());
  host.now = host.tcp->next_deadline();
  host.tcp->on_deadline(host.now);
  CHECK(host.tcp->next_deadline() == kNever);
  host.accepted();
}

TEST_CASE("all sockets are closed with their owner") {
  { const Host first; }  // libuv keeps two descriptors for the whole process
  const std::size_t before = descriptors();
  {
    Host host;
    const IpEndpoint at = host.listen();
    TcpPeer peer = TcpPeer::connect(at);
    host.tcp->finish(host.accepted(), host.now);
    TcpPeer other = host.connected(kFirst);
    host.tcp.reset();
    CHECK(peer.read(1).empty());
    CHECK(other.read(1).empty());
    CHECK(peer.at_end());
    CHECK(other.at_end());
  }
  CHECK(descriptors() == before);
}

// --- reading

TEST_CASE("a flood from one peer does not hold up the others") {
  Host host;
  const TcpPeer loud = host.connected(kFirst), quiet = host.connected(kSecond);
  const Bytes flood = pattern(64 * 1024);
  for (int i = 0; i < 8; ++i) loud.write(flood);
  quiet.write(pattern(10));
  host.turn();
  host.turn();
  CHECK(host.bytes_of(kSecond) == pattern(10));
  for (const Told& t : host.told) CHECK(t.bytes.size() <= TcpSockets::kReadBytesMax);
  CHECK(host.until([&] { return host.bytes_of(kFirst).size() == 8 * flood.size(); }));
  CHECK(host.sleeps());
}

TEST_CASE("more sockets than one turn serves are all heard") {
  constexpr SocketId kCount = TcpSockets::kServedPerTurnMax + 1;
  Host host;
  std::vector<TcpPeer> peers;
  for (SocketId id = kFirst; id < kFirst + kCount; ++id) peers.push_back(host.connected(id));
  for (const TcpPeer& peer : peers) peer.write(pattern(10));
  host.told.clear();
  host.turn();
  CHECK(host.count(Kind::kBytes) == TcpSockets::kServedPerTurnMax);
  CHECK(host.tcp->has_work());
  host.tcp->work(host.now);
  CHECK(host.count(Kind::kBytes) == kCount);
  CHECK_FALSE(host.tcp->has_work());
}

TEST_CASE("a message costs one read, and none more to find out that it was all") {
  const FreshSystemCalls fresh;
  Host host;
  const TcpPeer peer = host.connected(kFirst);
  peer.write(pattern(10));
  host.turn();
  CHECK(host.count(Kind::kBytes) == 1);
  CHECK(system_calls().recv == 1);
}

TEST_CASE("the socket that received last is read again without asking the loop") {
  Host host;
  const TcpPeer peer = host.connected(kFirst);
  CHECK_FALSE(host.tcp->receive_again());
  peer.write(pattern(10));
  host.turn();
  CHECK_FALSE(host.tcp->receive_again());
  peer.write(pattern(20));
  CHECK(host.tcp->receive_again());
  CHECK(host.last(Kind::kBytes).bytes == pattern(20));
  host.tcp->reset(kFirst);
  CHECK_FALSE(host.tcp->receive_again());
}

TEST_CASE("the peer's end is told once, after its bytes, and leaves our direction open") {
  Host host;
  TcpPeer peer = host.connected(kFirst);
  peer.write(pattern(10));
  peer.finish();
  REQUIRE(host.until(Kind::kEnd));
  CHECK(host.bytes_of(kFirst) == pattern(10));
  CHECK(host.sleeps());
  CHECK_FALSE(host.tcp->receive_again());
  host.write(kFirst, pattern(20));
  CHECK(host.count(Kind::kWritten) == 1);
  CHECK(peer.read_exactly(20) == pattern(20));
  host.turn();
  CHECK(host.count(Kind::kEnd) == 1);
}

TEST_CASE("a peer's reset is told after its bytes, as the last of that socket") {
  Host host;
  TcpPeer peer = host.connected(kFirst);
  const std::size_t open = descriptors();
  peer.write(pattern(10));
  peer.reset();
  REQUIRE(host.until(Kind::kLost, kFirst));
  CHECK(host.bytes_of(kFirst) == pattern(10));
  CHECK(host.told.back().kind == Kind::kLost);
  CHECK(host.told.back().error == Error{Code::kConnectionLost, ECONNRESET, ""});
  CHECK(descriptors() == open - 2);  // the peer's and ours
  host.write(kFirst, pattern(10));
  host.tcp->finish(kFirst, host.now);
  host.tcp->reset(kFirst);
  host.turn();
  CHECK(host.told.back().kind == Kind::kLost);
  CHECK(host.sleeps());
}

// --- writing

TEST_CASE("a write that the system takes at once is answered before it returns") {
  const FreshSystemCalls fresh;
  Host host;
  TcpPeer peer = host.connected(kFirst);
  for (std::size_t i = 1; i <= 3; ++i) {
    host.write(kFirst, pattern(1000));
    CHECK(host.count(Kind::kWritten) == i);
  }
  CHECK(system_calls().send == 3);
  CHECK(peer.read_exactly(3000).size() == 3000);
}

TEST_CASE("what a slow reader leaves waits in one place, keeps nobody awake, and arrives") {
  Host host;
  TcpPeer slow = host.connected(kFirst, kSmall);
  TcpPeer quick = host.connected(kSecond);
  const std::size_t total = host.fill(kFirst);
  const std::size_t answered = host.count(Kind::kWritten, kFirst);
  host.turn();
  CHECK(host.sleeps());

  host.write(kSecond, pattern(100));
  CHECK(host.count(Kind::kWritten, kSecond) == 1);
  CHECK(quick.read_exactly(100) == pattern(100));
  slow.write(pattern(50));  // and it is still read
  CHECK(host.until([&] { return host.bytes_of(kFirst) == pattern(50); }));

  Bytes arrived;
  while (arrived.size() < total) {
    const Bytes part = slow.read(total - arrived.size());
    REQUIRE_FALSE(part.empty());
    arrived.insert(arrived.end(), part.begin(), part.end());
    host.turn();
  }
  const Bytes each = pattern(TcpSockets::kWriteBytesMax);
  for (std::size_t i = 0; i < total; i += each.size()) {
    REQUIRE(std::equal(each.begin(), each.end(), arrived.begin() + static_cast<std::ptrdiff_t>(i)));
  }
  CHECK(host.until([&] { return host.count(Kind::kWritten, kFirst) == answered + 1; }));
  CHECK(host.sleeps());
  host.write(kFirst, pattern(7));
  CHECK(slow.read_exactly(7) == pattern(7));
}

TEST_CASE("a peer that resets while bytes wait for it is lost") {
  Host host;
  TcpPeer slow = host.connected(kFirst, kSmall);
  const bool ended = GENERATE(false, true);
  if (ended) {
    slow.finish();
    REQUIRE(host.until(Kind::kEnd));
  }
  host.fill(kFirst);
  slow.reset();
  CHECK(host.until(Kind::kLost, kFirst));
  CHECK(host.last(Kind::kLost).error.code == Code::kConnectionLost);
  CHECK(host.sleeps());
}

TEST_CASE("what the peer said before it left is told although it cannot be written to") {
  Host host;
  TcpPeer peer = host.connected(kFirst);
  peer.write(pattern(10));
  peer.close();
  host.write(kFirst, pattern(1));  // the peer's system answers with a reset
  host.write(kFirst, pattern(1));
  CHECK(host.count(Kind::kLost) == 0);
  REQUIRE(host.until(Kind::kLost, kFirst));
  CHECK(host.bytes_of(kFirst) == pattern(10));
  CHECK(host.told.back().kind == Kind::kLost);
  CHECK(host.told.back().error.code == Code::kConnectionLost);
}

TEST_CASE("a write to a socket that is gone goes nowhere") {
  Host host;
  host.write(kFirst, pattern(10));
  CHECK(host.told.empty());
}

// --- ends

TEST_CASE("a finished socket delivers what waits, takes what still comes, and closes with the peer") {
  Host host;
  TcpPeer slow = host.connected(kFirst, kSmall);
  const std::size_t open = descriptors();
  const std::size_t total = host.fill(kFirst);
  host.told.clear();
  host.tcp->finish(kFirst, host.now);
  std::size_t arrived = 0;
  while (!slow.at_end()) {
    // A socket that was closed would answer each of these with a reset, and that would destroy the rest.
    slow.write(pattern(10));
    arrived += slow.read(65'536).size();
    REQUIRE(slow.error() == 0);
    host.turn();
  }
  CHECK(arrived == total);
  CHECK(descriptors() == open);
  CHECK(host.tcp->next_deadline() != kNever);
  slow.finish();
  CHECK(host.until([&] { return descriptors() == open - 1; }));
  CHECK(host.told.empty());
  CHECK(host.tcp->next_deadline() == kNever);
  CHECK(host.sleeps());
}

TEST_CASE("a socket that is finished after the peer's end closes at once") {
  Host host;
  TcpPeer peer = host.connected(kFirst);
  const std::size_t open = descriptors();
  peer.finish();
  REQUIRE(host.until(Kind::kEnd));
  host.write(kFirst, pattern(10));
  host.tcp->finish(kFirst, host.now);
  CHECK(descriptors() == open - 1);
  CHECK(peer.read_exactly(11) == pattern(10));
  CHECK(peer.at_end());
}

TEST_CASE("the peer's end while bytes wait does not end the socket before they are sent") {
  Host host;
  TcpPeer slow = host.connected(kFirst, kSmall);
  const std::size_t open = descriptors();
  const std::size_t total = host.fill(kFirst);
  slow.finish();
  host.tcp->finish(kFirst, host.now);
  std::size_t arrived = 0;
  while (!slow.at_end()) {
    arrived += slow.read(65'536).size();
    REQUIRE(slow.error() == 0);
    host.turn();
  }
  CHECK(arrived == total);
  CHECK(host.until([&] { return descriptors() == open - 1; }));
}

TEST_CASE("a finished socket waits for a silent peer for a while only") {
  Host host;
  const bool full = GENERATE(false, true);
  TcpPeer peer = host.connected(kFirst, kSmall);
  const std::size_t open = descriptors();
  if (full) host.fill(kFirst);
  host.tcp->finish(kFirst, host.now);
  host.turn();
  CHECK(host.tcp->next_deadline() == host.now + TcpSockets::kLingerTime);
  CHECK(host.sleeps());
  host.now = host.tcp->next_deadline() - Duration{1};
  host.tcp->on_deadline(host.now);
  CHECK(descriptors() == open);
  host.now = host.tcp->next_deadline();
  host.tcp->on_deadline(host.now);
  CHECK(descriptors() == open - 1);
  CHECK(host.tcp->next_deadline() == kNever);
}

TEST_CASE("a slow peer that goes on reading is given more time") {
  Host host;
  TcpPeer slow = host.connected(kFirst, kSmall);
  host.fill(kFirst);
  host.tcp->finish(kFirst, host.now);
  const Instant first = host.tcp->next_deadline();
  host.now = first - Duration{1};
  while (host.tcp->next_deadline() == first) {
    REQUIRE_FALSE(slow.read(65'536).empty());
    host.turn();
  }
  CHECK(host.tcp->next_deadline() == host.now + TcpSockets::kLingerTime);
}

TEST_CASE("one over the bound of finished sockets closes the one that waits for longest") {
  Host host;
  const IpEndpoint at = host.listen();
  std::vector<TcpPeer> peers;
  for (std::size_t i = 0; i <= TcpSockets::kLingeringMax; ++i) {
    peers.push_back(TcpPeer::connect(at));
    const SocketId id = host.accepted();
    const std::size_t open = descriptors();
    host.tcp->finish(id, host.now);
    CHECK(descriptors() == (i < TcpSockets::kLingeringMax ? open : open - 1));
  }
  for (TcpPeer& peer : peers) {
    CHECK(peer.read(1).empty());
    CHECK(peer.at_end());
  }
  CHECK(peers[0].refused());
  CHECK_FALSE(peers[1].refused());
}

TEST_CASE("a reset reaches the peer, and nothing more is said of the socket") {
  Host host;
  TcpPeer peer = host.connected(kFirst, kSmall);
  if (GENERATE(false, true)) host.fill(kFirst);
  peer.write(pattern(10));
  host.told.clear();
  host.tcp->reset(kFirst);
  while (!peer.read(65'536).empty()) {}
  CHECK(peer.error() == ECONNRESET);
  host.turn();
  CHECK(host.told.empty());
  CHECK(host.tcp->next_deadline() == kNever);
  CHECK(host.sleeps());
}

TEST_CASE("of a finished socket nothing is said, whatever its peer does") {
  Host host;
  TcpPeer peer = host.connected(kFirst);
  const std::size_t open = descriptors();
  host.told.clear();
  host.tcp->finish(kFirst, host.now);
  peer.write(pattern(10));
  host.turn();
  peer.reset();
  CHECK(host.until([&] { return descriptors() == open - 2; }));
  CHECK(host.told.empty());
  host.connected(kFirst);  // and its number is free at once
  CHECK(host.told.size() == 1);
}

}  // namespace
}  // namespace p2pa::io
