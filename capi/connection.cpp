#include <algorithm>
#include <string>

#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

/// Reads an address the caller gave as text.
Result<Multiaddr> read_address(const char* text, std::size_t size) {
  std::string_view view;
  if (!read_text(text, size, view) || view.empty()) {
    return fail(Code::kInvalidArgument, "an address is missing");
  }
  auto address = Multiaddr::parse(view);
  if (!address) return fail(Code::kMalformed, address.error().why);
  return address;
}

/// Queues what needs no completion.
Status ask(Host& host, Host::Task task) {
  const Lock lock(host.mutex);
  if (const Status status = host.accepting(); status < 0) return status;
  return host.enqueue(0, std::move(task));
}

/// The end of a dial, however it was asked for.
DialReportCallback dialed(Host& host, std::uint64_t op) {
  return [&host, op](Result<ConnectionInfo> result, const DialReport& report) {
    host.in_turn([&] {
      const Error error = result ? Error{Code::kOk, 0, ""} : result.error();
      host.operations.complete(op, error, [&](Event& event) {
        for (const DialAttempt& attempt : report.attempts) {
          event.attempts.push_back({attempt, attempt.address.to_string()});
        }
        if (!result) return;
        event.peer = result->peer;
        event.address = result->remote_address.to_string();
        event.connection = result->id;
      });
    });
  };
}

template <class F>
Status with_connection(Host& host, std::uint64_t id, F&& code) {
  return host.runner.inspect([&](const Node& node) -> Status {
    const auto all = node.connections();
    const auto it = std::ranges::find(all, id, &ConnectionInfo::id);
    return it == all.end() ? P2PA_E_NOT_FOUND : code(*it);
  });
}

}  // namespace

int32_t p2pa_node_listen(p2pa_node node, const char* address, size_t address_size,
                         p2pa_error_info* error) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    auto where = read_address(address, address_size);
    if (!where) return explain(where.error(), error);
    return ask(host, [&host, at = std::move(*where)](Node& running) {
      const auto listening = running.listen(at);
      if (listening) return;
      NodeEvent failed{};
      failed.kind = NodeEvent::Kind::kListenFailed;
      failed.address = at;
      failed.error = listening.error();
      host.tell_notification(failed);
    });
  });
}

int32_t p2pa_node_add_address(p2pa_node node, const p2pa_peer* peer, const char* address,
                              size_t address_size, p2pa_error_info* error) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto id = read_peer(peer);
    if (!id) return explain({Code::kInvalidArgument, 0, "not a peer id"}, error);
    auto where = read_address(address, address_size);
    if (!where) return explain(where.error(), error);
    const auto named = where->peer_id();
    if (named && *named != *id) {
      return explain({Code::kPeerIdMismatch, 0, "the address names another peer"}, error);
    }
    return ask(host, [who = *id, at = std::move(*where)](Node& running) {
      (void)running.add_address(who, at);
    });
  });
}

int32_t p2pa_node_dial(p2pa_node node, const char* address, size_t address_size, p2pa_op* op,
                       p2pa_error_info* error) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    auto where = read_address(address, address_size);
    if (!where) return explain(where.error(), error);
    if (op == nullptr) return explain({Code::kInvalidArgument, 0, "nowhere to put the operation"}, error);
    const PeerId peer = where->peer_id().value_or(PeerId());
    return host.operations.begin(P2PA_EVENT_DIAL_DONE, peer, 0, &op->v,
                                 [&host, at = std::move(*where)](Node& running, std::uint64_t id) {
                                   running.dial(at, {}, dialed(host, id));
                                 });
  });
}

int32_t p2pa_node_dial_peer(p2pa_node node, const p2pa_peer* peer, p2pa_op* op) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    if (!who || op == nullptr) return P2PA_E_INVALID_ARGUMENT;
    return host.operations.begin(P2PA_EVENT_DIAL_DONE, *who, 0, &op->v,
                                 [&host, who](Node& running, std::uint64_t id) {
                                   running.dial(*who, {}, dialed(host, id));
                                 });
  });
}

int32_t p2pa_node_disconnect(p2pa_node node, const p2pa_peer* peer) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    if (!who) return P2PA_E_INVALID_ARGUMENT;
    return ask(host, [who](Node& running) { running.disconnect(*who); });
  });
}

int32_t p2pa_node_addresses(p2pa_node node, char* buffer, size_t* size) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (size == nullptr) return P2PA_E_INVALID_ARGUMENT;
    return host.runner.inspect([&](const Node& running) {
      std::string lines;
      for (const Multiaddr& address : running.addresses()) {
        if (!lines.empty()) lines += '\n';
        lines += address.to_string();
      }
      return write_text(lines, buffer, size);
    });
  });
}

int32_t p2pa_node_connections(p2pa_node node, uint64_t* connections, size_t* count) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (count == nullptr) return P2PA_E_INVALID_ARGUMENT;
    return host.runner.inspect([&](const Node& running) -> Status {
      const auto all = running.connections();
      const bool fits = all.empty() || (connections != nullptr && *count >= all.size());
      *count = all.size();
      if (!fits) return P2PA_E_BUFFER_TOO_SMALL;
      std::ranges::transform(all, connections, &ConnectionInfo::id);
      return P2PA_OK;
    });
  });
}

int32_t p2pa_node_connection_info(p2pa_node node, uint64_t connection,
                                  p2pa_connection_info* info) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (!writable(info)) return P2PA_E_INVALID_ARGUMENT;
    return with_connection(host, connection, [&](const ConnectionInfo& from) -> Status {
      p2pa_connection_info out;
      p2pa_connection_info_init(&out);
      out.outbound = from.outbound ? 1 : 0;
      out.connection = from.id;
      write_peer(from.peer, &out.peer);
      out.rtt_ns = from.rtt.ns;
      out.bytes_sent = from.bytes_sent;
      out.bytes_received = from.bytes_received;
      out.packets_sent = from.packets_sent;
      out.packets_received = from.packets_received;
      out.streams = from.streams;
      write_struct(out, info);
      return P2PA_OK;
    });
  });
}

int32_t p2pa_node_connection_address(p2pa_node node, uint64_t connection, char* buffer,
                                     size_t* size) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (size == nullptr) return P2PA_E_INVALID_ARGUMENT;
    return with_connection(host, connection, [&](const ConnectionInfo& from) {
      return write_text(from.remote_address.to_string(), buffer, size);
    });
  });
}
