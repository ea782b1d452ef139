// peer listen | peer dial ADDR CASE: see ../README.md for the contract.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cases.hpp"
#include "p2pagents/version.hpp"
#include "peer.hpp"
#include "protocols.hpp"
#include "rpc.hpp"

namespace {

using p2pa::Node;
using p2pa::NodeEvent;
using interop::Json;

constexpr int kUsage = 2;

int usage() {
  std::fputs("usage: peer listen [--ip IP] [--seed N] [--transport quic|(tcp|ws|wss)[-noise|-tls]]\n"
             "                   [--web DIR] [--network-key FILE]\n"
             "       peer dial ADDR CASE [the same without --ip] ...\n", stderr);
  return kUsage;
}

void report(Node& node, const NodeEvent& event) {
  switch (event.kind) {
    case NodeEvent::Kind::kListening:
      return interop::print_line({{"event", "listening"},
                                  {"peer", node.id().to_string()},
                                  {"agent", "p2pagents/" P2PA_VERSION_TEXT},
                                  {"addrs", {event.address.with_peer_id(node.id()).to_string()}}});
    case NodeEvent::Kind::kConnected:
      return interop::print_line({{"event", "connected"},
                                  {"peer", event.peer.to_string()},
                                  {"remote_addr", interop::bare(event.address)}});
    case NodeEvent::Kind::kDisconnected:
      return interop::print_line({{"event", "disconnected"}, {"peer", event.peer.to_string()}});
    case NodeEvent::Kind::kIdentified: {
      const auto info = node.info(event.peer);
      if (!info) return;
      Json line = {{"event", "identified"}};
      line.update(interop::identified_fields(*info));
      return interop::print_line(line);
    }
    default: return;
  }
}

int listen(const std::string& ip, const interop::NodeFlags& flags) {
  const auto address = p2pa::Multiaddr::parse("/ip4/" + ip + flags.transport->listen);
  if (!address) return usage();
  interop::listen_to_signals();
  p2pa::NodeOptions options = interop::options_for(flags);
  options.listen = {*address};
  auto opened = Node::open(std::move(options));
  if (!opened) return 1;
  Node& node = **opened;
  if (!interop::serve_all(node, true) || !interop::serve_rpc(node, true)) return 1;
  bool failed = false;
  node.on_event([&](const NodeEvent& event) {
    failed = failed || event.kind == NodeEvent::Kind::kListenFailed;
    report(node, event);
  });
  while (!failed && !interop::told_to_stop()) {
    if (!node.poll(p2pa::milliseconds(20))) return 1;
  }
  node.close();
  node.poll_until([&] { return node.closed(); }, p2pa::seconds(2));
  return failed ? 1 : 0;
}

/// The number behind a flag; false when it is none.
template <class Number>
bool number(const std::string& text, Number& out) {
  double value = 0;
  if (!interop::number(text, value)) return false;
  out = static_cast<Number>(value);
  return true;
}

bool dial_flag(interop::DialOptions& o, const std::string& flag, const std::string& value) {
  if (flag == "--timeout") return number(value, o.timeout_s);
  if (flag == "--rounds") return number(value, o.rounds);
  if (flag == "--pings-first") return number(value, o.pings_first);
  if (flag == "--bytes") return number(value, o.bytes.emplace());
  if (flag == "--upload-bytes") return number(value, o.upload_bytes);
  if (flag == "--download-bytes") return number(value, o.download_bytes);
  if (flag == "--count") return number(value, o.count);
  if (flag == "--parallel") return number(value, o.parallel);
  if (flag == "--reset-every") return number(value, o.reset_every);
  if (flag == "--idle") return number(value, o.idle_s);
  if (flag == "--seconds") return number(value, o.soak_s);
  return interop::node_flag(o.node, flag, value);
}

int run_dial(const std::vector<std::string>& words) {
  if (words.size() < 3 || words.size() % 2 == 0) return usage();
  interop::DialOptions options;
  options.address = words[1];
  options.name = words[2];
  for (std::size_t i = 3; i < words.size(); i += 2) {
    if (!dial_flag(options, words[i], words[i + 1])) return usage();
  }
  const auto address = p2pa::Multiaddr::parse(options.address);
  if (!address || !address->peer_id() || !interop::known_case(options.name)) return usage();
  return interop::run_dialer(options);
}

int run_listen(const std::vector<std::string>& words) {
  std::string ip = "127.0.0.1";
  interop::NodeFlags flags;
  if (words.size() % 2 == 0) return usage();
  for (std::size_t i = 1; i < words.size(); i += 2) {
    if (words[i] == "--ip") {
      ip = words[i + 1];
    } else if (!interop::node_flag(flags, words[i], words[i + 1])) {
      return usage();
    }
  }
  return listen(ip, flags);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return usage();
  if (words[0] == "listen") return run_listen(words);
  if (words[0] == "dial") return run_dial(words);
  return usage();
}
