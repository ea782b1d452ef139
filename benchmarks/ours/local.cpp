// Cases without a server of their own: both ends, if there are two, live in this process.
#include <memory>

#include "allocations.hpp"
#include "cases.hpp"
#include "node.hpp"
#include "stream.hpp"
#include "usage.hpp"

namespace bench {
namespace {

constexpr std::int64_t kWarmUpBytes = 64 << 20;
constexpr int kWarmUpsMax = 64;
constexpr int kQuietWarmUps = 4;  // in a row: on a busy machine the ends drift apart only now and then

/// A client and a server that one thread runs.
struct Pair {
  std::unique_ptr<p2pa::Node> server = open_node(Listen::kLoopback), client = open_node(Listen::kNowhere);
  Loop loop;
  p2pa::PeerId peer;

  Pair() {
    serve(*server);
    loop.add(*server);
    const std::string address = await_address(loop, *server);
    loop.add(*client);
    peer = dial(loop, *client, address).peer;
  }
  /// Without the descriptor and its vectors: both are busy.
  template <class Done>
  void spin_until(Done&& done) {
    while (!done()) {
      static_cast<void>(client->poll(p2pa::Duration{0}));
      static_cast<void>(server->poll(p2pa::Duration{0}));
    }
  }
  std::uint64_t datagrams() const {
    const p2pa::ConnectionInfo info = client->connections().at(0);
    return info.packets_sent + info.packets_received;
  }
};

/// Heap allocations and datagrams of both ends while `work` goes on.
template <class Work>
Json count(Pair& pair, const char* name, Work&& work) {
  const std::uint64_t datagrams_before = pair.datagrams();
  const std::uint64_t allocations_before = allocations_count();
  work();
  const std::uint64_t allocations = allocations_count() - allocations_before;
  const std::uint64_t datagrams = pair.datagrams() - datagrams_before;
  return {{"peer", "ours"}, {"case", "alloc"}, {"what", name}, {"allocations", allocations},
          {"datagrams", datagrams},
          {"per_datagram", static_cast<double>(allocations) / static_cast<double>(datagrams)}};
}

Json count_bulk(const Options& options) {
  Pair pair;
  Upload upload(open_stream(pair.loop, *pair.client, pair.peer, kUploadProtocol));
  const auto send = [&](std::int64_t bytes) {
    upload.send(bytes);
    pair.spin_until([&] { return upload.taken(); });
  };
  // Steady is when the pools have seen the most that the two ends ever have under way.
  for (int i = 0, quiet = 0; i < kWarmUpsMax && quiet < kQuietWarmUps; ++i) {
    const std::uint64_t before = allocations_count();
    send(kWarmUpBytes);
    quiet = allocations_count() == before ? quiet + 1 : 0;
  }
  return count(pair, "bulk", [&] { send(options.bytes); });
}

Json count_pingpong(const Options& options) {
  Pair pair;
  PingPong exchange(open_stream(pair.loop, *pair.client, pair.peer, kEchoProtocol), options.size,
                    options.depth);
  const auto play = [&](std::int64_t rounds) {
    exchange.start(rounds);
    pair.spin_until([&] { return exchange.done(); });
  };
  play(options.rounds);  // also makes room for as many times
  return count(pair, "pingpong", [&] { play(options.rounds); });
}

}  // namespace

void start(const Options& options) {
  const p2pa::Instant begin = now();
  const auto node = open_node(Listen::kLoopback);
  Loop loop;
  loop.add(*node);
  await_address(loop, *node);
  const p2pa::Instant ready = now();
  Json line{{"peer", "ours"}, {"case", "start"}, {"node_ms", (ready - begin).seconds() * 1e3},
            {"rss_kib", rss_kib()}};
  if (options.since_ns != 0) line["process_ms"] = static_cast<double>(ready.ns - options.since_ns) * 1e-6;
  print_line(line);
}

void allocations(const Options& options) {
  print_line(count_bulk(options));
  print_line(count_pingpong(options));
}

}  // namespace bench
