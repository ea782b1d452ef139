// What the socket layer costs above bare system calls, and what its fast path gains. No QUIC in it.
// Both ends are threads: pinned to one processor for latency (an idle virtual processor takes
// longer to wake than all the rest), to two for bulk.

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "io/udp_socket.hpp"
#include "io/uv_loop.hpp"

namespace {

using namespace p2pa;
using namespace p2pa::io;

constexpr int kRuns = 5;
constexpr int kPings = 50'000;
constexpr std::size_t kPingBytes = 64;
constexpr std::size_t kSegment = 1452, kSegments = 44;
constexpr int kWindow = 4;  // batches on their way: no loss, whoever is slower
constexpr Duration kBulkTime = milliseconds(500);

void pin(unsigned processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor % std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)), &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

/// A socket of ours with its loop, as the driver has them.
struct End {
  explicit End(bool plain)
      : socket(UdpSocket::bind(1, {IpAddress::parse("127.0.0.1").value(), 0, 0}, plain).value()),
        loop(UvLoop::make().value()),
        watch(loop->watch(socket->fd()).value()) {
    loop->collect();
  }
  ~End() { loop->unwatch(watch); }

  /// Sleeps until something came; it is in `buffers` then.
  void receive() {
    loop->wait(seconds(1));
    loop->collect();
    socket->receive(buffers);
  }
  void send(ByteView bytes, const IpEndpoint& to, std::size_t segment) {
    Outgoing out{};
    out.transmit.remote = to;
    out.transmit.segment_size = segment;
    out.bytes = bytes;
    socket->send({&out, 1});
  }

  std::unique_ptr<UdpSocket> socket;
  std::unique_ptr<UvLoop> loop;
  Watch* watch;
  ReceiveBuffers buffers;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Microseconds of a round trip, median; `echo` runs on a thread of its own until all are answered.
double ping_pong(const std::function<void()>& echo, const std::function<void()>& ping) {
  std::thread other([&] {
    pin(0);
    for (int i = 0; i < kPings; ++i) echo();
  });
  pin(0);
  std::vector<double> times;
  times.reserve(kPings);
  for (int i = 0; i < kPings; ++i) {
    const Instant start = UvLoop::now();
    ping();
    times.push_back(static_cast<double>((UvLoop::now() - start).ns) / 1e3);
  }
  other.join();
  return median(std::move(times));
}

/// Blocking calls and nothing around them.
double raw_ping_pong() {
  int fds[2];
  SocketAddress names[2];
  for (int i = 0; i < 2; ++i) {
    fds[i] = ::socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t size = to_socket_address({IpAddress::parse("127.0.0.1").value(), 0, 0}, names[i]);
    ::bind(fds[i], &names[i].any, size);
    ::getsockname(fds[i], &names[i].any, &size);
  }
  std::uint8_t bytes[2][kPingBytes] = {};
  const auto send = [&](int i) {
    ::sendto(fds[i], bytes[i], kPingBytes, 0, &names[1 - i].any, sizeof names[1 - i].v4);
  };
  const auto receive = [&](int i) { return ::recv(fds[i], bytes[i], kPingBytes, 0); };
  const double out = ping_pong([&] { receive(1), send(1); }, [&] { send(0), receive(0); });
  for (const int fd : fds) ::close(fd);
  return out;
}

double layer_ping_pong(bool plain) {
  End client(plain), server(plain);
  const Bytes bytes(kPingBytes, 1);
  const auto answer = [&] {
    server.receive();
    const InboundDatagram& d = server.buffers.datagrams().front();
    server.send(d.bytes, d.remote, d.bytes.size());
  };
  const auto ask = [&] {
    client.send(bytes, server.socket->local(), bytes.size());
    client.receive();
  };
  return ping_pong(answer, ask);
}

/// Gbit/s of payload.
double bulk(bool plain) {
  End sender(plain), receiver(plain);
  std::atomic<bool> stop = false;
  std::thread other([&] {
    pin(1);
    const Bytes credit(1, 1);
    std::size_t pending = 0;
    while (!stop) {
      receiver.receive();
      for (const InboundDatagram& d : receiver.buffers.datagrams()) {
        for (pending += d.bytes.size(); pending >= kSegment * kSegments; pending -= kSegment * kSegments) {
          receiver.send(credit, d.remote, 1);
        }
      }
    }
  });
  pin(0);
  const Bytes batch(kSegment * kSegments, 1);
  int on_their_way = 0;
  std::uint64_t batches = 0;
  const Instant start = UvLoop::now();
  while (UvLoop::now() - start < kBulkTime) {
    for (; on_their_way < kWindow; ++on_their_way) {
      sender.send(batch, receiver.socket->local(), kSegment);
    }
    sender.receive();
    on_their_way -= static_cast<int>(sender.buffers.datagrams().size());
    batches += sender.buffers.datagrams().size();
  }
  const double time = (UvLoop::now() - start).seconds();
  stop = true;
  receiver.loop->wake();
  other.join();
  return static_cast<double>(batches * batch.size()) * 8e-9 / time;
}

void row(const char* name, const std::function<double()>& measure, const std::function<double()>& base) {
  std::vector<double> values, ratios;
  for (int i = 0; i < kRuns; ++i) {  // each beside its own reference: the machine drifts
    const double reference = base();
    values.push_back(measure());
    ratios.push_back(values.back() / reference);
  }
  const auto [low, high] = std::ranges::minmax(values);
  std::printf("%-34s %8.2f (%.2f to %.2f)   ratio %.2f\n", name, median(values), low, high,
              median(ratios));
}

}  // namespace

int main() {
  std::printf("median of %d runs (min to max), and the ratio to the reference run before each\n", kRuns);
  std::printf("round trip of %zu bytes, µs, both ends on one processor\n", kPingBytes);
  row("  bare recv and sendto", raw_ping_pong, raw_ping_pong);
  row("  ours, fast path", [] { return layer_ping_pong(false); }, raw_ping_pong);
  row("  ours, plain path", [] { return layer_ping_pong(true); }, raw_ping_pong);
  std::printf("bulk, batches of %zu * %zu bytes, Gbit/s\n", kSegments, kSegment);
  row("  ours, plain path", [] { return bulk(true); }, [] { return bulk(true); });
  row("  ours, fast path", [] { return bulk(false); }, [] { return bulk(true); });
}
