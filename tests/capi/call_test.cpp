#include "support.hpp"

using namespace p2pa::test;

namespace {

p2pa_call open_call(Pair& pair, std::string_view method, const p2pa_call_options* options = nullptr) {
  p2pa_call call{};
  REQUIRE(p2pa_node_call_open(*pair.client, pair.server.peer(), method.data(), method.size(), options,
                              &call) == P2PA_OK);
  return call;
}

std::int32_t send(p2pa_call call, std::string_view message) {
  return p2pa_call_send(call, bytes(message), message.size());
}

/// A call of the client that the server has seen arrive.
struct OpenCall {
  p2pa_call client{}, server{};
  explicit OpenCall(Pair& pair) {
    pair.serve("talk", P2PA_SERVE_STREAMING);
    client = open_call(pair, "talk");
    REQUIRE(send(client, "first") == P2PA_OK);
    REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_MESSAGE) == 1; }));
    server = pair.server.of(P2PA_EVENT_CALL_INCOMING).at(0).event.call;
  }
};

void count(void* counter) { ++*static_cast<int*>(counter); }

}  // namespace

TEST_CASE("a unary call is answered") {
  Pair pair;
  pair.serve("echo", P2PA_SERVE_UNARY);
  const p2pa_op op = pair.call("echo", "question");
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == 1; }));
  const Seen request = pair.server.of(P2PA_EVENT_REQUEST).at(0);
  CHECK(request.name == "echo");
  CHECK(request.data == "question");
  CHECK(std::memcmp(&request.event.peer, pair.client.peer(), sizeof(p2pa_peer)) == 0);
  CHECK(request.event.duration_ns > 0);
  CHECK(request.event.duration_ns <= 30'000'000'000);
  REQUIRE(p2pa_call_reply(request.event.call, bytes("answer"), 6) == P2PA_OK);
  const Seen& done = pair.finish(op);
  CHECK(done.event.kind == P2PA_EVENT_CALL_DONE);
  CHECK(done.event.status == P2PA_OK);
  CHECK(done.data == "answer");
  CHECK(pair.server.count(P2PA_EVENT_CALL_ENDED) == 0);  // answered: nothing is left to tell
}

TEST_CASE("a unary call fails with the method's own error") {
  Pair pair;
  pair.serve("divide", P2PA_SERVE_UNARY);
  const p2pa_op op = pair.call("divide", "1/0");
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == 1; }));
  const p2pa_call call = pair.server.of(P2PA_EVENT_REQUEST).at(0).event.call;
  REQUIRE(p2pa_call_fail(call, 42, "by zero", 7, bytes("extra"), 5) == P2PA_OK);
  CHECK(p2pa_call_fail(call, 42, "", 0, nullptr, 0) < 0);
  CHECK(p2pa_call_reply(call, nullptr, 0) < 0);
  const Seen& done = pair.finish(op);
  CHECK(done.event.status == P2PA_E_APPLICATION);
  CHECK(done.event.application_code == 42);
  CHECK(done.text == "by zero");
  CHECK(done.data == "extra");
}

TEST_CASE("what is not served is not found, and what is served no more is not either") {
  Pair pair;
  CHECK(pair.finish(pair.call("nothing", "")).event.status == P2PA_E_NO_SUCH_METHOD);
  pair.serve("soon gone", P2PA_SERVE_UNARY);
  REQUIRE(p2pa_node_stop_serving(*pair.server, "soon gone", 9) == P2PA_OK);
  CHECK(p2pa_node_stop_serving(*pair.server, "soon gone", 9) == P2PA_E_NOT_FOUND);
  CHECK(pair.finish(pair.call("soon gone", "")).event.status == P2PA_E_NO_SUCH_METHOD);
}

TEST_CASE("a name is served once") {
  Node node;
  CHECK(p2pa_node_serve(*node, "m", 1, P2PA_SERVE_UNARY) == P2PA_OK);
  CHECK(p2pa_node_serve(*node, "m", 1, P2PA_SERVE_STREAMING) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_node_stop_serving(*node, "m", 1) == P2PA_OK);
  CHECK(p2pa_node_serve(*node, "m", 1, P2PA_SERVE_STREAMING) == P2PA_OK);
}

TEST_CASE("a method's name is 1 to 255 bytes of UTF-8") {
  Node node;
  const std::string longest(255, 'm'), longer(256, 'm');
  CHECK(p2pa_node_serve(*node, longest.data(), longest.size(), P2PA_SERVE_UNARY) == P2PA_OK);
  CHECK(p2pa_node_serve(*node, longer.data(), longer.size(), P2PA_SERVE_UNARY) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_serve(*node, "", 0, P2PA_SERVE_UNARY) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_serve(*node, "\xff", 1, P2PA_SERVE_UNARY) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_serve(*node, "m", 1, 0) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_serve(*node, "m", 1, 3) == P2PA_E_INVALID_ARGUMENT);
}

TEST_CASE("a call to a peer that nobody knows where to find fails once") {
  Node node;
  const std::uint8_t key[32] = {1};
  p2pa_peer stranger;
  REQUIRE(p2pa_key_peer(key, 32, &stranger) == P2PA_OK);
  p2pa_op op{};
  REQUIRE(p2pa_node_call(*node, &stranger, "m", 1, nullptr, 0, nullptr, &op) == P2PA_OK);
  REQUIRE(run_until({&node}, [&] { return node.completion(op) != nullptr; }));
  CHECK(node.completion(op)->event.status == P2PA_E_NO_ADDRESS);
  CHECK(node.completion(op)->text != "");
}

TEST_CASE("a call whose deadline passes ends on both sides") {
  Pair pair;
  pair.serve("slow", P2PA_SERVE_UNARY);
  REQUIRE(pair.finish(pair.call("warm up", "")).event.status == P2PA_E_NO_SUCH_METHOD);
  p2pa_call_options options;
  p2pa_call_options_init(&options);
  options.deadline_us = 100'000;
  const p2pa_op op = pair.call("slow", "", &options);
  CHECK(pair.finish(op).event.status == P2PA_E_DEADLINE_EXCEEDED);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  const Seen request = pair.server.of(P2PA_EVENT_REQUEST).at(0);
  CHECK(p2pa_call_reply(request.event.call, nullptr, 0) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("a cancelled operation completes once, and the server hears of it") {
  Pair pair;
  pair.serve("slow", P2PA_SERVE_UNARY);
  const p2pa_op op = pair.call("slow", "");
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == 1; }));
  REQUIRE(p2pa_op_cancel(op) == P2PA_OK);
  CHECK(pair.finish(op).event.status == P2PA_E_CANCELLED);
  CHECK(p2pa_op_cancel(op) == P2PA_E_STALE_HANDLE);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  CHECK(pair.server.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_E_CANCELLED);
  CHECK(pair.client.count(P2PA_EVENT_CALL_DONE) == 1);
}

TEST_CASE("an operation cancelled before its first turn completes as cancelled") {
  Pair pair;
  const p2pa_op op = pair.call("m", "");
  REQUIRE(p2pa_op_cancel(op) == P2PA_OK);
  REQUIRE(p2pa_op_cancel(op) == P2PA_OK);  // not yet taken up
  CHECK(pair.finish(op).event.status == P2PA_E_CANCELLED);
}

TEST_CASE("a notification completes when it is handed over, and arrives as a request") {
  Pair pair;
  pair.serve("note", P2PA_SERVE_UNARY);
  p2pa_op op{};
  REQUIRE(p2pa_node_notify(*pair.client, pair.server.peer(), "note", 4, bytes("text"), 4, &op) == P2PA_OK);
  const Seen& done = pair.finish(op);
  CHECK(done.event.kind == P2PA_EVENT_NOTIFY_DONE);
  CHECK(done.event.status == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == 1; }));
  CHECK(pair.server.of(P2PA_EVENT_REQUEST).at(0).data == "text");
}

TEST_CASE("messages go both ways in order, and both ends hear the end") {
  Pair pair;
  OpenCall call(pair);
  CHECK(pair.server.of(P2PA_EVENT_CALL_INCOMING).at(0).name == "talk");
  for (int i = 0; i < 20; ++i) {
    REQUIRE(send(call.client, "c" + std::to_string(i)) == P2PA_OK);
    REQUIRE(send(call.server, "s" + std::to_string(i)) == P2PA_OK);
  }
  REQUIRE(p2pa_call_finish(call.client) == P2PA_OK);
  CHECK(p2pa_call_finish(call.client) == P2PA_E_STREAM_FINISHED);
  CHECK(send(call.client, "late") == P2PA_E_STREAM_FINISHED);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_FINISHED) == 1; }));
  REQUIRE(p2pa_call_finish(call.server) == P2PA_OK);
  REQUIRE(pair.run_until([&] {
    return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1 && pair.server.count(P2PA_EVENT_CALL_ENDED) == 1;
  }));
  const auto from_client = pair.server.of(P2PA_EVENT_CALL_MESSAGE);
  const auto from_server = pair.client.of(P2PA_EVENT_CALL_MESSAGE);
  REQUIRE(from_client.size() == 21);
  REQUIRE(from_server.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(from_client[i + 1].data == "c" + std::to_string(i));
    CHECK(from_server[i].data == "s" + std::to_string(i));
  }
  CHECK(pair.client.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_OK);
  CHECK(pair.server.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_OK);
  CHECK(send(call.client, "dead") == P2PA_E_STALE_HANDLE);
}

TEST_CASE("a served stream of messages fails with the method's own error") {
  Pair pair;
  OpenCall call(pair);
  CHECK(p2pa_call_fail(call.client, 1, "", 0, nullptr, 0) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_call_reply(call.client, nullptr, 0) == P2PA_E_INVALID_STATE);
  REQUIRE(p2pa_call_fail(call.server, -5, "no more", 7, nullptr, 0) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  const Seen ended = pair.client.of(P2PA_EVENT_CALL_ENDED).at(0);
  CHECK(ended.event.status == P2PA_E_APPLICATION);
  CHECK(ended.event.application_code == -5);
  CHECK(ended.text == "no more");
}

TEST_CASE("either end cancels a call") {
  const bool by_server = GENERATE(false, true);
  Pair pair;
  OpenCall call(pair);
  const p2pa_call cancelled = by_server ? call.server : call.client;
  REQUIRE(p2pa_call_cancel(cancelled) == P2PA_OK);
  REQUIRE(p2pa_call_cancel(cancelled) == P2PA_OK);
  REQUIRE(pair.run_until([&] {
    return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1 && pair.server.count(P2PA_EVENT_CALL_ENDED) == 1;
  }));
  CHECK(pair.client.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_E_CANCELLED);
  CHECK(pair.server.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_E_CANCELLED);
  CHECK(p2pa_call_cancel(cancelled) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("a call may be cancelled before it was ever opened") {
  Pair pair;
  const p2pa_call call = open_call(pair, "m");
  REQUIRE(send(call, "never sent") == P2PA_OK);
  REQUIRE(p2pa_call_cancel(call) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  CHECK(pair.client.of(P2PA_EVENT_CALL_ENDED).at(0).event.call.v == call.v);
}

TEST_CASE("a host that releases no messages stops the sender, and loses none") {
  Pair pair;
  OpenCall call(pair);
  pair.server.keep(P2PA_EVENT_CALL_MESSAGE);
  // What lies between the hosts: 64 events, outboxes and QUIC's windows. Then the sender must wait.
  const std::string message(32 * 1024, 'x');
  std::size_t sent = 0;
  std::int32_t status = P2PA_OK;
  const auto send_more = [&] {
    while (sent < 4096 && (status = send(call.client, message)) == P2PA_OK) ++sent;
    return status == P2PA_E_WOULD_BLOCK;
  };
  std::size_t before = 0, quiet = 0;
  REQUIRE(pair.run_until([&] {
    send_more();
    quiet = sent == before ? quiet + 1 : 0;
    before = sent;
    return quiet > 200;
  }));
  CHECK(status == P2PA_E_WOULD_BLOCK);
  CHECK(sent < 512);
  CHECK(pair.server.kept.size() <= 64);
  const std::size_t total = sent + 200;
  REQUIRE(pair.run_until([&] {
    pair.server.release_kept();
    while (sent < total && (status = send(call.client, message)) == P2PA_OK) ++sent;
    return pair.server.count(P2PA_EVENT_CALL_MESSAGE) == 1 + total;
  }));
  CHECK(pair.client.count(P2PA_EVENT_CALL_WRITABLE) > 0);
  pair.server.release_kept();
}

TEST_CASE("messages that find no memory wait for it, and none is lost") {
  const bool connected = GENERATE(true, false);
  Pair pair(limited([](p2pa_limits& limits) {
    limits.memory_per_peer_max = 2'000'000;
    limits.send_buffer_max = 65'536;
  }));
  pair.serve("count", P2PA_SERVE_STREAMING);
  if (connected) pair.finish(pair.call("nobody", ""));
  constexpr std::size_t kCalls = 8, kMessages = 3;
  const std::string message(900'000, 'm');
  std::vector<p2pa_call> calls;
  for (std::size_t i = 0; i < kCalls; ++i) calls.push_back(open_call(pair, "count"));
  pair.send_to_the_end(calls, message, kMessages);
  for (const Seen& ended : pair.client.of(P2PA_EVENT_CALL_ENDED)) CHECK(ended.event.status == P2PA_OK);
  CHECK(pair.server.count(P2PA_EVENT_CALL_MESSAGE) == kCalls * kMessages);
}

TEST_CASE("answers that find no memory wait for it, and all arrive") {
  Pair pair([](p2pa_node_options&) {}, limited([](p2pa_limits& limits) {
    limits.memory_per_peer_max = 2'000'000;
    limits.send_buffer_max = 65'536;
  }));
  pair.serve("big", P2PA_SERVE_UNARY);
  constexpr std::size_t kCalls = 12;
  std::vector<p2pa_op> ops;
  for (std::size_t i = 0; i < kCalls; ++i) ops.push_back(pair.call("big", ""));
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == kCalls; }));
  const std::string answer(900'000, 'a');
  for (const Seen& request : pair.server.of(P2PA_EVENT_REQUEST)) {
    REQUIRE(p2pa_call_reply(request.event.call, bytes(answer), answer.size()) == P2PA_OK);
  }
  for (const p2pa_op op : ops) CHECK(pair.finish(op).data == answer);
}

TEST_CASE("a message that the bounds on memory never allow ends its call at both ends") {
  const bool connected = GENERATE(true, false);
  Pair pair(limited([](p2pa_limits& limits) {
    limits.memory_per_peer_max = 1'000'000;
  }));
  pair.serve("count", P2PA_SERVE_STREAMING);
  if (connected) pair.finish(pair.call("nobody", ""));
  const p2pa_call call = open_call(pair, "count");
  REQUIRE(send(call, "first") == P2PA_OK);
  if (connected) REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_MESSAGE) == 1; }));
  const std::string message(1'000'001, 'm');
  REQUIRE(send(call, message) == P2PA_OK);
  REQUIRE(p2pa_call_finish(call) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  CHECK(pair.client.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_E_LIMIT_MEMORY);
  CHECK(pair.client.of(P2PA_EVENT_CALL_ENDED).at(0).event.detail == 1'000'000);
  if (!connected) return;  // then the server need not have heard of it
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  CHECK(pair.server.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_E_STREAM_RESET);
  CHECK(pair.server.count(P2PA_EVENT_CALL_FINISHED) == 0);
}

TEST_CASE("an answer that the bounds on memory never allow is refused to the caller") {
  const std::uint32_t mode = GENERATE(P2PA_SERVE_UNARY, P2PA_SERVE_STREAMING);
  Pair pair([](p2pa_node_options&) {}, limited([](p2pa_limits& limits) {
    limits.memory_per_peer_max = 1'000'000;
  }));
  pair.serve("big", mode);
  const p2pa_op op = pair.call("big", "");
  const std::uint32_t incoming = mode == P2PA_SERVE_UNARY ? P2PA_EVENT_REQUEST : P2PA_EVENT_CALL_INCOMING;
  REQUIRE(pair.run_until([&] { return pair.server.count(incoming) == 1; }));
  const std::string answer(1'000'001, 'a');
  REQUIRE(p2pa_call_reply(pair.server.of(incoming).at(0).event.call, bytes(answer), answer.size()) == P2PA_OK);
  const Seen done = pair.finish(op);
  CHECK(done.event.status == P2PA_E_LIMIT_MEMORY);
  CHECK(done.event.detail == 1'000'000);
  if (mode == P2PA_SERVE_UNARY) return;
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  CHECK(pair.server.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_E_LIMIT_MEMORY);
}

TEST_CASE("a unary method refuses a call without a message") {
  Pair pair;
  pair.serve("echo", P2PA_SERVE_UNARY);
  const p2pa_call call = open_call(pair, "echo");
  REQUIRE(p2pa_call_finish(call) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  CHECK(pair.client.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_E_PROTOCOL_VIOLATION);
  REQUIRE(pair.run_until([&] {
    p2pa_usage usage;
    p2pa_usage_init(&usage);
    REQUIRE(p2pa_node_usage(*pair.server, &usage) == P2PA_OK);
    return usage.calls == 0;
  }));
  CHECK(pair.server.count(P2PA_EVENT_REQUEST) == 0);
  CHECK(pair.server.count(P2PA_EVENT_CALL_ENDED) == 0);
}

TEST_CASE("a unary method drops what follows the first message") {
  Pair pair;
  pair.serve("echo", P2PA_SERVE_UNARY);
  const p2pa_call call = open_call(pair, "echo");
  for (const char* message : {"first", "second", "third"}) REQUIRE(send(call, message) == P2PA_OK);
  REQUIRE(p2pa_call_finish(call) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == 1; }));
  int rounds = 0;
  pair.run_until([&] { return ++rounds > 20; });  // the others are here too by now
  REQUIRE(p2pa_call_reply(pair.server.of(P2PA_EVENT_REQUEST).at(0).event.call, bytes("answer"), 6) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1; }));
  CHECK(pair.client.of(P2PA_EVENT_CALL_ENDED).at(0).event.status == P2PA_OK);
  CHECK(pair.client.of(P2PA_EVENT_CALL_MESSAGE).at(0).data == "answer");
  CHECK(pair.server.count(P2PA_EVENT_REQUEST) == 1);
  CHECK(pair.server.of(P2PA_EVENT_REQUEST).at(0).data == "first");
}

TEST_CASE("a message of the largest size goes, and one byte more is refused") {
  const auto small = limited([](p2pa_limits& limits) {
    limits.message_bytes_max = 100'000;
  });
  Pair pair(small, small);
  OpenCall call(pair);
  const std::string largest(100'000, 'l'), larger(100'001, 'l');
  CHECK(send(call.client, larger) == P2PA_E_MESSAGE_TOO_LARGE);
  p2pa_op op{};
  CHECK(p2pa_node_call(*pair.client, pair.server.peer(), "m", 1, bytes(larger), larger.size(), nullptr,
                       &op) == P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_node_notify(*pair.client, pair.server.peer(), "m", 1, bytes(larger), larger.size(), &op) ==
        P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_call_fail(call.server, 1, "t", 1, bytes(largest), largest.size()) == P2PA_E_MESSAGE_TOO_LARGE);
  REQUIRE(send(call.client, largest) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_MESSAGE) == 2; }));
  CHECK(pair.server.of(P2PA_EVENT_CALL_MESSAGE).at(1).data == largest);
}

TEST_CASE("lent bytes are released exactly once, whatever becomes of them") {
  int released = 0;
  const std::string message(200 * 1024, 'm');
  int lent = 0;
  {
    Pair pair;
    OpenCall call(pair);
    const auto take = [&](p2pa_call c) {
      ++lent;
      return p2pa_call_send_take(c, bytes(message), message.size(), count, &released);
    };
    REQUIRE(take(call.client) == P2PA_OK);
    REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CALL_MESSAGE) == 2; }));
    CHECK(released == 1);
    CHECK(pair.server.of(P2PA_EVENT_CALL_MESSAGE).at(1).data == message);
    CHECK(take(p2pa_call{77}) == P2PA_E_STALE_HANDLE);
    CHECK(released == 2);
    ++lent;
    CHECK(p2pa_call_send_take(call.client, nullptr, 1, count, &released) == P2PA_E_INVALID_ARGUMENT);
    CHECK(released == 3);
    std::int32_t status = P2PA_OK;
    while ((status = take(call.client)) == P2PA_OK) {}
    CHECK(status == P2PA_E_WOULD_BLOCK);
    CHECK(released == 4);  // only the one that was not taken
    REQUIRE(p2pa_call_cancel(call.client) == P2PA_OK);
    REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CALL_ENDED) == 1; }));
    CHECK(released == lent);
    const p2pa_call unfinished = open_call(pair, "talk");
    CHECK(take(unfinished) == P2PA_OK);
    CHECK(released == lent - 1);
    // The node is freed below, before it takes the message up.
  }
  CHECK(released == lent);
}

TEST_CASE("a reply without a copy is released when it is sent") {
  int released = 0;
  Pair pair;
  pair.serve("big", P2PA_SERVE_UNARY);
  const std::string answer(300'000, 'a');
  const p2pa_op op = pair.call("big", "");
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == 1; }));
  const p2pa_call call = pair.server.of(P2PA_EVENT_REQUEST).at(0).event.call;
  CHECK(p2pa_call_send(call, nullptr, 0) == P2PA_E_INVALID_STATE);
  CHECK(p2pa_call_finish(call) == P2PA_E_INVALID_STATE);
  REQUIRE(p2pa_call_reply_take(call, bytes(answer), answer.size(), count, &released) == P2PA_OK);
  CHECK(pair.finish(op).data == answer);
  CHECK(released == 1);
}

TEST_CASE("options of calls that can never work are refused") {
  Node node;
  p2pa_op op{};
  p2pa_call_options options;
  p2pa_call_options_init(&options);
  options.flags = 4;
  CHECK(p2pa_node_call(*node, node.peer(), "m", 1, nullptr, 0, &options, &op) == P2PA_E_INVALID_ARGUMENT);
  options.flags = 0;
  options.struct_size = 0;
  CHECK(p2pa_node_call(*node, node.peer(), "m", 1, nullptr, 0, &options, &op) == P2PA_E_INVALID_ARGUMENT);
  struct {
    p2pa_call_options options;
    std::uint64_t from_the_future;
  } newer{};
  newer.options.struct_size = sizeof newer;
  newer.from_the_future = 1;
  p2pa_call call{};
  CHECK(p2pa_node_call_open(*node, node.peer(), "m", 1, &newer.options, &call) == P2PA_E_UNSUPPORTED);
}
