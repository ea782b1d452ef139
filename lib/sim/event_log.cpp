#include "sim/event_log.hpp"

namespace p2pa::sim {
namespace {

const char* kind_name(NodeEvent::Kind kind) {
  switch (kind) {
    case NodeEvent::Kind::kListening:
      return "listening";
    case NodeEvent::Kind::kListenFailed:
      return "listen_failed";
    case NodeEvent::Kind::kConnected:
      return "connected";
    case NodeEvent::Kind::kDisconnected:
      return "disconnected";
    case NodeEvent::Kind::kIdentified:
      return "identified";
    case NodeEvent::Kind::kPathChanged:
      return "path_changed";
    case NodeEvent::Kind::kDialed:
      return "dialed";
    case NodeEvent::Kind::kDialFailed:
      return "dial_failed";
    case NodeEvent::Kind::kRefused:
      return "refused";
    case NodeEvent::Kind::kClosed:
      return "closed";
  }
  return "unknown";
}

}  // namespace

void EventLog::add(const NodeEvent& event) {
  lines_.push_back(line(event));
}

std::string EventLog::line(const NodeEvent& event) {
  std::string out = kind_name(event.kind);
  if (!event.peer.empty()) out += ' ' + event.peer.to_string();
  if (event.last) out += " last";
  if (event.error.code != Code::kOk) {
    out += ' ';
    out += code_name(event.error.code);
    out += ' ' + std::to_string(event.error.detail);
  }
  return out;
}

}  // namespace p2pa::sim
