// Polling, the descriptor with the deadline, and the library's thread tell the same.
#include <poll.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "support.hpp"

using namespace p2pa::test;

namespace {

enum class Mode { kPoll, kDescriptor, kThread, kThreadCallback };

/// What an event says, without what differs from run to run: times, ports, handles, keys.
std::string signature(const p2pa_event& event) {
  std::string out = p2pa_event_name(event.kind);
  out += ' ';
  out += p2pa_status_name(event.status);
  if (event.data.size > 0) out += ' ' + std::string(reinterpret_cast<const char*>(event.data.data), event.data.size);
  if (event.name.size > 0) out += ' ' + std::string(event.name.data, event.name.size);
  return out;
}

/// Takes events of a client in one of the modes.
class Taker final {
 public:
  Taker(p2pa_node node, Mode mode) : node_(node), mode_(mode) {
    if (mode == Mode::kThreadCallback) {
      REQUIRE(p2pa_node_set_event_callback(
                  node,
                  [](void* self, const p2pa_event* event) { static_cast<Taker*>(self)->note(*event); },
                  this, nullptr) == P2PA_OK);
    }
    if (threaded()) REQUIRE(p2pa_node_start_thread(node) == P2PA_OK);
  }
  ~Taker() {
    if (threaded()) p2pa_node_stop_thread(node_);
    p2pa_node_set_event_callback(node_, nullptr, nullptr, nullptr);
  }
  Taker(const Taker&) = delete;
  Taker& operator=(const Taker&) = delete;

  /// The completion of this operation, after everything that came before it.
  std::int32_t wait_for(p2pa_op op) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        const auto it = completions_.find(op.v);
        if (it != completions_.end()) return it->second;
      }
      REQUIRE(std::chrono::steady_clock::now() < end);
      step();
    }
  }
  void wait_for_close() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!closed_) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      step();
    }
  }
  std::vector<std::string> signatures() {
    const std::lock_guard lock(mutex_);
    return signatures_;
  }

 private:
  bool threaded() const { return mode_ == Mode::kThread || mode_ == Mode::kThreadCallback; }

  void step() {
    switch (mode_) {
      case Mode::kPoll: take(10'000); return;
      case Mode::kThread: take(10'000); return;
      case Mode::kThreadCallback: std::this_thread::yield(); return;
      case Mode::kDescriptor: {
        intptr_t fd = -1;
        std::int64_t deadline_us = 0;
        REQUIRE(p2pa_node_wakeup_fd(node_, &fd) == P2PA_OK);
        REQUIRE(p2pa_node_next_deadline(node_, &deadline_us) == P2PA_OK);
        pollfd watched{static_cast<int>(fd), POLLIN, 0};
        const std::int64_t wait_ms = deadline_us < 0 ? 1000 : std::min<std::int64_t>(1000, (deadline_us + 999) / 1000);
        ::poll(&watched, 1, static_cast<int>(wait_ms));
        REQUIRE(p2pa_node_poll(node_, 0, 0) >= 0);
        p2pa_event event;
        p2pa_event_init(&event);
        while (p2pa_node_next_event(node_, &event) == P2PA_OK) {
          note(event);
          p2pa_event_release(&event);
        }
      }
    }
  }
  void take(std::int64_t timeout_us) {
    p2pa_event event;
    p2pa_event_init(&event);
    while (p2pa_node_wait_event(node_, timeout_us, &event) == P2PA_OK) {
      note(event);
      p2pa_event_release(&event);
      timeout_us = 0;
    }
  }
  void note(const p2pa_event& event) {
    const std::lock_guard lock(mutex_);
    // Identify runs beside what is asked for, so where it lands among the rest is the network's.
    if (event.kind != P2PA_EVENT_IDENTIFIED) signatures_.push_back(signature(event));
    if (event.op.v != 0) completions_[event.op.v] = event.status;
    if (event.kind == P2PA_EVENT_CLOSED) closed_ = true;
  }

  p2pa_node node_;
  Mode mode_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::int32_t> completions_;
  std::vector<std::string> signatures_;
  std::atomic<bool> closed_{false};
};

/// A server on the library's thread, of "echo" and of "never", which nobody answers.
class EchoServer final {
 public:
  EchoServer() {
    REQUIRE(p2pa_node_serve(*node_, "echo", 4, P2PA_SERVE_UNARY) == P2PA_OK);
    REQUIRE(p2pa_node_serve(*node_, "never", 5, P2PA_SERVE_UNARY) == P2PA_OK);
    REQUIRE(run_until({&node_}, [&] { return node_.count(P2PA_EVENT_LISTENING) == 1; }));
    address_ = node_.address();
    REQUIRE(p2pa_node_set_event_callback(
                *node_,
                [](void*, const p2pa_event* e) {
                  if (e->kind != P2PA_EVENT_REQUEST || std::string_view(e->name.data, e->name.size) != "echo") return;
                  p2pa_call_reply(e->call, e->data.data, e->data.size);
                },
                nullptr, nullptr) == P2PA_OK);
    REQUIRE(p2pa_node_start_thread(*node_) == P2PA_OK);
  }
  const p2pa_peer* peer() const { return node_.peer(); }
  const std::string& address() const { return address_; }

 private:
  Node node_;
  std::string address_;
};

std::vector<std::string> run(Mode mode) {
  EchoServer server;
  p2pa_node node{};
  REQUIRE(p2pa_node_open(nullptr, &node, nullptr) == P2PA_OK);
  std::vector<std::string> out;
  {
    Taker taker(node, mode);
    p2pa_op op{};
    REQUIRE(p2pa_node_dial(node, server.address().data(), server.address().size(), &op, nullptr) == P2PA_OK);
    CHECK(taker.wait_for(op) == P2PA_OK);
    for (int i = 0; i < 10; ++i) {
      const std::string request = "request " + std::to_string(i);
      REQUIRE(p2pa_node_call(node, server.peer(), "echo", 4, bytes(request), request.size(), nullptr, &op) == P2PA_OK);
      CHECK(taker.wait_for(op) == P2PA_OK);
    }
    REQUIRE(p2pa_node_call(node, server.peer(), "missing", 7, nullptr, 0, nullptr, &op) == P2PA_OK);
    CHECK(taker.wait_for(op) == P2PA_E_NO_SUCH_METHOD);
    // Where a thread runs the node, what is answered may be answered before it is cancelled.
    REQUIRE(p2pa_node_call(node, server.peer(), "never", 5, nullptr, 0, nullptr, &op) == P2PA_OK);
    REQUIRE(p2pa_op_cancel(op) == P2PA_OK);
    CHECK(taker.wait_for(op) == P2PA_E_CANCELLED);
    REQUIRE(p2pa_node_close(node) == P2PA_OK);
    taker.wait_for_close();
    out = taker.signatures();
  }
  CHECK(p2pa_node_free(node) == P2PA_OK);
  return out;
}

}  // namespace

TEST_CASE("every way to run a node tells the same events in the same order") {
  const auto polled = run(Mode::kPoll);
  CHECK(polled.size() > 13);
  CHECK(run(Mode::kDescriptor) == polled);
  CHECK(run(Mode::kThread) == polled);
  CHECK(run(Mode::kThreadCallback) == polled);
}

TEST_CASE("what runs the node is one at a time") {
  Node node;
  REQUIRE(p2pa_node_stop_thread(*node) == P2PA_E_INVALID_STATE);
  REQUIRE(p2pa_node_start_thread(*node) == P2PA_OK);
  CHECK(p2pa_node_start_thread(*node) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_node_poll(*node, 0, 0) == P2PA_E_INVALID_STATE);
  intptr_t fd = 0;
  std::int64_t us = 0;
  CHECK(p2pa_node_wakeup_fd(*node, &fd) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_node_next_deadline(*node, &us) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_node_stop_thread(*node) == P2PA_OK);
  CHECK(p2pa_node_stop_thread(*node) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_node_poll(*node, 0, 0) >= 0);
  CHECK(p2pa_node_wakeup_fd(*node, &fd) == P2PA_OK);
  CHECK(fd >= 0);
}

TEST_CASE("a second thread that polls is told so") {
  Node node;
  struct Ctx {
    p2pa_node node;
    std::int32_t other = 0;
  } ctx{*node};
  REQUIRE(p2pa_node_set_event_callback(
              *node,
              [](void* c, const p2pa_event*) {
                auto& self = *static_cast<Ctx*>(c);
                std::thread([&] { self.other = p2pa_node_poll(self.node, 0, 0); }).join();
              },
              &ctx, nullptr) == P2PA_OK);
  REQUIRE(p2pa_node_poll(*node, 0, 0) >= 0);
  CHECK(ctx.other == P2PA_E_WRONG_THREAD);
}

TEST_CASE("a node changes between polling and the thread, and loses no work") {
  EchoServer server;
  Node client;
  p2pa_op op{};
  REQUIRE(p2pa_node_add_address(*client, server.peer(), server.address().data(), server.address().size(),
                                nullptr) == P2PA_OK);
  for (int i = 0; i < 6; ++i) {
    REQUIRE(p2pa_node_call(*client, server.peer(), "echo", 4, nullptr, 0, nullptr, &op) == P2PA_OK);
    if (i % 2 == 0) REQUIRE(p2pa_node_start_thread(*client) == P2PA_OK);
    REQUIRE(run_until({&client}, [&] { return client.completion(op) != nullptr; }));
    CHECK(client.completion(op)->event.status == P2PA_OK);
    if (i % 2 == 0) REQUIRE(p2pa_node_stop_thread(*client) == P2PA_OK);
  }
}

TEST_CASE("many threads ask at once, and each question is answered once") {
  EchoServer server;
  Node client;
  REQUIRE(p2pa_node_add_address(*client, server.peer(), server.address().data(), server.address().size(),
                                nullptr) == P2PA_OK);
  REQUIRE(p2pa_node_start_thread(*client) == P2PA_OK);
  constexpr int kThreads = 4, kCalls = 50;
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      char text[4096];
      for (int i = 0; i < kCalls; ++i) {
        p2pa_op op{};
        if (p2pa_node_call(*client, server.peer(), "echo", 4, bytes("x"), 1, nullptr, &op) != P2PA_OK) ++refused;
        if (i % 10 == 3) p2pa_op_cancel(op);
        std::size_t size = sizeof text;
        if (p2pa_node_addresses(*client, text, &size) != P2PA_OK) ++refused;
        std::uint64_t ids[16];
        std::size_t count = 16;
        if (p2pa_node_connections(*client, ids, &count) != P2PA_OK) ++refused;
      }
    });
  }
  REQUIRE(run_until({&client}, [&] { return client.count(P2PA_EVENT_CALL_DONE) == kThreads * kCalls; }));
  for (std::thread& thread : threads) thread.join();
  CHECK(refused == 0);
  CHECK(client.count(P2PA_EVENT_CALL_DONE) == kThreads * kCalls);
}

TEST_CASE("freeing a node wakes who waits for it, with a stale handle") {
  const bool threaded = GENERATE(false, true);
  p2pa_node node{};
  REQUIRE(p2pa_node_open(nullptr, &node, nullptr) == P2PA_OK);
  if (threaded) REQUIRE(p2pa_node_start_thread(node) == P2PA_OK);
  std::atomic<bool> waiting{false};
  std::int32_t waited = 0;
  std::thread waiter([&] {
    p2pa_event event;
    p2pa_event_init(&event);
    waiting = true;
    do {
      waited = p2pa_node_wait_event(node, -1, &event);
      if (waited == P2PA_OK) p2pa_event_release(&event);
    } while (waited == P2PA_OK);
  });
  while (!waiting) std::this_thread::yield();
  CHECK(p2pa_node_free(node) == P2PA_OK);
  waiter.join();
  CHECK(waited == P2PA_E_STALE_HANDLE);
}

TEST_CASE("two threads free one node, and one of them does") {
  for (int i = 0; i < 20; ++i) {
    p2pa_node node{};
    REQUIRE(p2pa_node_open(nullptr, &node, nullptr) == P2PA_OK);
    REQUIRE(p2pa_node_start_thread(node) == P2PA_OK);
    std::int32_t a = 1, b = 1;
    std::thread other([&] { a = p2pa_node_free(node); });
    b = p2pa_node_free(node);
    other.join();
    CHECK(std::min(a, b) == P2PA_E_STALE_HANDLE);
    CHECK(std::max(a, b) == P2PA_OK);
  }
}

TEST_CASE("a closed node may be looked at, also while the library's thread has it") {
  Node node;
  REQUIRE(p2pa_node_start_thread(*node) == P2PA_OK);
  REQUIRE(p2pa_node_close(*node) == P2PA_OK);
  REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_CLOSED) == 1; }));
  p2pa_usage usage;
  p2pa_usage_init(&usage);
  CHECK(p2pa_node_usage(*node, &usage) == P2PA_OK);
  std::uint64_t refused = 0;
  CHECK(p2pa_node_limit_refusals(*node, 0, &refused) == P2PA_OK);
  std::size_t count = 0;
  CHECK(p2pa_node_connections(*node, nullptr, &count) == P2PA_OK);
  CHECK(p2pa_node_stop_thread(*node) == P2PA_OK);
  CHECK(p2pa_node_usage(*node, &usage) == P2PA_OK);
}

TEST_CASE("who waits without end runs the node itself when the library's thread is gone") {
  Node node;
  REQUIRE(run_until({&node}, [&] { return node.count(P2PA_EVENT_LISTENING) == 1; }));
  REQUIRE(p2pa_node_start_thread(*node) == P2PA_OK);
  std::atomic<bool> waiting{false};
  std::uint32_t last = P2PA_EVENT_NONE;
  std::thread waiter([&] {
    p2pa_event event;
    p2pa_event_init(&event);
    waiting = true;
    while (last != P2PA_EVENT_CLOSED && p2pa_node_wait_event(*node, -1, &event) == P2PA_OK) {
      last = event.kind;
      p2pa_event_release(&event);
    }
  });
  while (!waiting) std::this_thread::yield();
  REQUIRE(p2pa_node_stop_thread(*node) == P2PA_OK);
  REQUIRE(p2pa_node_close(*node) == P2PA_OK);
  waiter.join();
  CHECK(last == P2PA_EVENT_CLOSED);
}
