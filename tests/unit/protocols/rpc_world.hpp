#pragma once
// A caller and a server of rpc on one connection, and what their calls were told.

#include <string>
#include <vector>

#include "protocols/rpc/rpc.hpp"
#include "resource/manager.hpp"
#include "support/two_hosts.hpp"

namespace p2pa::test {

struct RpcWorld {
  explicit RpcWorld(memory::Config config = {}, Limits limits = {})
      : hosts(config),
        client_resources(limits),
        server_resources(limits),
        client(hosts.dialer, client_resources),
        server(hosts.listener, server_resources) {
    hosts.dialer.add(client);
    hosts.listener.add(server);
    hosts.settle();
  }

  CallId call(std::string_view method, std::string_view request, UnaryCallback done, CallOptions options = {}) {
    return client.call(hosts.now, hosts.listener_id, method, as_bytes(request), options, std::move(done));
  }
  Call& open(std::string_view method, CallHandler handler, CallOptions options = {}) {
    return client.open_call(hosts.now, hosts.listener_id, method, options, std::move(handler));
  }
  bool clean() const { return leftovers().empty(); }
  /// What is still in use at either end; empty when nothing is.
  std::string leftovers() const {
    std::string out;
    const auto add = [&](const char* name, std::size_t n) {
      if (n > 0) out += std::string(name) + "=" + std::to_string(n) + " ";
    };
    const auto& a = client_resources.usage();
    const auto& b = server_resources.usage();
    add("client calls reserved", a.calls);
    add("client memory", a.memory);
    add("client calls", client.calls_count());
    add("client streams", hosts.dialer.streams_count());
    add("server calls reserved", b.calls);
    add("server memory", b.memory);
    add("server calls", server.calls_count());
    add("server streams", hosts.listener.streams_count());
    return out;
  }

  TwoHosts hosts;
  resource::Manager client_resources, server_resources;
  rpc::Rpc client, server;
};

/// How a unary call ended.
struct Answer {
  std::vector<CallOutcome> outcomes;
  std::string text;

  UnaryCallback callback() {
    return [this](const CallOutcome& outcome, ByteView answer) {
      outcomes.push_back(outcome);
      text = as_text(answer);
    };
  }
  bool done() const { return !outcomes.empty(); }
  Code code() const { return outcomes.at(0).error.code; }
};

/// What one end of a call was told.
struct CallLog {
  std::vector<std::string> messages;
  std::size_t bytes = 0;
  int finished = 0;
  int writable = 0;
  std::vector<CallOutcome> ends;
  CallId id = 0;

  CallHandler handler() {
    CallHandler h;
    h.on_message = [this](Call& call, ByteView message) {
      id = call.id();
      messages.emplace_back(as_text(message));
      bytes += message.size();
    };
    h.on_finished = [this](Call&) { ++finished; };
    h.on_writable = [this](Call&) { ++writable; };
    h.on_end = [this](Call&, const CallOutcome& outcome) { ends.push_back(outcome); };
    return h;
  }
  Code code() const { return ends.at(0).error.code; }
};

inline Result<void> serve_echo(rpc::Rpc& server) {
  return server.serve("echo", UnaryMethod([](const PeerId&, ByteView request) {
    return std::expected<Bytes, ApplicationError>(Bytes(request.begin(), request.end()));
  }));
}

}  // namespace p2pa::test
