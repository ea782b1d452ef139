#include <fmt/format.h>

#include <cstdio>

#include "output.hpp"
#include "p2pagents/key_file.hpp"
#include "p2pagents/node.hpp"
#include "session.hpp"

namespace p2pa_tool {
namespace {

/// Who hears us for the first time asks whether we are there, and asks again for a second.
constexpr p2pa::Duration kStay = p2pa::milliseconds(1200);

int say(p2pa::Node& node, const LanCommandOptions& options) {
  if (const auto sent = node.send_lan(options.topic, p2pa::as_bytes(*options.message)); !sent) {
    return report("cannot say that", sent.error());
  }
  node.poll_until([] { return stop_requested(); }, kStay);
  return stop_requested() ? report_interrupted() : kOk;
}

int listen(p2pa::Node& node, const LanCommandOptions& options) {
  if (const auto joined = node.join_lan(options.topic); !joined) return report(options.topic, joined.error());
  int exit_code = kOk;
  node.on_event([&](const p2pa::NodeEvent& event) {
    if (event.kind != p2pa::NodeEvent::Kind::kListenFailed) return;
    exit_code = report("cannot listen on " + event.address.to_string(), event.error);
  });
  node.on_lan_message([&](const p2pa::LanMessage& message) {
    const std::string text(p2pa::as_text(message.bytes));
    if (options.json) {
      return print_json(
          {{"from", message.from.to_string()}, {"topic", std::string(message.topic)}, {"message", text}});
    }
    fmt::print("{}: {}\n", message.from.to_string(), text);
    std::fflush(stdout);
  });
  if (!node.poll({})) return kFailed;
  if (exit_code == kOk && options.json) print_json({{"listening", options.topic}, {"peer", node.id().to_string()}});
  while (!stop_requested() && exit_code == kOk) {
    if (!node.poll(p2pa::milliseconds(200))) return kFailed;
  }
  return exit_code;
}

}  // namespace

int run_lan(const LanCommandOptions& options) {
  stop_on_signals();
  auto made = options_for({.network_key_file = options.network_key_file});
  if (!made) return made.error();
  made->lan.application = options.application;
  made->lan.broadcast = options.broadcast;
  if (options.port != 0) made->lan.port = options.port;
  if (!options.key_file.empty()) {
    auto key = p2pa::load_or_create_key_file(options.key_file);
    if (!key) return report(options.key_file, key.error());
    made->key = std::move(*key);
  }
  auto node = p2pa::Node::open(*std::move(made));
  if (!node) return report("cannot start a node", node.error());
  return options.message ? say(**node, options) : listen(**node, options);
}

}  // namespace p2pa_tool
