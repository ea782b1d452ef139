#include <array>
#include <cstdint>
#include <list>
#include <memory>

#include "cases.hpp"
#include "node.hpp"
#include "usage.hpp"

namespace bench {
namespace {

using p2pa::AgentStream;
using p2pa::ByteView;
using p2pa::Bytes;

void echo(AgentStream& stream) {
  for (ByteView here = stream.peek(); !here.empty(); here = stream.peek()) {
    const std::size_t offered = here.size();
    const auto taken = stream.write(here);
    if (!taken) return;  // the end follows
    stream.consume(*taken);
    if (*taken < offered) return;
  }
  if (stream.at_end()) stream.finish();
}

void serve_echo(AgentStream& stream) {
  stream.set_handler({.on_readable = echo, .on_writable = echo, .on_end = {}});
}

void serve_upload(AgentStream& stream) {
  stream.set_handler({.on_readable = [count = std::uint64_t{0}](AgentStream& s) mutable {
                        for (ByteView here = s.peek(); !here.empty(); here = s.peek()) {
                          count += here.size();
                          s.consume(here.size());
                        }
                        if (!s.at_end()) return;
                        std::array<std::uint8_t, 8> answer;
                        for (std::size_t i = 0; i < 8; ++i) {
                          answer[i] = static_cast<std::uint8_t>(count >> (56 - 8 * i));
                        }
                        static_cast<void>(s.write(answer));
                        s.finish();
                      },
                      .on_writable = {},
                      .on_end = {}});
}

void serve_messages(p2pa::Call& call) {
  call.set_handler({.on_message = [](p2pa::Call& c, ByteView message) {
                      if (!c.send(message)) c.cancel();  // so few in flight always fit
                    },
                    .on_finished = [](p2pa::Call& c) { c.finish(); },
                    .on_writable = {},
                    .on_end = {}});
}

/// Nodes beside the first, each listening, for a client that wants many peers.
class MoreNodes {
 public:
  explicit MoreNodes(Loop& loop) : loop_(loop) {}

  /// The addresses of so many new nodes, one a line.
  Bytes make(std::size_t count) {
    std::string addresses;
    for (std::size_t i = 0; i < count; ++i) {
      p2pa::Node& node = *nodes_.emplace_back(open_node(Listen::kLoopback));
      serve(node);
      while (node.addresses().empty()) static_cast<void>(node.poll(p2pa::Duration{0}));
      loop_.add(node);
      addresses += node.addresses().front().to_string() + "\n";
    }
    return Bytes(addresses.begin(), addresses.end());
  }

 private:
  Loop& loop_;
  std::list<std::unique_ptr<p2pa::Node>> nodes_;
};

}  // namespace

void serve(p2pa::Node& node) {
  static_cast<void>(node.handle_protocol(kEchoProtocol, serve_echo));
  static_cast<void>(node.handle_protocol(kUploadProtocol, serve_upload));
  static_cast<void>(node.serve(kEchoMethod, [](const p2pa::PeerId&, ByteView request) {
    return std::expected<Bytes, p2pa::ApplicationError>(std::in_place, request.begin(), request.end());
  }));
  static_cast<void>(node.serve(kRelayMethod, p2pa::Method(serve_messages)));
}

void run_server(const Options& options) {
  const bool outside = options.outside != 0;
  const auto node = open_node(outside ? Listen::kEverywhere : Listen::kLoopback);
  Loop loop;
  loop.add(*node);
  serve(*node);
  MoreNodes more(loop);
  static_cast<void>(node->serve(kMoreMethod, [&](const p2pa::PeerId&, ByteView count) {
    return std::expected<Bytes, p2pa::ApplicationError>(more.make(std::stoul(std::string(p2pa::as_text(count)))));
  }));
  const std::string address = outside ? await_outside_address(loop, *node) : await_address(loop, *node);
  print_line({{"peer", "ours"}, {"event", "listening"}, {"address", address}});
  loop.run_until_stdin_ends();
  print_line({{"peer", "ours"}, {"event", "done"}, {"cpu_s", cpu_s()}});
}

}  // namespace bench
