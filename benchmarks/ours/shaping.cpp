// What classes, batching and compression give: each against the same without, in one process and run.
#include <algorithm>
#include <optional>
#include <string>

#include "cases.hpp"
#include "node.hpp"
#include "stream.hpp"
#include "usage.hpp"

namespace bench {
namespace {

constexpr std::int64_t kBulkAhead = 64 << 20;  // what the upload has to send at any time
constexpr int kMessages = 1000, kMessageBytes = 32;

class Client {
 public:
  explicit Client(const Options& options) : node(open_node(Listen::kNowhere)) {
    loop.add(*node);
    peer = dial(loop, *node, options.address).peer;
  }
  p2pa::ConnectionInfo info() const { return node->connections().at(0); }

  std::unique_ptr<p2pa::Node> node;
  Loop loop;
  p2pa::PeerId peer;
};

/// One after the other, while `between` keeps something else going.
template <class Between>
std::vector<p2pa::Duration> pings(Client& client, std::int64_t rounds, Between&& between) {
  std::vector<p2pa::Duration> times;
  while (static_cast<std::int64_t>(times.size()) < rounds) {
    std::optional<p2pa::Result<p2pa::Duration>> answer;
    client.node->ping(client.peer, [&](auto result) { answer = result; });
    client.loop.await([&] {
      between();
      return answer.has_value();
    });
    if (!*answer) die("ping: " + p2pa::describe(answer->error()));
    times.push_back(**answer);
  }
  return times;
}

/// So many messages, either all in one turn or each in its own; what that cost.
Json send_messages(Client& client, p2pa::AgentStream& stream, bool together) {
  const p2pa::Bytes message(kMessageBytes, 7);
  const std::uint64_t before = client.info().packets_sent;
  std::size_t back = 0;
  stream.set_handler({.on_readable = [&back](p2pa::AgentStream& s) {
                        while (!s.peek().empty()) {
                          back += s.peek().size();
                          s.consume(s.peek().size());
                        }
                      },
                      .on_writable = {},
                      .on_end = {}});
  Meter meter;
  for (int i = 1; i <= kMessages; ++i) {
    if (const auto taken = stream.write(message); !taken || *taken < message.size()) die("a short write");
    if (!together) client.loop.await([&] { return back == std::size_t(i) * kMessageBytes; });
  }
  client.loop.await([&] { return back == std::size_t(kMessages) * kMessageBytes; });
  Json line{{"packets", client.info().packets_sent - before}};
  meter.add_to(line, kMessages);
  stream.set_handler({});
  return line;
}

/// What an agent says: words and numbers under names that come again and again.
p2pa::Bytes document(std::size_t size) {
  std::string out = "[";
  for (std::uint64_t i = 0; out.size() < size; ++i) {
    out += R"({"task":"summarize","document":)" + std::to_string(i * 2654435761 % 100003) +
           R"(,"status":"done","score":)" + std::to_string(i * 40503 % 997) + "},";
  }
  out.resize(size);
  return p2pa::Bytes(out.begin(), out.end());
}

Json send_documents(Client& client, const Options& options, bool compress) {
  const p2pa::Bytes request = document(static_cast<std::size_t>(options.size));
  std::vector<p2pa::Duration> times;
  const std::uint64_t before = client.info().bytes_sent;
  while (static_cast<std::int64_t>(times.size()) < options.rounds) {
    const p2pa::Instant start = now();
    std::optional<p2pa::CallOutcome> ended;
    client.node->call(client.peer, kEchoMethod, request, {.compress = compress},
                      [&](const p2pa::CallOutcome& outcome, p2pa::ByteView) { ended = outcome; });
    client.loop.await([&] { return ended.has_value(); });
    if (!ended->ok()) die("call: " + p2pa::describe(ended->error));
    times.push_back(now() - start);
  }
  Json line = percentiles_us(times);
  line["bytes_each"] = static_cast<double>(client.info().bytes_sent - before) / static_cast<double>(options.rounds);
  return line;
}

}  // namespace

void urgent(const Options& options) {
  Client client(options);
  Json line{{"peer", "ours"}, {"case", "urgent"}};
  static_cast<void>(pings(client, options.rounds / 10 + 1, [] {}));  // warm
  auto idle = pings(client, options.rounds, [] {});
  line.update(percentiles_us(idle, "idle_"));

  p2pa::AgentStream& stream = open_stream(client.loop, *client.node, client.peer, kUploadProtocol);
  stream.set_priority(p2pa::Priority::kBulk);
  Upload upload(stream);
  const auto saturate = [&] {
    if (upload.taken()) upload.send(kBulkAhead);
  };
  static_cast<void>(pings(client, options.rounds / 10 + 1, saturate));
  const std::uint64_t before = client.info().bytes_sent;
  Meter meter;
  auto busy = pings(client, options.rounds, saturate);
  const double bytes_per_s = static_cast<double>(client.info().bytes_sent - before) / meter.seconds();
  line.update(percentiles_us(busy, "busy_"));
  line["gbit_s"] = bytes_per_s * 8e-9;
  // What was with the system before the ping: over TCP what a socket keeps unsent, and one write.
  line["buffer_us"] = static_cast<double>(256 * 1024 + 65'536) / bytes_per_s * 1e6;
  const double allowed = 2 * line["idle_p99_us"].get<double>() + line["buffer_us"].get<double>();
  line["of_allowed"] = line["busy_p99_us"].get<double>() / allowed;
  print_line(line);
  client.loop.run_until_stdin_ends();
}

void batching(const Options& options) {
  Client client(options);
  p2pa::AgentStream& stream = open_stream(client.loop, *client.node, client.peer, kEchoProtocol);
  static_cast<void>(send_messages(client, stream, true));
  Json line{{"peer", "ours"}, {"case", "batching"}};
  line["together"] = send_messages(client, stream, true);
  line["apart"] = send_messages(client, stream, false);
  print_line(line);
  client.loop.run_until_stdin_ends();
}

void compression(const Options& options) {
  Client client(options);
  // From when on the peer is known to read packed messages.
  client.loop.await([&] { return client.node->info(client.peer).has_value(); });
  static_cast<void>(send_documents(client, options, true));
  Json line{{"peer", "ours"}, {"case", "compression"}};
  line["plain"] = send_documents(client, options, false);
  line["packed"] = send_documents(client, options, true);
  print_line(line);
  client.loop.run_until_stdin_ends();
}

}  // namespace bench
