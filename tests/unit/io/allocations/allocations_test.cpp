// What the driver is made of takes no memory from the heap once it runs.

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <new>

#include "io/outbox.hpp"
#include "io/uv_loop.hpp"

namespace {
std::atomic<long> allocations = 0;
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void* operator new(std::size_t size) {
  if (void* const out = operator new(size, std::nothrow)) return out;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace p2pa::io {
namespace {

struct End {
  explicit End(bool plain)
      : socket(UdpSocket::bind(1, {IpAddress::parse("127.0.0.1").value(), 0, 0}, plain).value()),
        loop(UvLoop::make().value()),
        watch(loop->watch(socket->fd()).value()) {
    loop->collect();
  }
  ~End() { loop->unwatch(watch); }
  std::unique_ptr<UdpSocket> socket;
  std::unique_ptr<UvLoop> loop;
  Watch* watch;
};

/// Sends a large and some small transmits, and answers how many bytes came out at the other end.
std::size_t exchange(End& from, End& to, Outbox& outbox, ReceiveBuffers& buffers) {
  for (const std::size_t size : {1200, 1200, 40, 60'000}) {
    Transmit transmit{};
    transmit.socket = 1;
    transmit.remote = to.socket->local();
    transmit.segment_size = std::min<std::size_t>(size, 1200);
    transmit.size = size;
    transmit.ecn = Ecn::kEct0;
    outbox.add(transmit);
  }
  while (!outbox.empty()) outbox.remove(from.socket->send(outbox.next_batch()));
  std::size_t received = 0;
  to.loop->wake();
  to.loop->wait(seconds(1));
  to.loop->collect();
  bool more = to.watch->readable;
  while (more) {
    more = to.socket->receive(buffers);
    for (const InboundDatagram& d : buffers.datagrams()) received += d.bytes.size();
  }
  return received;
}

TEST_CASE("sending and receiving take nothing from the heap") {
  const bool plain = GENERATE(false, true);
  End from(plain), to(plain);
  Outbox outbox;
  ReceiveBuffers buffers;
  const long before = allocations;
  std::size_t received = 0;
  for (int i = 0; i < 100; ++i) received += exchange(from, to, outbox, buffers);
  const long after = allocations;
  CHECK(received == 100 * 62'440);
  CHECK(after - before == 0);
}

TEST_CASE("the counter counts") {
  const long before = allocations;
  const auto one = std::make_unique<int>(1);
  CHECK(allocations > before);
}

}  // namespace
}  // namespace p2pa::io
