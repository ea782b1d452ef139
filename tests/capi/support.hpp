#pragma once
// Nodes behind the C face on the loopback interface, polled in turn by the test.

#include <catch2/catch.hpp>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "p2pagents/p2pagents.h"

namespace p2pa::test {

inline const std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

/// An event with a copy of what it lent.
struct Seen {
  p2pa_event event;
  std::string data, text, name, address;
};

inline Seen copy_of(const p2pa_event& event) {
  const auto text = [](p2pa_text t) { return t.size == 0 ? std::string() : std::string(t.data, t.size); };
  Seen seen{event, {}, text(event.text), text(event.name), text(event.address)};
  if (event.data.size != 0) seen.data.assign(reinterpret_cast<const char*>(event.data.data), event.data.size);
  return seen;
}

class Node final {
 public:
  using Configure = std::function<void(p2pa_node_options&)>;

  explicit Node(const Configure& configure = [](p2pa_node_options&) {}) {
    p2pa_node_options options;
    p2pa_node_options_init(&options);
    const std::string_view listen = "/ip4/127.0.0.1/udp/0/quic-v1";
    options.listen = listen.data();
    options.listen_size = listen.size();
    configure(options);
    p2pa_error_info error;
    p2pa_error_info_init(&error);
    const std::int32_t status = p2pa_node_open(&options, &handle_, &error);
    INFO(error.text);
    REQUIRE(status == P2PA_OK);
    REQUIRE(p2pa_node_peer(handle_, &peer_) == P2PA_OK);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() { p2pa_node_free(handle_); }

  p2pa_node operator*() const { return handle_; }
  const p2pa_peer* peer() const { return &peer_; }

  /// Runs the node for a moment and takes what it tells.
  void run(std::int64_t timeout_us = 0) {
    p2pa_event event;
    p2pa_event_init(&event);
    while (p2pa_node_wait_event(handle_, timeout_us, &event) == P2PA_OK) {
      seen.push_back(copy_of(event));
      const bool keep = !keep_kind_ || event.kind != keep_kind_;
      if (keep) {
        p2pa_event_release(&event);
      } else {
        kept.push_back(event);
      }
      timeout_us = 0;
    }
  }
  /// Leaves events of this kind unreleased, in `kept`.
  void keep(std::uint32_t kind) { keep_kind_ = kind; }
  void release_kept() {
    for (p2pa_event& event : kept) REQUIRE(p2pa_event_release(&event) == P2PA_OK);
    kept.clear();
  }

  std::size_t count(std::uint32_t kind) const {
    return static_cast<std::size_t>(std::count_if(
        seen.begin(), seen.end(), [&](const Seen& s) { return s.event.kind == kind; }));
  }
  std::vector<Seen> of(std::uint32_t kind) const {
    std::vector<Seen> out;
    for (const Seen& s : seen) {
      if (s.event.kind == kind) out.push_back(s);
    }
    return out;
  }
  const Seen* completion(p2pa_op op) const {
    for (const Seen& s : seen) {
      if (s.event.op.v == op.v) return &s;
    }
    return nullptr;
  }

  std::string address() const {
    char buffer[512];
    std::size_t size = sizeof buffer;
    REQUIRE(p2pa_node_addresses(handle_, buffer, &size) == P2PA_OK);
    return {buffer, size};
  }

  std::vector<Seen> seen;
  std::vector<p2pa_event> kept;

 private:
  p2pa_node handle_{};
  p2pa_peer peer_{};
  std::uint32_t keep_kind_ = 0;
};

/// Runs the nodes in turn until the predicate holds; false when it hangs.
inline bool run_until(std::initializer_list<Node*> nodes, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    for (Node* node : nodes) node->run(nodes.size() == 1 ? 10'000 : 500);
  }
  return true;
}

/// Two nodes, the first of which knows where the second is.
/// The options of a node with bounds of its own.
inline Node::Configure limited(const std::function<void(p2pa_limits&)>& set) {
  const auto limits = std::make_shared<p2pa_limits>();
  p2pa_limits_init(limits.get());
  set(*limits);
  return [limits](p2pa_node_options& options) { options.limits = limits.get(); };
}

struct Pair {
  explicit Pair(const Node::Configure& client_options = [](p2pa_node_options&) {},
                const Node::Configure& server_options = [](p2pa_node_options&) {})
      : client(client_options), server(server_options) {
    REQUIRE(test::run_until({&server}, [&] { return server.count(P2PA_EVENT_LISTENING) > 0; }));
    const std::string address = server.address();
    REQUIRE(p2pa_node_add_address(*client, server.peer(), address.data(), address.size(), nullptr) == P2PA_OK);
  }
  bool run_until(const std::function<bool()>& done) { return test::run_until({&client, &server}, done); }
  /// Runs until the operation of the client has completed, and says how.
  const Seen& finish(p2pa_op op) {
    REQUIRE(run_until([&] { return client.completion(op) != nullptr; }));
    return *client.completion(op);
  }
  p2pa_op call(std::string_view method, std::string_view request, const p2pa_call_options* options = nullptr) {
    p2pa_op op{};
    REQUIRE(p2pa_node_call(*client, server.peer(), method.data(), method.size(), bytes(request),
                           request.size(), options, &op) == P2PA_OK);
    return op;
  }
  void serve(std::string_view method, std::uint32_t mode) {
    REQUIRE(p2pa_node_serve(*server, method.data(), method.size(), mode) == P2PA_OK);
    server.run();
  }
  /// Sends so many messages on each of the client's calls and finishes it, the server too when it has seen that,
  /// until all have ended. `each_round` runs between two turns.
  void send_to_the_end(std::span<const p2pa_call> calls, std::string_view message, std::size_t count,
                       const std::function<void()>& each_round = [] {}) {
    std::vector<std::size_t> sent(calls.size());
    std::size_t answered = 0;
    REQUIRE(run_until([&] {
      for (std::size_t i = 0; i < calls.size(); ++i) {
        while (sent[i] < count && p2pa_call_send(calls[i], bytes(message), message.size()) == P2PA_OK) {
          if (++sent[i] == count) REQUIRE(p2pa_call_finish(calls[i]) == P2PA_OK);
        }
      }
      each_round();
      const auto finished = server.of(P2PA_EVENT_CALL_FINISHED);
      for (; answered < finished.size(); ++answered) p2pa_call_finish(finished[answered].event.call);
      return client.count(P2PA_EVENT_CALL_ENDED) == calls.size();
    }));
  }

  Node client, server;
};

}  // namespace p2pa::test
