// Events handed to a function instead of a queue, and what may be called inside.
#include "every_function.hpp"

using namespace p2pa::test;

namespace {

void drop_counts(void* counter) { ++*static_cast<int*>(counter); }

struct Inside {
  Node* node = nullptr;
  Arguments arguments;
  bool done = false;
  std::vector<std::pair<std::string, std::int32_t>> outcomes;
};

/// Opens a node with a log callback and a release that runs everything inside.
std::int32_t status_of(const Inside& inside, std::string_view name) {
  for (const auto& [function, status] : inside.outcomes) {
    if (function == name) return status;
  }
  FAIL("not called: " << name);
  return 0;
}

void run_all(Inside& inside) {
  for (const Function& function : every_function()) {
    if (function.name == "node_close" || function.name == "node_set_event_callback") continue;
    inside.outcomes.emplace_back(function.name, function.run(inside.arguments));
  }
}

}  // namespace

TEST_CASE("the callback is told what the queue would have held") {
  Node node;
  std::vector<std::uint32_t> kinds;
  int dropped = 0;
  struct Ctx {
    std::vector<std::uint32_t>* kinds;
    int* dropped;
  } ctx{&kinds, &dropped};
  REQUIRE(p2pa_node_set_event_callback(
              *node, [](void* c, const p2pa_event* e) { static_cast<Ctx*>(c)->kinds->push_back(e->kind); }, &ctx,
              [](void* c) { ++*static_cast<Ctx*>(c)->dropped; }) == P2PA_OK);
  p2pa_event event;
  p2pa_event_init(&event);
  CHECK(p2pa_node_next_event(*node, &event) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_node_wait_event(*node, 0, &event) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_node_poll(*node, 0, 0) == P2PA_OK);
  CHECK(kinds == std::vector<std::uint32_t>{P2PA_EVENT_LISTENING});
  CHECK(dropped == 0);
  CHECK(p2pa_node_set_event_callback(*node, nullptr, nullptr, nullptr) == P2PA_OK);
  CHECK(dropped == 1);
  REQUIRE(p2pa_node_close(*node) == P2PA_OK);
  REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_CLOSED) == 1; }));
  CHECK(kinds.size() == 1);
}

TEST_CASE("a callback triple is dropped once, whatever becomes of it") {
  int dropped = 0;
  const auto nothing = [](void*, const p2pa_event*) {};
  CHECK(p2pa_node_set_event_callback(p2pa_node{5}, nothing, &dropped, drop_counts) == P2PA_E_STALE_HANDLE);
  CHECK(dropped == 1);
  {
    Node node;
    CHECK(p2pa_node_set_event_callback(*node, nothing, &dropped, drop_counts) == P2PA_OK);
    CHECK(p2pa_node_set_event_callback(*node, nothing, &dropped, drop_counts) == P2PA_OK);
    CHECK(dropped == 2);
    CHECK(p2pa_node_set_event_callback(*node, nullptr, &dropped, drop_counts) == P2PA_OK);
    CHECK(dropped == 4);  // the second, and the one that came with no function
    CHECK(p2pa_node_set_event_callback(*node, nothing, &dropped, drop_counts) == P2PA_OK);
  }
  CHECK(dropped == 5);
}

TEST_CASE("inside the event callback everything works but running and freeing the node") {
  Node node;
  Inside inside;
  inside.node = &node;
  inside.arguments.node = *node;
  inside.arguments.peer = *node.peer();
  REQUIRE(p2pa_node_ping(*node, node.peer(), &inside.arguments.op) == P2PA_OK);
  REQUIRE(p2pa_node_call_open(*node, node.peer(), "m", 1, nullptr, &inside.arguments.call) == P2PA_OK);
  REQUIRE(p2pa_node_set_event_callback(
              *node,
              [](void* c, const p2pa_event* event) {
                auto& in = *static_cast<Inside*>(c);
                if (event->kind != P2PA_EVENT_LISTENING) return;
                run_all(in);
                p2pa_event copy = *event;
                in.outcomes.emplace_back("event_release", p2pa_event_release(&copy));
              },
              &inside, nullptr) == P2PA_OK);
  REQUIRE(p2pa_node_poll(*node, 0, 0) >= 0);
  REQUIRE(!inside.outcomes.empty());
  for (const Function& function : every_function()) {
    if (function.name == "node_close" || function.name == "node_set_event_callback") continue;
    const std::int32_t status = status_of(inside, function.name);
    INFO(function.name);
    if (function.name == "node_wait_event" || function.name == "node_next_event") {
      CHECK(status == P2PA_E_INVALID_STATE);
    } else {
      CHECK((status == P2PA_E_WRONG_THREAD) == function.runs_node);
    }
  }
  CHECK(status_of(inside, "event_release") == P2PA_E_STALE_HANDLE);  // the library does that
  CHECK(status_of(inside, "node_addresses") == P2PA_OK);
  CHECK(status_of(inside, "node_call") == P2PA_OK);
}

TEST_CASE("inside a release callback the running node cannot be read, run or freed") {
  Inside inside;
  Pair pair;
  pair.serve("m", P2PA_SERVE_STREAMING);
  inside.node = &pair.client;
  inside.arguments.node = *pair.client;
  inside.arguments.peer = *pair.client.peer();
  p2pa_call call{};
  REQUIRE(p2pa_node_call_open(*pair.client, pair.server.peer(), "m", 1, nullptr, &call) == P2PA_OK);
  REQUIRE(p2pa_call_send_take(call, bytes("x"), 1, [](void* c) { run_all(*static_cast<Inside*>(c)); },
                              &inside) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return !inside.outcomes.empty(); }));
  for (const Function& function : every_function()) {
    if (function.name == "node_close" || function.name == "node_set_event_callback") continue;
    const std::int32_t status = status_of(inside, function.name);
    INFO(function.name);
    if (function.name == "node_wait_event" || function.name == "node_next_event") {
      CHECK((status >= 0 || status == P2PA_E_WRONG_THREAD));  // an event that waits may be taken
    } else {
      CHECK((status == P2PA_E_WRONG_THREAD) == (function.runs_node || function.reads_node));
    }
  }
}

TEST_CASE("a callback may close its node and take itself away") {
  Node node;
  int dropped = 0;
  struct Ctx {
    p2pa_node node;
    int* dropped;
    int calls = 0;
    bool alive = true;
  } ctx{*node, &dropped};
  REQUIRE(p2pa_node_set_event_callback(
              *node,
              [](void* c, const p2pa_event*) {
                auto& self = *static_cast<Ctx*>(c);
                ++self.calls;
                p2pa_node_close(self.node);
                p2pa_node_set_event_callback(self.node, nullptr, nullptr, nullptr);
                CHECK(self.alive);  // dropped after the last call, not under its feet
              },
              &ctx,
              [](void* c) {
                static_cast<Ctx*>(c)->alive = false;
                ++*static_cast<Ctx*>(c)->dropped;
              }) == P2PA_OK);
  REQUIRE(p2pa_node_poll(*node, 0, 0) >= 0);
  CHECK(ctx.calls == 1);
  CHECK(dropped == 1);
  REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_CLOSED) == 1; }));
}

TEST_CASE("the log is heard, and says what subsystem speaks") {
  std::string lines;
  {
    Node node([&](p2pa_node_options& o) {
      o.log = [](void* c, const p2pa_log_record* record) {
        CHECK(record->struct_size == sizeof *record);
        CHECK(record->level >= P2PA_LOG_ERROR);
        CHECK(record->level <= P2PA_LOG_TRACE);
        const auto said = [](p2pa_text text) { return std::string(text.data, text.size); };
        *static_cast<std::string*>(c) += said(record->subsystem) + ": " + said(record->text) + "\n";
      };
      o.log_ctx = &lines;
      o.log_level = P2PA_LOG_TRACE;
    });
    REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_LISTENING) == 1; }));
  }
  CHECK(lines.starts_with("node: listening on /ip4/127.0.0.1/udp/"));
}

TEST_CASE("inside the release of what was refused the node may be freed") {
  struct Ctx {
    p2pa_node node;
    std::int32_t freed = 1;
  };
  const auto free_node = [](void* c) {
    auto& ctx = *static_cast<Ctx*>(c);
    ctx.freed = p2pa_node_free(ctx.node);
  };
  {
    Node node;
    Ctx ctx{*node};
    p2pa_call call{};
    REQUIRE(p2pa_node_call_open(*node, node.peer(), "m", 1, nullptr, &call) == P2PA_OK);
    REQUIRE(p2pa_call_finish(call) == P2PA_OK);
    CHECK(p2pa_call_send_take(call, bytes("x"), 1, free_node, &ctx) == P2PA_E_STREAM_FINISHED);
    CHECK(ctx.freed == P2PA_OK);
  }
  {
    Node node;
    Ctx ctx{*node};
    p2pa_op op{};
    REQUIRE(p2pa_node_ping(*node, node.peer(), &op) == P2PA_OK);
    CHECK(p2pa_stream_write_take(p2pa_stream{op.v}, bytes("x"), 1, free_node, &ctx) == P2PA_E_STALE_HANDLE);
    CHECK(ctx.freed == P2PA_OK);
  }
}
