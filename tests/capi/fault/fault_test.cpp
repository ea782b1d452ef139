// Every entry point with every allocation and every inner entry failing in turn: a proper status, no
// crash, and (under AddressSanitizer) no leak.
#include <map>
#include <optional>

#include "../every_function.hpp"
#include "faults.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

using namespace p2pa::test;

namespace {

/// A node whose invariants are broken is left as it is, by intent; the leak checker must not mind.
class LeaksAllowed final {
 public:
  explicit LeaksAllowed(bool allowed) : allowed_(allowed) {
#if defined(__SANITIZE_ADDRESS__)
    if (allowed_) __lsan_disable();
#endif
  }
  ~LeaksAllowed() {
#if defined(__SANITIZE_ADDRESS__)
    if (allowed_) __lsan_enable();
#endif
  }
  LeaksAllowed(const LeaksAllowed&) = delete;
  LeaksAllowed& operator=(const LeaksAllowed&) = delete;

 private:
  [[maybe_unused]] bool allowed_;
};

bool proper(std::int32_t status) { return status >= 0 || std::string(p2pa_status_name(status)) != "unknown"; }

/// A pair with something open of each kind: an operation, a call at both ends, a stream at both ends.
struct Scene {
  Pair pair;
  Arguments client, server;

  Scene() {
    pair.serve("talk", P2PA_SERVE_STREAMING);
    pair.serve("held", P2PA_SERVE_UNARY);
    REQUIRE(p2pa_node_handle_protocol(*pair.server, "/scene/1", 8) == P2PA_OK);
    pair.server.run();
    client.node = *pair.client;
    client.peer = *pair.server.peer();
    server.node = *pair.server;
    server.peer = *pair.client.peer();
    client.op = pair.call("held", "x");
    REQUIRE(p2pa_node_call_open(*pair.client, pair.server.peer(), "talk", 4, nullptr, &client.call) == P2PA_OK);
    REQUIRE(p2pa_call_send(client.call, bytes("m"), 1) == P2PA_OK);
    p2pa_op op{};
    REQUIRE(p2pa_node_open_stream(*pair.client, pair.server.peer(), "/scene/1", 8, &op) == P2PA_OK);
    client.stream = pair.finish(op).event.stream;
    std::size_t taken = 0;
    REQUIRE(p2pa_stream_write(client.stream, bytes("b"), 1, &taken) == P2PA_OK);
    REQUIRE(pair.run_until([&] {
      return pair.server.count(P2PA_EVENT_REQUEST) == 1 && pair.server.count(P2PA_EVENT_CALL_MESSAGE) == 1 &&
             pair.server.count(P2PA_EVENT_STREAM_DATA) == 1;
    }));
    server.call = pair.server.of(P2PA_EVENT_CALL_INCOMING).at(0).event.call;
    server.stream = pair.server.of(P2PA_EVENT_STREAM_INCOMING).at(0).event.stream;
  }
};

const Fault kFaults[] = {Fault::kAllocation, Fault::kException, Fault::kAssertion};

}  // namespace

TEST_CASE("every function stands every failure inside it") {
  for (const Fault fault : kFaults) {
    const LeaksAllowed leaks(fault == Fault::kAssertion);
    for (const Function& function : every_function()) {
      bool struck = true;
      for (std::uint64_t n = 1; struck && n < 200; ++n) {
        INFO(function.name << ", fault " << static_cast<int>(fault) << " number " << n);
        Node node;
        Arguments arguments;
        arguments.node = *node;
        arguments.peer = *node.peer();
        REQUIRE(p2pa_node_ping(*node, node.peer(), &arguments.op) == P2PA_OK);
        REQUIRE(p2pa_node_call_open(*node, node.peer(), "m", 1, nullptr, &arguments.call) == P2PA_OK);
        std::int32_t status = 0;
        {
          const Armed armed(fault, n);
          status = function.run(arguments);
          struck = armed.struck();
        }
        CHECK(proper(status));
        if (!struck) CHECK(status != P2PA_E_INTERNAL);
      }
      CHECK(!struck);
    }
  }
}

TEST_CASE("what works on a stream, or on a call that was served, stands every failure inside it") {
  const auto all = every_function();
  for (const std::string_view name : {"stream_write", "stream_finish", "stream_reset", "call_fail"}) {
    const auto function = std::find_if(all.begin(), all.end(), [&](const Function& f) { return f.name == name; });
    REQUIRE(function != all.end());
    for (const Fault fault : kFaults) {
      const LeaksAllowed leaks(fault == Fault::kAssertion);
      bool struck = true;
      std::int32_t status = 0;
      for (std::uint64_t n = 1; struck; ++n) {
        INFO(name << ", fault " << static_cast<int>(fault) << " number " << n);
        REQUIRE(n < 100);
        Scene scene;
        {
          const Armed armed(fault, n);
          status = function->run(scene.server);
          struck = armed.struck();
        }
        if (struck) CHECK((status == P2PA_OK || status == P2PA_E_OUT_OF_MEMORY || status == P2PA_E_INTERNAL));
      }
      CHECK(status == P2PA_OK);  // the handle was no stale one
    }
  }
}

TEST_CASE("opening stands every failure inside it") {
  const std::string_view listen = "/ip4/127.0.0.1/udp/0/quic-v1";
  const std::uint8_t key[32] = {5};
  for (const Fault fault : kFaults) {
    bool struck = true;
    int dropped = 0;
    std::uint64_t n = 0;
    while (struck) {
      ++n;
      REQUIRE(n < 2000);
      INFO("fault " << static_cast<int>(fault) << " number " << n);
      p2pa_node_options options;
      p2pa_node_options_init(&options);
      options.listen = listen.data();
      options.listen_size = listen.size();
      options.key = key;
      options.key_size = sizeof key;
      options.log = [](void*, const p2pa_log_record*) {};
      options.log_ctx = &dropped;
      options.log_drop = [](void* c) { ++*static_cast<int*>(c); };
      p2pa_node node{};
      std::int32_t status = 0;
      {
        const Armed armed(fault, n);
        status = p2pa_node_open(&options, &node, nullptr);
        struck = armed.struck();
      }
      CHECK(proper(status));
      if (status == P2PA_OK) p2pa_node_free(node);
      CHECK(dropped == static_cast<int>(n));
    }
    CHECK(n > 1);
  }
}

TEST_CASE("values stand every failure inside them") {
  for (const Fault fault : kFaults) {
    bool struck = true;
    for (std::uint64_t n = 1; struck; ++n) {
      const std::string_view id = "12D3KooWE3QvdF43Fk5boAjuPAx6fzBaDMhuELm2K2rPyR2mECHk";
      const std::string_view address =
          "/ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3KooWE3QvdF43Fk5boAjuPAx6fzBaDMhuELm2K2rPyR2mECHk";
      char text[256];
      std::uint8_t key[128];
      std::size_t text_size = sizeof text, key_size = sizeof key;
      p2pa_peer peer{};
      std::int32_t statuses[5];
      const Armed armed(fault, n);
      statuses[0] = p2pa_peer_parse(id.data(), id.size(), &peer);
      statuses[1] = p2pa_peer_text(&peer, text, &text_size);
      statuses[2] = p2pa_address_peer(address.data(), address.size(), &peer);
      statuses[3] = p2pa_key_generate(key, &key_size);
      statuses[4] = p2pa_key_peer(key, key_size, &peer);
      struck = armed.struck();
      for (const std::int32_t status : statuses) CHECK(proper(status));
      REQUIRE(n < 200);
    }
  }
}

TEST_CASE("what is lent is released once, whatever fails") {
  for (const Fault fault : kFaults) {
    const LeaksAllowed leaks(fault == Fault::kAssertion);
    bool struck = true;
    for (std::uint64_t n = 1; struck; ++n) {
      REQUIRE(n < 100);
      int released = 0, dropped = 0;
      const auto once = [](void* c) { ++*static_cast<int*>(c); };
      {
        Scene scene;
        const Armed armed(fault, n);
        (void)p2pa_call_send_take(scene.client.call, bytes("1"), 1, once, &released);
        (void)p2pa_call_reply_take(scene.server.call, bytes("2"), 1, once, &released);
        (void)p2pa_stream_write_take(scene.client.stream, bytes("3"), 1, once, &released);
        (void)p2pa_node_set_event_callback(scene.client.node, [](void*, const p2pa_event*) {}, &dropped, once);
        struck = armed.struck();
      }
      CHECK(released == 3);
      CHECK(dropped == 1);
    }
  }
}

TEST_CASE("a failure in the middle of a turn ends that node alone, and every operation once") {
  const Fault fault = GENERATE(Fault::kAllocation, Fault::kException, Fault::kAssertion);
  const LeaksAllowed leaks(fault == Fault::kAssertion);
  bool struck = true;
  std::uint64_t buried = 0;
  // The first ones all, later ones here and there: a handshake allocates a thousand times.
  for (std::uint64_t n = 1; struck; n += n < 40 ? 1 : 1 + n / 10) {
    INFO("number " << n);
    Pair pair;
    pair.serve("held", P2PA_SERVE_UNARY);
    const p2pa_node node = *pair.client;
    std::map<std::uint64_t, int> completed;
    p2pa_op op{};
    const auto began = [&](std::int32_t status) {
      REQUIRE(status == P2PA_OK);
      completed[op.v] = 0;
    };
    p2pa_call call{};
    began(p2pa_node_ping(node, pair.server.peer(), &op));
    began(p2pa_node_call(node, pair.server.peer(), "held", 4, bytes("x"), 1, nullptr, &op));
    began(p2pa_node_open_stream(node, pair.server.peer(), "/none/1", 7, &op));
    REQUIRE(p2pa_node_call_open(node, pair.server.peer(), "held", 4, nullptr, &call) == P2PA_OK);
    REQUIRE(p2pa_call_send(call, bytes("y"), 1) == P2PA_OK);

    struck = false;
    std::int32_t status = 0;
    std::uint64_t spent = 0;
    for (int round = 0; round < 60 && !struck; ++round) {
      {
        const Armed armed(fault, n - spent);
        status = p2pa_node_poll(node, 1000, 4);
        struck = armed.struck();
        if (!struck) spent = std::min(n - 1, spent + armed.used());
      }
      pair.server.run();
    }
    CHECK(proper(status));
    if (status < 0) {
      ++buried;
      CHECK(status == (fault == Fault::kAllocation ? P2PA_E_OUT_OF_MEMORY : P2PA_E_INTERNAL));
      CHECK(p2pa_node_poll(node, 0, 0) == status);
      CHECK(p2pa_node_ping(node, pair.server.peer(), &op) == status);
      pair.client.run();
      for (const Seen& s : pair.client.seen) {
        if (s.event.op.v != 0) ++completed[s.event.op.v];
      }
      for (const auto& [asked, times] : completed) CHECK(times == 1);
      CHECK(pair.client.count(P2PA_EVENT_CALL_ENDED) == 1);
      CHECK(pair.client.seen.back().event.kind == P2PA_EVENT_CLOSED);
      CHECK(pair.client.seen.back().event.status == status);
      // The other node does not notice more than a silent peer.
      REQUIRE(p2pa_node_ping(*pair.server, pair.server.peer(), &op) == P2PA_OK);
      REQUIRE(run_until({&pair.server}, [&] { return pair.server.completion(op) != nullptr; }));
    }
  }
  CHECK(buried > 3);
}

TEST_CASE("a failure on the library's thread ends the node, and who waits is told") {
  const Fault fault = GENERATE(Fault::kAllocation, Fault::kException, Fault::kAssertion);
  const LeaksAllowed leaks(fault == Fault::kAssertion);
  Node node;
  node.run();
  p2pa_op op{};
  REQUIRE(p2pa_node_ping(*node, node.peer(), &op) == P2PA_OK);
  {
    const Armed armed(fault, 1);
    const std::int32_t status = p2pa_node_start_thread(*node);
    if (status != P2PA_OK) return;  // it struck here, where nothing was lost
    while (!armed.struck()) {}
  }
  REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_CLOSED) == 1; }));
  CHECK(node.completion(op) != nullptr);
}
