#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <utility>
#include <vector>

#include "io/udp_socket.hpp"
#include "system_calls.hpp"

namespace p2pa::io {
namespace {

struct Family {
  const char* name;
  const char* loopback;
  const char* any;
};
constexpr Family kIp4{"IPv4", "127.0.0.1", "0.0.0.0"};
constexpr Family kIp6{"IPv6", "::1", "::"};

std::unique_ptr<UdpSocket> bound(const char* ip, bool plain, SocketId id = 1) {
  auto socket = UdpSocket::bind(id, {IpAddress::parse(ip).value(), 0, 0}, plain);
  REQUIRE(socket.has_value());
  return std::move(*socket);
}

IpEndpoint at(const char* ip, std::uint16_t port) { return {IpAddress::parse(ip).value(), port, 0}; }

Bytes pattern(std::size_t size, std::uint8_t first = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(first + i * 7 + i / 251);
  return out;
}

Outgoing outgoing(const Bytes& bytes, const IpEndpoint& to, std::size_t segment_size) {
  Outgoing out{};
  out.transmit.socket = 1;
  out.transmit.remote = to;
  out.transmit.segment_size = segment_size;
  out.transmit.size = bytes.size();
  out.bytes = bytes;
  return out;
}

std::size_t send(UdpSocket& socket, Outgoing out) { return socket.send({&out, 1}); }

/// One datagram as the wire had it, whatever the system joined.
struct Arrived {
  Bytes bytes;
  IpEndpoint local, remote;
  Ecn ecn;
  SocketId socket;
};

/// All that waits. Loopback delivers within the call that sends, so there is nothing to wait for.
std::vector<Arrived> drain(UdpSocket& socket) {
  std::vector<Arrived> out;
  ReceiveBuffers buffers;
  bool more = true;
  while (more) {
    more = socket.receive(buffers);
    for (const InboundDatagram& d : buffers.datagrams()) {
      REQUIRE(d.segment_size > 0);
      for (std::size_t i = 0; i < d.bytes.size(); i += d.segment_size) {
        const auto part = d.bytes.subspan(i, std::min(d.segment_size, d.bytes.size() - i));
        out.push_back({{part.begin(), part.end()}, d.local, d.remote, d.ecn, d.socket});
      }
    }
  }
  return out;
}

void expect_segments(const std::vector<Arrived>& arrived, const Bytes& bytes, std::size_t segment) {
  REQUIRE(arrived.size() == (bytes.size() + segment - 1) / segment);
  Bytes joined;
  for (const Arrived& a : arrived) {
    CHECK(a.bytes.size() <= segment);
    joined.insert(joined.end(), a.bytes.begin(), a.bytes.end());
  }
  CHECK(joined == bytes);
}

TEST_CASE("a datagram arrives with its addresses, its ECN bits and its bytes") {
  const auto family = GENERATE(kIp4, kIp6);
  const bool plain_sender = GENERATE(false, true);
  const bool plain_receiver = GENERATE(false, true);
  const auto ecn = GENERATE(Ecn::kNone, Ecn::kEct0, Ecn::kEct1, Ecn::kCe);
  CAPTURE(family.name, plain_sender, plain_receiver, static_cast<int>(ecn));
  auto sender = bound(family.loopback, plain_sender);
  auto receiver = bound(family.any, plain_receiver, 7);  // learns the address from the datagram
  const Bytes bytes = pattern(1200);

  auto out = outgoing(bytes, at(family.loopback, receiver->local().port), bytes.size());
  out.transmit.ecn = ecn;
  REQUIRE(send(*sender, out) == 1);

  const auto arrived = drain(*receiver);
  REQUIRE(arrived.size() == 1);
  CHECK(arrived[0].bytes == bytes);
  CHECK(arrived[0].ecn == ecn);
  CHECK(arrived[0].socket == 7);
  CHECK(arrived[0].remote == sender->local());
  CHECK(arrived[0].local == at(family.loopback, receiver->local().port));
}

TEST_CASE("a batch of segments arrives as the same datagrams on every path") {
  const auto family = GENERATE(kIp4, kIp6);
  const bool plain_sender = GENERATE(false, true);
  const bool plain_receiver = GENERATE(false, true);
  const std::size_t segment = GENERATE(as<std::size_t>{}, 1, 300, 1252, 1452);
  const std::size_t extra = GENERATE(as<std::size_t>{}, 0, 1);
  CAPTURE(family.name, plain_sender, plain_receiver, segment, extra);
  auto sender = bound(family.any, plain_sender);
  auto receiver = bound(family.loopback, plain_receiver);
  const Bytes bytes = pattern(segment * 40 + (segment > 1 ? extra : 0));

  REQUIRE(send(*sender, outgoing(bytes, receiver->local(), segment)) == 1);
  expect_segments(drain(*receiver), bytes, segment);
}

TEST_CASE("the fast path sends a batch with one call and receives it with one call") {
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", false);
  auto receiver = bound("127.0.0.1", false);
  REQUIRE(sender->segments_max() > 1);
  const Bytes bytes = pattern(1452 * 44);

  REQUIRE(send(*sender, outgoing(bytes, receiver->local(), 1452)) == 1);
  CHECK(system_calls().sendmsg == 1);

  ReceiveBuffers buffers;
  CHECK_FALSE(receiver->receive(buffers));  // and it knows that nothing more waits
  CHECK(system_calls().recvmmsg == 1);
  CHECK(system_calls().recvmsg == 0);
  REQUIRE(buffers.datagrams().size() == 1);
  CHECK(buffers.datagrams()[0].segment_size == 1452);
  CHECK(buffers.datagrams()[0].bytes.size() == bytes.size());
}

TEST_CASE("the plain path never asks for more than one datagram a call") {
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", true);
  auto receiver = bound("127.0.0.1", true);
  CHECK(sender->segments_max() == 1);
  const Bytes bytes = pattern(1452 * 3);

  REQUIRE(send(*sender, outgoing(bytes, receiver->local(), 1452)) == 1);
  CHECK(system_calls().sendmsg == 3);
  expect_segments(drain(*receiver), bytes, 1452);
  CHECK(system_calls().recvmsg == 4);
  CHECK(system_calls().sendmmsg + system_calls().recvmmsg == 0);
}

TEST_CASE("a batch over the largest UDP payload is cut") {
  auto sender = bound("127.0.0.1", false);
  auto receiver = bound("127.0.0.1", false);
  const Bytes bytes = pattern(65'536);  // 44 segments of 1489 would have 65,516 bytes
  REQUIRE(send(*sender, outgoing(bytes, receiver->local(), 1489)) == 1);
  expect_segments(drain(*receiver), bytes, 1489);
}

TEST_CASE("a batch over the segments of one call is cut") {
  auto sender = bound("127.0.0.1", false);
  auto receiver = bound("127.0.0.1", false);
  const Bytes bytes = pattern(20 * (UdpSocket::kSegmentsMax + 1));
  REQUIRE(send(*sender, outgoing(bytes, receiver->local(), 20)) == 1);
  expect_segments(drain(*receiver), bytes, 20);
}

TEST_CASE("small transmits leave together and in order") {
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", false);
  auto first = bound("127.0.0.1", false);
  auto second = bound("127.0.0.1", true);
  std::vector<Bytes> bytes;
  for (std::uint8_t i = 0; i < UdpSocket::kBatchMax + 3; ++i) bytes.push_back(pattern(90 + i, i));
  std::vector<Outgoing> batch;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    batch.push_back(outgoing(bytes[i], (i % 2 == 0 ? first : second)->local(), bytes[i].size()));
  }

  REQUIRE(sender->send(batch) == batch.size());
  CHECK(system_calls().sendmmsg == 2);
  CHECK(system_calls().sendmsg == 0);
  const auto even = drain(*first);
  const auto odd = drain(*second);
  REQUIRE(even.size() + odd.size() == bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) CHECK((i % 2 == 0 ? even : odd)[i / 2].bytes == bytes[i]);
}

TEST_CASE("more datagrams than buffers come with the following calls") {
  const bool plain = GENERATE(false, true);
  auto sender = bound("127.0.0.1", plain);
  auto receiver = bound("127.0.0.1", plain);
  for (std::size_t i = 0; i < ReceiveBuffers::kCount + 1; ++i) {
    REQUIRE(send(*sender, outgoing(pattern(100), receiver->local(), 100)) == 1);
  }
  ReceiveBuffers buffers;
  CHECK(receiver->receive(buffers));
  CHECK(buffers.datagrams().size() == ReceiveBuffers::kCount);
  CHECK_FALSE(receiver->receive(buffers));
  CHECK(buffers.datagrams().size() == 1);
  CHECK_FALSE(receiver->receive(buffers));
  CHECK(buffers.datagrams().empty());
}

TEST_CASE("an empty datagram is left out and does not end the reading") {
  const bool plain = GENERATE(false, true);
  auto receiver = bound("127.0.0.1", plain);
  auto sender = bound("127.0.0.1", true);
  const int other = ::socket(AF_INET, SOCK_DGRAM, 0);
  SocketAddress to;
  const socklen_t size = to_socket_address(receiver->local(), to);
  REQUIRE(::sendto(other, "", 0, 0, &to.any, size) == 0);
  REQUIRE(send(*sender, outgoing(pattern(10), receiver->local(), 10)) == 1);
  ::close(other);

  const auto arrived = drain(*receiver);
  REQUIRE(arrived.size() == 1);
  CHECK(arrived[0].bytes == pattern(10));
}

TEST_CASE("the largest datagram passes, and a larger one is lost without harm") {
  const bool plain = GENERATE(false, true);
  auto sender = bound("127.0.0.1", plain);
  auto receiver = bound("127.0.0.1", plain);
  const Bytes largest = pattern(UdpSocket::kSendBytesMax);
  const Bytes larger = pattern(UdpSocket::kSendBytesMax + 1);

  CHECK(send(*sender, outgoing(larger, receiver->local(), larger.size())) == 1);  // EMSGSIZE
  CHECK(drain(*receiver).empty());
  CHECK(send(*sender, outgoing(largest, receiver->local(), largest.size())) == 1);
  expect_segments(drain(*receiver), largest, largest.size());
}

TEST_CASE("segments that are too large for the path do not cost GSO") {
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", false);
  auto receiver = bound("127.0.0.1", false);
  system_calls().refuse_send = [](const msghdr& m) { return is_gso(m) ? EINVAL : EMSGSIZE; };
  CHECK(send(*sender, outgoing(pattern(4000), receiver->local(), 1000)) == 1);
  CHECK(sender->segments_max() == UdpSocket::kSegmentsMax);
}

TEST_CASE("GSO that fails is given up for good, and nothing is lost") {
  const int error = GENERATE(EIO, EINVAL);
  CAPTURE(error);
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", false);
  auto receiver = bound("127.0.0.1", false);
  system_calls().refuse_send = [error](const msghdr& m) { return is_gso(m) ? error : 0; };
  const Bytes bytes = pattern(1000 * 5 + 1);

  CHECK(send(*sender, outgoing(bytes, receiver->local(), 1000)) == 1);
  expect_segments(drain(*receiver), bytes, 1000);
  CHECK(sender->segments_max() == 1);

  system_calls().sendmsg = 0;  // what was made for GSO before is cut, not tried again
  CHECK(send(*sender, outgoing(bytes, receiver->local(), 1000)) == 1);
  CHECK(system_calls().sendmsg == 6);
  expect_segments(drain(*receiver), bytes, 1000);
}

TEST_CASE("a system without the mmsg calls gets one datagram a call") {
  const FreshSystemCalls fresh;
  system_calls().without_mmsg = true;
  auto sender = bound("127.0.0.1", false);
  auto receiver = bound("127.0.0.1", false);
  const Bytes bytes = pattern(50);
  std::vector<Outgoing> batch(4, outgoing(bytes, receiver->local(), bytes.size()));

  CHECK(sender->send(batch) == 4);
  CHECK(drain(*receiver).size() == 4);
  CHECK(system_calls().sendmmsg == 1);  // asked once, and never again
  CHECK(system_calls().recvmmsg == 1);
}

TEST_CASE("a full socket keeps what it did not take, to the byte") {
  const bool plain = GENERATE(false, true);
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", plain);
  auto receiver = bound("127.0.0.1", plain);
  int room = 3;
  system_calls().refuse_send = [&](const msghdr&) { return room-- > 0 ? 0 : EAGAIN; };
  std::vector<Bytes> bytes;
  for (std::uint8_t i = 0; i < 5; ++i) bytes.push_back(pattern(100, i));
  std::vector<Outgoing> batch;
  for (const Bytes& b : bytes) batch.push_back(outgoing(b, receiver->local(), b.size()));

  const std::size_t sent = sender->send(batch);
  CHECK(sent == 3);
  room = 100;
  CHECK(sender->send(std::span(batch).subspan(sent)) == 2);
  const auto arrived = drain(*receiver);
  REQUIRE(arrived.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(arrived[i].bytes == bytes[i]);
}

TEST_CASE("a socket that fills up inside a batch goes on inside it") {
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", true);
  auto receiver = bound("127.0.0.1", true);
  int room = 2;
  system_calls().refuse_send = [&](const msghdr&) { return room-- > 0 ? 0 : EAGAIN; };
  const Bytes bytes = pattern(450);
  Outgoing out = outgoing(bytes, receiver->local(), 100);

  CHECK(sender->send({&out, 1}) == 0);
  CHECK(out.bytes.size() == 250);
  room = 100;
  CHECK(sender->send({&out, 1}) == 1);
  expect_segments(drain(*receiver), bytes, 100);
}

TEST_CASE("the error of an earlier datagram does not cost the next one") {
  const int error = GENERATE(ECONNREFUSED, ECONNRESET);
  const bool plain = GENERATE(false, true);
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", plain);
  auto receiver = bound("127.0.0.1", plain);
  bool once = true;
  system_calls().refuse_send = [&](const msghdr&) { return std::exchange(once, false) ? error : 0; };
  CHECK(send(*sender, outgoing(pattern(10), receiver->local(), 10)) == 1);
  once = true;
  system_calls().refuse_receive = [&] { return std::exchange(once, false) ? error : 0; };
  CHECK(drain(*receiver).size() == 1);
}

TEST_CASE("an error that stays is a loss when sending, and silence when receiving") {
  const int error = GENERATE(ENETUNREACH, EHOSTUNREACH, EPERM, ECONNREFUSED, ENOBUFS, EMSGSIZE);
  const bool plain = GENERATE(false, true);
  const FreshSystemCalls fresh;
  auto sender = bound("127.0.0.1", plain);
  system_calls().refuse_send = [error](const msghdr&) { return error; };
  system_calls().refuse_receive = [error] { return error; };
  const Bytes bytes = pattern(30);
  std::vector<Outgoing> batch(3, outgoing(bytes, sender->local(), 10));
  CHECK(sender->send(batch) == 3);
  CHECK(drain(*sender).empty());
}

TEST_CASE("an address that is gone is left out, and the system chooses another") {
  const bool plain = GENERATE(false, true);
  const FreshSystemCalls fresh;
  auto sender = bound("0.0.0.0", plain);
  auto receiver = bound("127.0.0.1", plain);
  const Bytes bytes = pattern(300);
  auto out = outgoing(bytes, receiver->local(), 100);
  out.transmit.local = at("198.51.100.77", sender->local().port);  // on no interface
  CHECK(send(*sender, out) == 1);
  expect_segments(drain(*receiver), bytes, 100);
  CHECK(sender->segments_max() == (plain ? 1 : UdpSocket::kSegmentsMax));
}

TEST_CASE("a reply leaves from the address that was asked") {
  const bool plain = GENERATE(false, true);
  auto server = bound("0.0.0.0", plain);
  auto client = bound("127.0.0.1", plain);
  const Bytes bytes = pattern(20);
  auto out = outgoing(bytes, client->local(), 20);
  out.transmit.local = at("127.0.0.9", server->local().port);  // all of 127/8 is ours
  CHECK(send(*server, out) == 1);
  const auto arrived = drain(*client);
  REQUIRE(arrived.size() == 1);
  CHECK(arrived[0].remote == at("127.0.0.9", server->local().port));
}

TEST_CASE("a socket bound to one address does not name it again") {
  const FreshSystemCalls fresh;
  bool named = false;
  system_calls().refuse_send = [&](const msghdr& m) {
    named |= names_source(m);
    return 0;
  };
  auto sender = bound("127.0.0.1", false);
  const Bytes bytes = pattern(10);
  auto out = outgoing(bytes, sender->local(), 10);
  out.transmit.local = sender->local();
  CHECK(send(*sender, out) == 1);
  CHECK_FALSE(named);
}

TEST_CASE("a port in use is refused with the system's reason") {
  const auto family = GENERATE(kIp4, kIp6);
  auto first = bound(family.loopback, false);
  const auto second = UdpSocket::bind(2, first->local(), false);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == Code::kIo);
  CHECK(second.error().detail == EADDRINUSE);
}

TEST_CASE("an address of another machine cannot be bound") {
  const auto socket = UdpSocket::bind(1, at("198.51.100.1", 0), false);
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().code == Code::kIo);
  CHECK(socket.error().detail == EADDRNOTAVAIL);
}

TEST_CASE("a process without descriptors is told so") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto socket = UdpSocket::bind(1, at("127.0.0.1", 0), false);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().detail == EMFILE);
}

TEST_CASE("IPv4 and IPv6 share a port without meeting") {
  auto six = bound("::", false);
  const auto four = UdpSocket::bind(2, {IpAddress::parse("0.0.0.0").value(), six->local().port, 0}, false);
  CHECK(four.has_value());
}

}  // namespace
}  // namespace p2pa::io
