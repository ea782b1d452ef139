// The parts of the driver, each alone.

#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <fstream>
#include <memory>
#include <thread>

#include "io/append_files.hpp"
#include "io/entropy.hpp"
#include "io/interfaces.hpp"
#include "io/outbox.hpp"
#include "io/post_queue.hpp"
#include "io/read_file.hpp"
#include "io/uv_loop.hpp"
#include "temporary_folder.hpp"

namespace p2pa::io {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_readable(int fd) {
  pollfd descriptor{fd, POLLIN, 0};
  return ::poll(&descriptor, 1, 0) == 1;
}

std::unique_ptr<UdpSocket> loopback_socket() {
  auto socket = UdpSocket::bind(1, {IpAddress::parse("127.0.0.1").value(), 0, 0}, false);
  REQUIRE(socket.has_value());
  return std::move(*socket);
}

void send_to(UdpSocket& socket, const IpEndpoint& to) {
  const Bytes bytes(10, 1);
  Outgoing out{};
  out.transmit.remote = to;
  out.transmit.segment_size = bytes.size();
  out.bytes = bytes;
  REQUIRE(socket.send({&out, 1}) == 1);
}

// --- UvLoop

TEST_CASE("the loop's descriptor tells of a datagram until the watch has seen it drained") {
  auto loop = UvLoop::make().value();
  auto socket = loopback_socket();
  Watch* const watch = loop->watch(socket->fd()).value();
  CHECK(loop->stale());
  loop->collect();
  CHECK_FALSE(loop->stale());
  CHECK_FALSE(is_readable(loop->fd()));
  CHECK_FALSE(watch->readable);

  send_to(*socket, socket->local());
  CHECK(is_readable(loop->fd()));
  CHECK(loop->wait(seconds(10)));
  CHECK_FALSE(watch->readable);  // waiting finds nothing out
  loop->collect();
  CHECK(watch->readable);

  ReceiveBuffers buffers;
  watch->readable = socket->receive(buffers);
  CHECK_FALSE(watch->readable);
  CHECK_FALSE(is_readable(loop->fd()));
  loop->unwatch(watch);
}

TEST_CASE("a watch tells of room to write only when asked") {
  auto loop = UvLoop::make().value();
  auto socket = loopback_socket();
  Watch* const watch = loop->watch(socket->fd()).value();
  loop->collect();
  CHECK_FALSE(watch->writable);
  loop->want_writable(watch, true);
  CHECK(loop->stale());
  loop->collect();
  CHECK(watch->writable);
  loop->want_writable(watch, false);
  CHECK_FALSE(watch->writable);
  loop->collect();
  CHECK_FALSE(watch->writable);
  loop->unwatch(watch);
}

TEST_CASE("many wake-ups from many threads are one, and the next one is seen again") {
  auto loop = UvLoop::make().value();
  loop->collect();
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(is_readable(loop->fd()));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { loop->wake(); });
    for (std::thread& thread : threads) thread.join();
    CHECK(is_readable(loop->fd()));
    CHECK(loop->wait(seconds(10)));
    loop->collect();
  }
  CHECK_FALSE(is_readable(loop->fd()));
}

TEST_CASE("a wait that nothing interrupts ends by itself, and not early") {
  auto loop = UvLoop::make().value();
  loop->collect();
  const Instant before = UvLoop::now();
  CHECK_FALSE(loop->wait(microseconds(300)));
  CHECK(UvLoop::now() - before >= microseconds(300));
}

TEST_CASE("what is not a socket cannot be watched") {
  auto loop = UvLoop::make().value();
  const auto watch = loop->watch(-1);
  REQUIRE_FALSE(watch.has_value());
  CHECK(watch.error().code == Code::kIo);
  CHECK(watch.error().detail == EBADF);
}

// --- Outbox

Transmit transmit_of(SocketId socket, std::size_t size) {
  Transmit out{};
  out.socket = socket;
  out.size = out.segment_size = size;
  return out;
}

TEST_CASE("the outbox is full after one large transmit, or as many small ones as one call takes") {
  Outbox outbox;
  CHECK(outbox.empty());
  CHECK(outbox.space().size() == Outbox::kTransmitBytesMax);
  outbox.add(transmit_of(1, Outbox::kTransmitBytesMax));
  CHECK(outbox.full());
  outbox.remove(1);
  CHECK(outbox.empty());

  for (std::size_t i = 0; i < UdpSocket::kBatchMax; ++i) {
    REQUIRE_FALSE(outbox.full());
    outbox.add(transmit_of(1, 1500));
  }
  CHECK(outbox.full());
  CHECK(outbox.next_batch().size() == UdpSocket::kBatchMax);
}

TEST_CASE("a batch holds the transmits of one socket, in order, each with its own bytes") {
  Outbox outbox;
  const SocketId sockets[] = {1, 1, 2, 1};
  for (std::uint8_t i = 0; i < 4; ++i) {
    outbox.space()[0] = i;
    outbox.add(transmit_of(sockets[i], 100));
  }
  std::uint8_t expected = 0;
  for (const std::size_t size : {2, 1, 1}) {
    const auto batch = outbox.next_batch();
    REQUIRE(batch.size() == size);
    for (const Outgoing& out : batch) CHECK(out.bytes[0] == expected++);
    outbox.remove(size);
  }
  CHECK(outbox.empty());
}

TEST_CASE("what a full socket left stays at the head") {
  Outbox outbox;
  for (std::uint8_t i = 0; i < 3; ++i) {
    outbox.space()[0] = i;
    outbox.add(transmit_of(1, 10));
  }
  outbox.remove(2);
  REQUIRE(outbox.next_batch().size() == 1);
  CHECK(outbox.next_batch()[0].bytes[0] == 2);
}

// --- AppendFiles

TEST_CASE("appends go to the end of their file, also of one that exists") {
  const TemporaryFolder folder;
  std::ofstream(folder / "a") << "old ";
  {
    AppendFiles files;
    files.append(folder / "a", as_bytes("one "));
    files.append(folder / "b", as_bytes("x"));
    files.append(folder / "a", as_bytes("two"));
    CHECK(text_of(folder / "a") == "old ");  // buffered
    files.flush();
    CHECK(text_of(folder / "a") == "old one two");
    files.append(folder / "b", as_bytes("y"));
  }
  CHECK(text_of(folder / "b") == "xy");
}

TEST_CASE("one file over the bound closes the one not written for longest, which may come back") {
  const TemporaryFolder folder;
  AppendFiles files;
  const auto name = [&](std::size_t i) { return folder / std::to_string(i).c_str(); };
  for (std::size_t i = 0; i < AppendFiles::kOpenMax; ++i) files.append(name(i), as_bytes("1"));
  files.append(name(0), as_bytes("2"));
  CHECK(text_of(name(1)).empty());
  files.append(name(AppendFiles::kOpenMax), as_bytes("1"));
  CHECK(text_of(name(0)).empty());
  CHECK(text_of(name(1)) == "1");
  files.append(name(1), as_bytes("2"));
  files.flush();
  CHECK(text_of(name(0)) == "12");
  CHECK(text_of(name(1)) == "12");
}

TEST_CASE("a file that cannot be written is given up") {
  const TemporaryFolder folder;
  AppendFiles files;
  files.append(folder / "none/a", as_bytes("x"));
  files.flush();
  CHECK(folder.count() == 0);
}

// --- read_file

TEST_CASE("a regular file is read as a whole, also an empty one") {
  const TemporaryFolder folder;
  const std::string text(40'000, 'x');
  std::ofstream(folder / "full") << text;
  std::ofstream(folder / "empty") << "";
  const auto full = read_file(folder / "full", text.size());
  REQUIRE(full);
  CHECK(std::ranges::equal(*full, as_bytes(text)));
  CHECK(read_file(folder / "empty", 1).value().empty());
}

TEST_CASE("what is no file of bounded size is refused, and never waited for") {
  const TemporaryFolder folder;
  std::ofstream(folder / "file") << "12345";
  CHECK(read_file(folder / "file", 4).error().code == Code::kMessageTooLarge);
  CHECK(read_file(folder / "none", 4).error().code == Code::kIo);
  CHECK(read_file("/dev/zero", 4).error().code == Code::kInvalidArgument);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(read_file(folder / "pipe", 4).error().code == Code::kInvalidArgument);
}

// --- PostQueue. The functions never touch the node here.

Node& no_node() {
  alignas(Node) static std::byte storage[sizeof(Node)];
  return reinterpret_cast<Node&>(storage);
}

TEST_CASE("posted functions run once, in order, and what they post runs with the next round") {
  PostQueue queue;
  std::string order;
  CHECK_FALSE(queue.run(no_node()));
  REQUIRE(queue.push([&](Node&) {
    order += 'a';
    REQUIRE(queue.push([&](Node&) { order += 'c'; }).has_value());
  }));
  REQUIRE(queue.push([&](Node&) { order += 'b'; }));
  CHECK_FALSE(queue.empty());
  CHECK(queue.run(no_node()));
  CHECK(order == "ab");
  CHECK_FALSE(queue.empty());
  CHECK(queue.run(no_node()));
  CHECK(order == "abc");
  CHECK(queue.empty());
  CHECK_FALSE(queue.run(no_node()));
}

TEST_CASE("of posted functions one may throw, none runs twice, and the others still run") {
  PostQueue queue;
  std::string order;
  const auto say = [&](char c) { return [&order, c](Node&) { order += c; }; };
  REQUIRE(queue.push(say('a')));
  REQUIRE(queue.push([&](Node&) {
    order += 'b';
    throw 1;
  }));
  REQUIRE(queue.push(say('c')));
  CHECK_THROWS_AS(queue.run(no_node()), int);
  CHECK(order == "ab");
  CHECK_FALSE(queue.empty());
  REQUIRE(queue.push(say('d')));
  CHECK(queue.run(no_node()));
  CHECK(order == "abcd");
  CHECK(queue.empty());
  REQUIRE(queue.push([](Node&) { throw 1; }));  // the last one
  CHECK_THROWS_AS(queue.run(no_node()), int);
  REQUIRE(queue.push(say('e')));
  CHECK(queue.run(no_node()));
  CHECK_FALSE(queue.run(no_node()));
  CHECK(order == "abcde");
}

TEST_CASE("a function is destroyed as soon as it ran, was refused, or never can run") {
  std::weak_ptr<int> ran, refused, never;
  const auto holding = [](std::weak_ptr<int>& watch) {
    auto held = std::make_shared<int>(1);
    watch = held;
    return [held](Node&) { static_cast<void>(held); };
  };
  {
    PostQueue queue;
    REQUIRE(queue.push(holding(ran)));
    bool gone = false;
    REQUIRE(queue.push([&](Node&) { gone = ran.expired(); }));
    queue.run(no_node());
    CHECK(gone);
    REQUIRE(queue.push(holding(never)));
    queue.close();
    const auto pushed = queue.push(holding(refused));
    REQUIRE_FALSE(pushed.has_value());
    CHECK(pushed.error().code == Code::kClosed);
    CHECK(refused.expired());
    CHECK_FALSE(never.expired());
  }
  CHECK(never.expired());
}

TEST_CASE("many threads post, and none of it is lost or out of its own order") {
  constexpr int kThreads = 4, kPosts = 500;
  PostQueue queue;
  std::vector<int> next(kThreads, 0);
  bool in_order = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        static_cast<void>(queue.push([&, t, i](Node&) {
          in_order &= next[static_cast<std::size_t>(t)] == i;
          next[static_cast<std::size_t>(t)] = i + 1;
        }));
      }
    });
  }
  while (std::ranges::count(next, kPosts) < kThreads) queue.run(no_node());
  for (std::thread& thread : threads) thread.join();
  CHECK(in_order);
}

// --- the system

TEST_CASE("the interfaces' addresses hold loopback, each address once, and no unspecified one") {
  const auto addresses = interface_addresses().value();
  CHECK(std::ranges::count(addresses, InterfaceAddress{IpAddress::parse("127.0.0.1").value(), 8}) == 1);
  CHECK(std::ranges::adjacent_find(addresses) == addresses.end());
  CHECK(std::ranges::none_of(addresses, [](const auto& a) { return a.ip.is_unspecified(); }));
}

TEST_CASE("entropy differs each time, and fills to the last byte") {
  std::array<std::uint8_t, 32> first{}, second{};
  REQUIRE(fill_entropy(first).has_value());
  REQUIRE(fill_entropy(second).has_value());
  CHECK(first != second);
  Bytes seen(33, 0);
  for (int i = 0; i < 64 && seen[31] == 0; ++i) REQUIRE(fill_entropy({seen.data(), 32}).has_value());
  CHECK(seen[31] != 0);
  CHECK(seen[32] == 0);
}

}  // namespace
}  // namespace p2pa::io
