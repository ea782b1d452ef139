#include "node/journal.hpp"

namespace p2pa {
namespace {

struct Shown {
  LogLevel level;
  const char* subsystem;
};

Shown shown(NodeEvent::Kind kind) {
  switch (kind) {
    case NodeEvent::Kind::kListenFailed: return {LogLevel::kError, "node"};
    case NodeEvent::Kind::kListening:
    case NodeEvent::Kind::kClosed: return {LogLevel::kInfo, "node"};
    case NodeEvent::Kind::kConnected:
    case NodeEvent::Kind::kDisconnected:
    case NodeEvent::Kind::kRefused:
    case NodeEvent::Kind::kPathChanged: return {LogLevel::kDebug, "connection"};
    case NodeEvent::Kind::kIdentified: return {LogLevel::kTrace, "connection"};
    case NodeEvent::Kind::kDialFailed:  // each address was told with its reason
    case NodeEvent::Kind::kDialed: return {LogLevel::kTrace, "dial"};
  }
  return {LogLevel::kTrace, "node"};
}

std::string text_of(const NodeEvent& event) {
  const std::string peer = event.peer.to_string(), address = event.address.to_string();
  switch (event.kind) {
    case NodeEvent::Kind::kListening: return "listening on " + address;
    case NodeEvent::Kind::kListenFailed: return "cannot listen on " + address + ": " + describe(event.error);
    case NodeEvent::Kind::kConnected: return "connected with " + peer + " at " + address;
    case NodeEvent::Kind::kDisconnected: return "disconnected from " + peer + ": " + describe(event.error);
    case NodeEvent::Kind::kPathChanged: return peer + " moved to " + address;
    case NodeEvent::Kind::kRefused: {
      const std::string others = event.count > 1 ? " (and " + std::to_string(event.count - 1) + " more)" : "";
      return "not accepted from " + (address.empty() ? "somebody" : address) + others + ": " + describe(event.error);
    }
    case NodeEvent::Kind::kIdentified: return peer + " said what it speaks and where it listens";
    case NodeEvent::Kind::kDialed: return "reached " + peer + " at " + address;
    case NodeEvent::Kind::kDialFailed: return "did not reach " + peer + ": " + describe(event.error);
    case NodeEvent::Kind::kClosed: return "closed";
  }
  return {};
}

}  // namespace

void Journal::happened(const NodeEvent& event) {
  const Shown how = shown(event.kind);
  if (wants(how.level)) write(how.level, how.subsystem, text_of(event));
}

void Journal::dial_failed(const PeerId& peer, const Multiaddr& address, const Error& why) {
  if (!wants(LogLevel::kDebug)) return;
  const std::string whom = peer.empty() ? "" : peer.to_string() + " ";
  write(LogLevel::kDebug, "dial", whom + "at " + address.to_string() + ": " + describe(why));
}

void Journal::files_unusable(std::string_view option, const Error& why) {
  if (!wants(LogLevel::kError)) return;
  write(LogLevel::kError, "node", std::string(option) + ": " + describe(why));
}

void Journal::stream_refused(const PeerId& peer, const Error& why) {
  if (!wants(LogLevel::kDebug)) return;
  write(LogLevel::kDebug, "stream", "of " + peer.to_string() + ": " + describe(why));
}

void Journal::refusals(Instant now, const LimitCounters& counters) {
  if (!wants(LogLevel::kWarning)) return;
  for (std::size_t i = 0; i < LimitCounters::kCount; ++i) {
    const std::uint64_t more = counters.refused[i] - told_.refused[i];
    if (more == 0 || now < next_[i]) continue;
    told_.refused[i] = counters.refused[i];
    next_[i] = now + kLimitInterval;
    write(LogLevel::kWarning, "limits",
          "the bound " + std::string(LimitCounters::name(static_cast<LimitCounters::Which>(i))) + " refused " +
              std::to_string(more) + (more == 1 ? " time" : " times"));
  }
}

}  // namespace p2pa
