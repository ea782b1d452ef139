#include "io/tcp_socket.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <vector>

#include "io/tcp_listener.hpp"
#include "system_calls.hpp"
#include "tcp_peer.hpp"

namespace p2pa::io {
namespace {

std::unique_ptr<TcpListener> listener(const IpEndpoint& local) {
  auto out = TcpListener::listen(3, local);
  REQUIRE(out.has_value());
  return std::move(*out);
}

void wait_for(int fd, short what) {
  pollfd descriptor{fd, what, 0};
  REQUIRE(::poll(&descriptor, 1, 20'000) == 1);
}

struct Pair {
  explicit Pair(bool v6 = false, int buffer_bytes = 0)
      : listening(TcpPeer::listen(loopback(v6), buffer_bytes)),
        ours(TcpSocket::connect(listening.local()).value()),
        peer(listening.accept()) {
    wait_for(ours->fd(), POLLOUT);
    local = ours->finish_connecting().value();
  }
  TcpPeer listening;
  std::unique_ptr<TcpSocket> ours;
  TcpPeer peer;
  IpEndpoint local;
};

int option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  REQUIRE(::getsockopt(fd, level, name, &value, &size) == 0);
  return value;
}

Result<TcpInput> receive(TcpSocket& socket, MutableBytes buffer) {
  wait_for(socket.fd(), POLLIN);
  return socket.receive(buffer);
}

/// Sends until the system takes no more.
std::size_t fill(TcpSocket& socket) {
  const Bytes bytes = pattern(65'536);
  std::size_t total = 0, taken = 0;
  while ((taken = socket.send(bytes).value()) > 0) total += taken;
  return total;
}

// --- connections

TEST_CASE("a listener takes a connection and tells both its ends") {
  const bool v6 = GENERATE(false, true);
  const bool wildcard = GENERATE(false, true);
  CAPTURE(v6, wildcard);
  const auto any = IpAddress::parse(v6 ? "::" : "0.0.0.0").value();
  const auto listening = listener(wildcard ? IpEndpoint{any, 0, 0} : loopback(v6));
  REQUIRE(listening->local().port != 0);
  const IpEndpoint at = loopback(v6, listening->local().port);

  const auto socket = TcpSocket::connect(at).value();
  wait_for(socket->fd(), POLLOUT);
  const auto local = socket->finish_connecting();
  REQUIRE(local.has_value());
  wait_for(listening->fd(), POLLIN);
  const auto accepted = listening->accept();
  REQUIRE(accepted.has_value());
  CHECK(accepted->local == at);
  CHECK(accepted->remote == *local);
  CHECK(listening->id() == 3);
  const auto nobody = listening->accept();
  REQUIRE_FALSE(nobody.has_value());
  CHECK(nobody.error().code == Code::kWouldBlock);
}

TEST_CASE("bytes go both ways, and a read without any says so") {
  const bool v6 = GENERATE(false, true);
  Pair pair(v6);
  Bytes buffer(100);
  const auto nothing = pair.ours->receive(buffer);
  REQUIRE(nothing.has_value());
  CHECK(nothing->size == 0);
  CHECK_FALSE(nothing->end);

  CHECK(pair.ours->send(pattern(50, 1)).value() == 50);
  CHECK(pair.peer.read_exactly(50) == pattern(50, 1));
  pair.peer.write(pattern(60, 2));
  CHECK(receive(*pair.ours, buffer)->size == 60);
  CHECK(Bytes(buffer.begin(), buffer.begin() + 60) == pattern(60, 2));
}

TEST_CASE("sockets do not block, have no delay, send no keep-alive, and no child inherits them") {
  const auto listening = listener(loopback());
  const TcpPeer peer = TcpPeer::connect(listening->local());
  const auto accepted = listening->accept().value();
  const auto connected = TcpSocket::connect(listening->local()).value();
  for (const int fd : {listening->fd(), accepted.socket->fd(), connected->fd()}) {
    CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  for (const int fd : {accepted.socket->fd(), connected->fd()}) {
    CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 0);
  }
}

TEST_CASE("a peer that does not read stops the sender, and nothing is lost") {
  Pair pair(false, 4096);
  const std::size_t total = fill(*pair.ours);
  CHECK(total > 0);
  CHECK(pair.ours->send(pattern(10)).value() == 0);
  CHECK(pair.peer.read_exactly(total).size() == total);
  CHECK(pair.ours->send(pattern(10)).value() == 10);
  CHECK(pair.peer.read_exactly(10) == pattern(10));
}

TEST_CASE("the system holds a bounded amount that is not on its way") {
  Pair pair(false, 4096);
  const int generous = 8 << 20;
  REQUIRE(::setsockopt(pair.ours->fd(), SOL_SOCKET, SO_SNDBUF, &generous, sizeof generous) == 0);
  // What is on its way is in the peer's buffer; one call takes a whole write.
  CHECK(fill(*pair.ours) < TcpSocket::kUnsentBytesMax + 4 * 65'536);
}

// --- refusals

TEST_CASE("a port that nobody listens on is unreachable") {
  const bool v6 = GENERATE(false, true);
  auto listening = TcpPeer::listen(loopback(v6));
  const IpEndpoint gone = listening.local();
  listening.close();
  auto begun = TcpSocket::connect(gone);
  Error error{};
  if (begun) {
    wait_for((*begun)->fd(), POLLOUT);
    error = (*begun)->finish_connecting().error();
  } else {
    error = begun.error();
  }
  CHECK(error.code == Code::kUnreachable);
  CHECK(error.detail == ECONNREFUSED);
}

TEST_CASE("what the network, the clock and the system say of a connect differ in their code") {
  const FreshSystemCalls fresh;
  const auto [number, code] = GENERATE(table<int, Code>({{ECONNREFUSED, Code::kUnreachable},
                                                         {EHOSTUNREACH, Code::kUnreachable},
                                                         {ENETUNREACH, Code::kUnreachable},
                                                         {ETIMEDOUT, Code::kTimeout},
                                                         {EADDRNOTAVAIL, Code::kIo},
                                                         {EACCES, Code::kIo}}));
  CAPTURE(number);
  system_calls().refuse_connect = [refusal = number] { return refusal; };
  const auto refused = TcpSocket::connect(loopback(false, 1));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == Error{code, static_cast<std::uint64_t>(number), ""});
}

TEST_CASE("a port that is taken cannot be listened on") {
  const auto first = listener(loopback());
  const auto second = TcpListener::listen(4, first->local());
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error() == Error{Code::kIo, EADDRINUSE, ""});
}

TEST_CASE("a port can be listened on again while its connections fade away") {
  auto listening = listener(loopback());
  const IpEndpoint at = listening->local();
  auto peer = TcpPeer::connect(at);
  auto accepted = listening->accept().value();
  accepted.socket->finish();  // who ends first keeps the port for a while
  CHECK(peer.read(1).empty());
  peer.close();
  accepted.socket.reset();
  listening.reset();
  CHECK(TcpListener::listen(4, at).has_value());
}

TEST_CASE("an address that is not ours cannot be listened on") {
  const auto refused = TcpListener::listen(4, {IpAddress::parse("192.0.2.1").value(), 0, 0});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == Error{Code::kIo, EADDRNOTAVAIL, ""});
}

TEST_CASE("an IPv6 listener leaves the port to IPv4") {
  // IPv4 may have the port already, but hardly every one that the system chooses.
  const auto both = [] {
    const auto v6 = listener({IpAddress::parse("::").value(), 0, 0});
    const IpEndpoint same{IpAddress::parse("0.0.0.0").value(), v6->local().port, 0};
    return TcpListener::listen(4, same).has_value();
  };
  bool any = false;
  for (int i = 0; i < 100 && !any; ++i) any = both();
  CHECK(any);
}

// --- ends

TEST_CASE("the end of one direction leaves the other open") {
  Pair pair;
  Bytes buffer(100);
  pair.peer.write(pattern(5));
  pair.peer.finish();
  CHECK(receive(*pair.ours, buffer)->size == 5);
  CHECK(receive(*pair.ours, buffer)->end);
  CHECK(pair.ours->send(pattern(7)).value() == 7);
  pair.ours->finish();
  CHECK(pair.peer.read_exactly(100) == pattern(7));
  CHECK(pair.peer.at_end());
}

TEST_CASE("a reset is an error for the peer") {
  Pair pair;
  pair.ours->reset_when_closed();
  pair.ours.reset();
  CHECK(pair.peer.read(10).empty());
  CHECK(pair.peer.error() == ECONNRESET);
}

TEST_CASE("a peer's reset is a lost connection, to who reads and to who writes, without a signal") {
  const bool reads = GENERATE(true, false);
  Pair pair;
  pair.peer.reset();
  wait_for(pair.ours->fd(), POLLIN);
  Bytes buffer(10);
  for (int i = 0; i < 2; ++i) {  // the second write would raise SIGPIPE
    const Error error = reads && i == 0 ? pair.ours->receive(buffer).error()
                                        : pair.ours->send(pattern(10)).error();
    CHECK(error.code == Code::kConnectionLost);
    CHECK((error.detail == ECONNRESET || error.detail == EPIPE));
  }
}

// --- trouble of accept

TEST_CASE("a connection that broke while it waited does not hide the next") {
  const FreshSystemCalls fresh;
  const auto listening = listener(loopback());
  const TcpPeer peer = TcpPeer::connect(listening->local());
  int left = 3;
  system_calls().refuse_accept = [&] { return left-- > 0 ? (left == 0 ? EINTR : ECONNABORTED) : 0; };
  CHECK(listening->accept().has_value());
}

TEST_CASE("broken connections without end are nobody, for now") {
  const FreshSystemCalls fresh;
  const auto listening = listener(loopback());
  system_calls().refuse_accept = [] { return ECONNABORTED; };
  const auto nobody = listening->accept();
  REQUIRE_FALSE(nobody.has_value());
  CHECK(nobody.error().code == Code::kWouldBlock);
}

TEST_CASE("out of descriptors, whoever waits goes on waiting") {
  const FreshSystemCalls fresh;
  const int number = GENERATE(EMFILE, ENFILE, ENOBUFS, ENOMEM);
  const auto listening = listener(loopback());
  const TcpPeer peer = TcpPeer::connect(listening->local());
  system_calls().refuse_accept = [&] { return number; };
  const auto refused = listening->accept();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error() == Error{Code::kIo, static_cast<std::uint64_t>(number), ""});
  system_calls().refuse_accept = nullptr;
  CHECK(listening->accept().has_value());
}

}  // namespace
}  // namespace p2pa::io
