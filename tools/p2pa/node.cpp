#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string>

#include "commands.hpp"
#include "output.hpp"
#include "p2pagents/key_file.hpp"
#include "p2pagents/node.hpp"
#include "session.hpp"

namespace p2pa_tool {
namespace {

using p2pa::Multiaddr;
using p2pa::Node;
using p2pa::NodeEvent;

const char* name_of(NodeEvent::Kind kind) {
  switch (kind) {
    case NodeEvent::Kind::kListening: return "listening";
    case NodeEvent::Kind::kListenFailed: return "listen_failed";
    case NodeEvent::Kind::kConnected: return "connected";
    case NodeEvent::Kind::kDisconnected: return "disconnected";
    case NodeEvent::Kind::kIdentified: return "identified";
    case NodeEvent::Kind::kPathChanged: return "path_changed";
    case NodeEvent::Kind::kDialed: return "dialed";
    case NodeEvent::Kind::kDialFailed: return "dial_failed";
    case NodeEvent::Kind::kRefused: return "refused";
    case NodeEvent::Kind::kClosed: return "closed";
  }
  return "unknown";
}

void show_json(Node& node, const NodeEvent& event) {
  const char* name = name_of(event.kind);
  switch (event.kind) {
    case NodeEvent::Kind::kListening:
      return print_json({{"event", name}, {"peer", node.id().to_string()},
                         {"address", event.address.with_peer_id(node.id()).to_string()}});
    case NodeEvent::Kind::kIdentified: {
      const auto info = node.info(event.peer);
      if (!info) return;
      return print_json({{"event", name}, {"peer", event.peer.to_string()},
                         {"agent", info->agent_version}, {"protocols", info->protocols},
                         {"observed", info->observed_address ? info->observed_address->to_string() : ""}});
    }
    case NodeEvent::Kind::kClosed: return print_json({{"event", name}});
    default:
      return print_json({{"event", name}, {"peer", event.peer.to_string()},
                         {"address", event.address.to_string()},
                         {"connection", static_cast<std::int64_t>(event.connection)},
                         {"error", event.error.code == p2pa::Code::kOk ? "" : p2pa::describe(event.error)}});
  }
}

void show_text(Node& node, const NodeEvent& event) {
  std::string line = name_of(event.kind);
  if (event.kind == NodeEvent::Kind::kListening) {
    line += ' ' + event.address.with_peer_id(node.id()).to_string();
  } else {
    if (!event.peer.empty()) line += ' ' + event.peer.to_string();
    if (!event.address.empty()) line += ' ' + event.address.to_string();
  }
  if (event.error.code != p2pa::Code::kOk) line += ": " + p2pa::describe(event.error);
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

/// Its exit code, when it is no address of a peer that can be kept.
std::optional<int> keep(Node& node, const std::string& text) {
  const auto address = Multiaddr::parse(text);
  if (!address) return report_address(text, address.error());
  const auto peer = address->peer_id();
  if (!peer) return report_address(text, {p2pa::Code::kInvalidArgument, 0, "whom to keep: it has no /p2p/<id>"});
  auto kept = node.add_address(*peer, *address);
  if (kept) kept = node.keep(*peer);
  if (!kept) return report("cannot keep " + text, kept.error());
  return std::nullopt;
}

}  // namespace

int run_node(const NodeCommandOptions& options) {
  stop_on_signals();
  auto made = options_for(options.network);
  if (!made) return made.error();
  p2pa::NodeOptions& node_options = *made;
  node_options.serve_perf = options.perf;
  node_options.qlog_directory = options.qlog;
  node_options.web_certificate_file = options.web_certificate_file;
  node_options.web_key_file = options.web_key_file;
  if (!options.key_file.empty()) {
    auto key = p2pa::load_or_create_key_file(options.key_file);
    if (!key) return report(options.key_file, key.error());
    node_options.key = std::move(*key);
  }
  for (const std::string& text : options.listen) {
    auto address = Multiaddr::parse(text);
    if (!address) return report_address(text, address.error());
    node_options.listen.push_back(*std::move(address));
  }
  auto opened = Node::open(std::move(node_options));
  if (!opened) {
    return report(fmt::format("cannot start a node on {}", fmt::join(options.listen, ", ")), opened.error());
  }
  Node& node = **opened;
  const auto echo = node.serve(
      "echo", [](const p2pa::PeerId&, p2pa::ByteView request)
                  -> std::expected<p2pa::Bytes, p2pa::ApplicationError> {
        return p2pa::Bytes(request.begin(), request.end());
      });
  if (!echo) return report("cannot serve echo", echo.error());

  int exit_code = kOk;
  node.on_event([&](const NodeEvent& event) {
    if (event.kind == NodeEvent::Kind::kListenFailed) {
      exit_code = kFailed;
      report("cannot listen on " + event.address.to_string(), event.error);
    }
    if (event.dial != nullptr) return;  // its end is told as a connection, or as why --connect failed
    options.json ? show_json(node, event) : show_text(node, event);
  });
  for (const std::string& text : options.connect) {
    const auto address = Multiaddr::parse(text);
    if (!address) return report_address(text, address.error());
    node.dial(*address, [&, text](auto result) {
      if (!result && !stop_requested()) exit_code = report_dial(text, options.network.proxy, result.error());
    });
  }
  for (const std::string& text : options.keep) {
    if (const auto failed = keep(node, text)) return *failed;
  }
  while (!stop_requested() && exit_code == kOk) {
    if (auto polled = node.poll(p2pa::milliseconds(200)); !polled) {
      return report("the node stopped", polled.error());
    }
  }
  node.close();
  node.poll_until([&] { return node.closed(); }, p2pa::seconds(2));
  return exit_code;
}

}  // namespace p2pa_tool
