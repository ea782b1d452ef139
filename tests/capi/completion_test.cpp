// A call that fails gives no completion; one that was accepted gives exactly one.
#include <map>

#include "support.hpp"

using namespace p2pa::test;

namespace {

/// Every kind of operation, asked of the client; their handles.
std::vector<std::uint64_t> ask_everything(Pair& pair) {
  const p2pa_node node = *pair.client;
  const p2pa_peer* peer = pair.server.peer();
  const std::string address = pair.server.address();
  std::vector<std::uint64_t> ops;
  p2pa_op op{};
  const auto accepted = [&](std::int32_t status) {
    REQUIRE(status == P2PA_OK);
    ops.push_back(op.v);
  };
  accepted(p2pa_node_dial(node, address.data(), address.size(), &op, nullptr));
  accepted(p2pa_node_dial_peer(node, peer, &op));
  accepted(p2pa_node_ping(node, peer, &op));
  accepted(p2pa_node_perf(node, peer, 1000, 1000, &op));
  accepted(p2pa_node_call(node, peer, "unanswered", 10, nullptr, 0, nullptr, &op));
  accepted(p2pa_node_call(node, peer, "unknown", 7, nullptr, 0, nullptr, &op));
  accepted(p2pa_node_notify(node, peer, "unanswered", 10, nullptr, 0, &op));
  accepted(p2pa_node_open_stream(node, peer, "/completion/1", 13, &op));
  return ops;
}

std::map<std::uint64_t, int> completions(const Node& node) {
  std::map<std::uint64_t, int> out;
  for (const Seen& s : node.seen) {
    if (s.event.op.v != 0) ++out[s.event.op.v];
  }
  return out;
}

/// How often the bound of this name refused something.
std::uint64_t refusals(const Node& node, std::string_view name) {
  std::uint64_t refused = 0;
  for (std::uint32_t limit = 0; p2pa_node_limit_refusals(*node, limit, &refused) == P2PA_OK; ++limit) {
    if (p2pa_limit_name(limit) == name) return refused;
  }
  FAIL("no bound is called " << name);
  return 0;
}

/// Of the payloads that wait for the host, or are lent to it.
std::uint64_t event_bytes(const Node& node) {
  p2pa_usage usage;
  p2pa_usage_init(&usage);
  REQUIRE(p2pa_node_usage(*node, &usage) == P2PA_OK);
  return usage.event_bytes;
}

void check_once_each(const Node& node, const std::vector<std::uint64_t>& ops) {
  const auto counts = completions(node);
  CHECK(counts.size() == ops.size());
  for (const std::uint64_t op : ops) CHECK(counts.at(op) == 1);
}

}  // namespace

TEST_CASE("closing completes every operation, whatever it has come to") {
  Pair pair;
  pair.serve("unanswered", P2PA_SERVE_UNARY);
  REQUIRE(p2pa_node_handle_protocol(*pair.server, "/completion/1", 13) == P2PA_OK);
  const int turns = GENERATE(0, 1, 2, 5, 20, 60);
  const auto ops = ask_everything(pair);
  p2pa_call call{};
  REQUIRE(p2pa_node_call_open(*pair.client, pair.server.peer(), "unanswered", 10, nullptr, &call) == P2PA_OK);
  for (int i = 0; i < turns; ++i) {
    pair.client.run();
    pair.server.run();
  }
  REQUIRE(p2pa_node_close(*pair.client) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CLOSED) == 1; }));
  check_once_each(pair.client, ops);
  CHECK(pair.client.count(P2PA_EVENT_CALL_ENDED) == 1);
  CHECK(pair.client.seen.back().event.kind == P2PA_EVENT_CLOSED);
}

TEST_CASE("cancelling completes every operation once") {
  Pair pair;
  pair.serve("unanswered", P2PA_SERVE_UNARY);
  REQUIRE(p2pa_node_handle_protocol(*pair.server, "/completion/1", 13) == P2PA_OK);
  const int turns = GENERATE(0, 1, 2, 5, 20, 60);
  const auto ops = ask_everything(pair);
  for (int i = 0; i < turns; ++i) {
    pair.client.run();
    pair.server.run();
  }
  for (const std::uint64_t op : ops) {
    const std::int32_t status = p2pa_op_cancel(p2pa_op{op});
    CHECK((status == P2PA_OK || status == P2PA_E_STALE_HANDLE));
  }
  pair.client.run();
  check_once_each(pair.client, ops);
  // What was begun goes on behind the scenes, and tells nothing of it.
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_IDENTIFIED) == 1; }));
  check_once_each(pair.client, ops);
}

TEST_CASE("a full queue takes no more work, and takes it again when events are released") {
  Pair pair(limited([](p2pa_limits& limits) {
    limits.events_max = 16;
  }));
  pair.serve("echo", P2PA_SERVE_UNARY);
  pair.client.run();
  std::vector<std::uint64_t> ops;
  p2pa_op op{};
  std::int32_t status = P2PA_OK;
  while ((status = p2pa_node_call(*pair.client, pair.server.peer(), "nobody", 6, nullptr, 0, nullptr, &op)) ==
         P2PA_OK) {
    ops.push_back(op.v);
  }
  CHECK(status == P2PA_E_WOULD_BLOCK);
  CHECK(ops.size() == 15);  // the bound without the place of CLOSED
  p2pa_call call{};
  CHECK(p2pa_node_call_open(*pair.client, pair.server.peer(), "m", 1, nullptr, &call) == P2PA_E_WOULD_BLOCK);
  CHECK(p2pa_node_open_stream(*pair.client, pair.server.peer(), "/m", 2, &op) == P2PA_E_WOULD_BLOCK);
  REQUIRE(pair.run_until([&] { return completions(pair.client).size() == ops.size(); }));
  check_once_each(pair.client, ops);
  CHECK(p2pa_node_call(*pair.client, pair.server.peer(), "nobody", 6, nullptr, 0, nullptr, &op) == P2PA_OK);
  CHECK(p2pa_node_close(*pair.client) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_CLOSED) == 1; }));
}

TEST_CASE("notifications that find the queue full are dropped and counted by kind") {
  Pair pair(limited([](p2pa_limits& limits) {
    limits.events_max = 16;
  }));
  p2pa_op op{};
  REQUIRE(p2pa_node_dial_peer(*pair.client, pair.server.peer(), &op) == P2PA_OK);
  pair.finish(op);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_IDENTIFIED) == 1; }));
  // The client takes no events; the server sends it more datagrams than a quarter of its queue holds.
  for (int i = 0; i < 200; ++i) {
    REQUIRE(p2pa_node_send_datagram(*pair.server, pair.client.peer(), bytes("d"), 1) == P2PA_OK);
    pair.server.run();
    REQUIRE(p2pa_node_poll(*pair.client, 1000, 0) >= 0);
  }
  pair.client.run();
  CHECK(pair.client.count(P2PA_EVENT_DATAGRAM) == 4);
  std::uint32_t dropped = 0;
  for (const Seen& s : pair.client.seen) dropped |= s.event.dropped;
  CHECK(dropped == P2PA_EVENT_DROPPED(P2PA_EVENT_DATAGRAM));
}

TEST_CASE("calls that find the server's queue full are refused, and nothing is lost of the others") {
  const auto tight = limited([](p2pa_limits& limits) {
    limits.events_max = 16;
  });
  Pair pair([](p2pa_node_options&) {}, tight);
  pair.serve("held", P2PA_SERVE_UNARY);
  pair.server.keep(P2PA_EVENT_REQUEST);
  std::vector<p2pa_op> ops;
  for (int i = 0; i < 40; ++i) ops.push_back(pair.call("held", std::to_string(i)));
  REQUIRE(pair.run_until([&] { return completions(pair.client).size() + pair.server.kept.size() == 40; }));
  CHECK(refusals(pair.server, "events") == 40 - pair.server.kept.size());
  // What the peers took leaves the host room to ask for something itself.
  p2pa_op ping{};
  CHECK(p2pa_node_ping(*pair.server, pair.client.peer(), &ping) == P2PA_OK);
  CHECK(pair.server.kept.size() >= 4);
  CHECK(pair.server.kept.size() <= 16);
  for (const p2pa_event& request : pair.server.kept) CHECK(p2pa_call_reply(request.call, nullptr, 0) == P2PA_OK);
  pair.server.release_kept();
  REQUIRE(pair.run_until([&] { return completions(pair.client).size() == 40; }));
  for (const Seen& done : pair.client.of(P2PA_EVENT_CALL_DONE)) {
    CHECK((done.event.status == P2PA_OK || done.event.status == P2PA_E_LIMIT_CALLS));
  }
}

TEST_CASE("operations say what they found") {
  Pair pair([](p2pa_node_options&) {}, [](p2pa_node_options& o) { o.serve_perf = 1; });
  const std::string address = pair.server.address();
  p2pa_op op{};
  REQUIRE(p2pa_node_dial(*pair.client, address.data(), address.size(), &op, nullptr) == P2PA_OK);
  const Seen dialed = pair.finish(op);
  CHECK(dialed.event.kind == P2PA_EVENT_DIAL_DONE);
  REQUIRE(dialed.event.status == P2PA_OK);
  CHECK(std::memcmp(&dialed.event.peer, pair.server.peer(), sizeof(p2pa_peer)) == 0);
  CHECK(dialed.address.find("/udp/") != std::string::npos);

  std::uint64_t ids[4];
  std::size_t count = 0;
  CHECK(p2pa_node_connections(*pair.client, nullptr, &count) == P2PA_E_BUFFER_TOO_SMALL);
  REQUIRE(count == 1);
  REQUIRE(p2pa_node_connections(*pair.client, ids, &count) == P2PA_OK);
  CHECK(ids[0] == dialed.event.connection);
  p2pa_connection_info info;
  p2pa_connection_info_init(&info);
  REQUIRE(p2pa_node_connection_info(*pair.client, ids[0], &info) == P2PA_OK);
  CHECK(info.outbound == 1);
  CHECK(info.bytes_sent > 0);
  CHECK(std::memcmp(&info.peer, pair.server.peer(), sizeof(p2pa_peer)) == 0);
  CHECK(p2pa_node_connection_info(*pair.client, ids[0] + 1000, &info) == P2PA_E_NOT_FOUND);
  char text[4096];
  std::size_t size = sizeof text;
  REQUIRE(p2pa_node_connection_address(*pair.client, ids[0], text, &size) == P2PA_OK);
  CHECK(address.starts_with(std::string(text, size)));

  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_IDENTIFIED) == 1; }));
  size = sizeof text;
  REQUIRE(p2pa_node_peer_info(*pair.client, pair.server.peer(), P2PA_PEER_AGENT_VERSION, text, &size) == P2PA_OK);
  CHECK(std::string(text, size) == std::string("p2pagents/") + p2pa_version());
  size = sizeof text;
  REQUIRE(p2pa_node_peer_info(*pair.client, pair.server.peer(), P2PA_PEER_PROTOCOLS, text, &size) == P2PA_OK);
  CHECK(std::string(text, size).find("/ipfs/ping/1.0.0") != std::string::npos);
  for (const std::uint32_t field : {P2PA_PEER_PROTOCOL_VERSION, P2PA_PEER_ADDRESSES, P2PA_PEER_OBSERVED_ADDRESS}) {
    size = sizeof text;
    CHECK(p2pa_node_peer_info(*pair.client, pair.server.peer(), field, text, &size) == P2PA_OK);
  }
  CHECK(p2pa_node_peer_info(*pair.client, pair.server.peer(), 99, text, &size) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_peer_info(*pair.client, pair.client.peer(), 1, text, &size) == P2PA_E_NOT_FOUND);

  REQUIRE(p2pa_node_ping(*pair.client, pair.server.peer(), &op) == P2PA_OK);
  CHECK(pair.finish(op).event.status == P2PA_OK);
  CHECK(pair.client.completion(op)->event.duration_ns > 0);

  REQUIRE(p2pa_node_perf(*pair.client, pair.server.peer(), 100'000, 200'000, &op) == P2PA_OK);
  CHECK(pair.finish(op).event.status == P2PA_OK);
  CHECK(pair.client.completion(op)->event.bytes_up == 100'000);
  CHECK(pair.client.completion(op)->event.bytes_down == 200'000);

  REQUIRE(p2pa_node_disconnect(*pair.client, pair.server.peer()) == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_DISCONNECTED) == 1; }));
  CHECK((pair.client.of(P2PA_EVENT_DISCONNECTED).at(0).event.flags & P2PA_EVENT_FLAG_LAST) != 0);

  std::uint64_t refused = 1;
  std::uint32_t limit = 0;
  while (p2pa_node_limit_refusals(*pair.client, limit, &refused) == P2PA_OK) {
    CHECK(refused == 0);
    CHECK(std::strcmp(p2pa_limit_name(limit), "unknown") != 0);
    ++limit;
  }
  CHECK(limit > 5);
  CHECK(std::strcmp(p2pa_limit_name(limit), "unknown") == 0);
  std::uint64_t dropped = 0;
  std::uint32_t reason = 0;
  for (; p2pa_node_drops(*pair.client, reason, &dropped) == P2PA_OK; ++reason) {
    CHECK(std::strcmp(p2pa_drop_name(reason), "unknown reason") != 0);
  }
  CHECK(reason > 10);
  CHECK(p2pa_node_drops(*pair.client, reason, &dropped) == P2PA_E_NOT_FOUND);
  CHECK(std::strcmp(p2pa_drop_name(reason), "unknown reason") == 0);
}

TEST_CASE("a peer that is not who the address says is refused") {
  Pair pair;
  const std::string address = pair.server.address();
  const std::string without = address.substr(0, address.find("/p2p/"));
  char text[64];
  std::size_t size = sizeof text;
  REQUIRE(p2pa_peer_text(pair.client.peer(), text, &size) == P2PA_OK);
  Node stranger;
  size = sizeof text;
  REQUIRE(p2pa_peer_text(stranger.peer(), text, &size) == P2PA_OK);
  const std::string wrong = without + "/p2p/" + std::string(text, size);
  p2pa_op op{};
  REQUIRE(p2pa_node_dial(*pair.client, wrong.data(), wrong.size(), &op, nullptr) == P2PA_OK);
  CHECK(pair.finish(op).event.status == P2PA_E_PEER_ID_MISMATCH);
  REQUIRE(p2pa_node_dial(*pair.client, without.data(), without.size(), &op, nullptr) == P2PA_OK);
  CHECK(pair.finish(op).event.status == P2PA_OK);
}

TEST_CASE("a dial tells what became of each address, until its event is released") {
  Pair pair;
  const std::string address = pair.server.address();
  const std::string dead = "/ip4/127.0.0.1/tcp/1";
  REQUIRE(p2pa_node_add_address(*pair.client, pair.server.peer(), dead.data(), dead.size(), nullptr) == P2PA_OK);
  p2pa_op op{};
  pair.client.keep(P2PA_EVENT_DIAL_DONE);
  REQUIRE(p2pa_node_dial(*pair.client, address.data(), address.size(), &op, nullptr) == P2PA_OK);
  REQUIRE(pair.finish(op).event.status == P2PA_OK);
  p2pa_event& event = pair.client.kept.back();
  p2pa_dial_attempt attempt;
  p2pa_dial_attempt_init(&attempt);
  REQUIRE(p2pa_event_dial_attempt(&event, 0, &attempt) == P2PA_OK);
  CHECK(attempt.stage == P2PA_DIAL_CONNECTED);
  CHECK(attempt.status == P2PA_OK);
  CHECK(attempt.took_ns > 0);
  CHECK(address.starts_with(std::string(attempt.address.data, attempt.address.size) + "/p2p/"));
  CHECK(std::strlen(attempt.address.data) == attempt.address.size);
  CHECK(p2pa_event_dial_attempt(&event, 64, &attempt) == P2PA_E_NOT_FOUND);
  const p2pa_event copy = event;
  pair.client.release_kept();
  CHECK(p2pa_event_dial_attempt(&copy, 0, &attempt) == P2PA_E_STALE_HANDLE);
  CHECK(std::strcmp(p2pa_dial_stage_name(P2PA_DIAL_CONNECTING), "connecting") == 0);
  CHECK(std::strcmp(p2pa_dial_stage_name(15), "unknown") == 0);
  CHECK(std::strcmp(p2pa_dial_stage_name(256), "unknown") == 0);
}

TEST_CASE("what is in use is told, and given back") {
  Pair pair;
  pair.serve("held", P2PA_SERVE_UNARY);
  const auto usage = [&](const Node& node) {
    p2pa_usage out;
    p2pa_usage_init(&out);
    REQUIRE(p2pa_node_usage(*node, &out) == P2PA_OK);
    return out;
  };
  const std::uint32_t before = usage(pair.server).events;  // CLOSED is promised from the beginning
  CHECK(usage(pair.server).connections == 0);
  pair.server.keep(P2PA_EVENT_REQUEST);
  const p2pa_op op = pair.call("held", std::string(5000, 'x'));
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == 1; }));
  CHECK(usage(pair.server).connections == 1);
  CHECK(usage(pair.server).streams >= 1);
  CHECK(usage(pair.server).calls == 1);
  CHECK(usage(pair.client).calls == 1);
  CHECK(usage(pair.server).events > before);
  CHECK(usage(pair.server).event_bytes == 5000);
  REQUIRE(p2pa_call_reply(pair.server.of(P2PA_EVENT_REQUEST).at(0).event.call, nullptr, 0) == P2PA_OK);
  pair.finish(op);
  pair.server.release_kept();
  REQUIRE(pair.run_until([&] { return usage(pair.server).calls == 0 && usage(pair.server).event_bytes == 0; }));
  p2pa_usage older;
  p2pa_usage_init(&older);
  older.struct_size = 8;
  CHECK(p2pa_node_usage(*pair.server, &older) == P2PA_E_INVALID_ARGUMENT);
}

TEST_CASE("requests that wait for the host are bounded by their peer's memory, and others are served") {
  Pair pair([](p2pa_node_options&) {}, limited([](p2pa_limits& limits) {
    limits.memory_max = 3'000'000;
    limits.memory_per_peer_max = 1'000'000;
  }));
  pair.serve("held", P2PA_SERVE_UNARY);
  pair.server.keep(P2PA_EVENT_REQUEST);
  const std::string request(300'000, 'r');
  for (std::size_t i = 0; i < 6; ++i) {
    pair.call("held", request);
    REQUIRE(pair.run_until([&] { return completions(pair.client).size() + pair.server.kept.size() == i + 1; }));
  }
  CHECK(pair.server.kept.size() == 3);  // one more would be over the bound
  CHECK(event_bytes(pair.server) == 900'000);
  CHECK(refusals(pair.server, "events") == 3);
  for (const Seen& done : pair.client.of(P2PA_EVENT_CALL_DONE)) CHECK(done.event.status == P2PA_E_LIMIT_MEMORY);

  Node other;
  const std::string address = pair.server.address();
  REQUIRE(p2pa_node_add_address(*other, pair.server.peer(), address.data(), address.size(), nullptr) == P2PA_OK);
  p2pa_op op{};
  REQUIRE(p2pa_node_call(*other, pair.server.peer(), "held", 4, bytes(request), request.size(), nullptr, &op) ==
          P2PA_OK);
  REQUIRE(run_until({&other, &pair.server}, [&] { return pair.server.kept.size() == 4; }));
  pair.server.release_kept();
  CHECK(event_bytes(pair.server) == 0);
  pair.call("held", request);
  REQUIRE(pair.run_until([&] { return pair.server.kept.size() == 1; }));
  pair.server.release_kept();
}

TEST_CASE("messages that wait for the host pause their calls within the bound, and none is lost") {
  Pair pair([](p2pa_node_options&) {}, limited([](p2pa_limits& limits) {
    limits.memory_per_peer_max = 1'000'000;
    limits.message_bytes_max = 300'000;
    limits.stream_window = limits.connection_window = 65'536;
  }));
  pair.serve("take", P2PA_SERVE_STREAMING);
  pair.server.keep(P2PA_EVENT_CALL_MESSAGE);
  constexpr std::size_t kMessages = 8;
  const std::string message(300'000, 'm');
  p2pa_call calls[2];
  std::size_t rounds = 0;
  for (p2pa_call& call : calls) {
    REQUIRE(p2pa_node_call_open(*pair.client, pair.server.peer(), "take", 4, nullptr, &call) == P2PA_OK);
  }
  pair.send_to_the_end(calls, message, kMessages, [&] {
    if (++rounds % 100 != 0) return;
    CHECK(event_bytes(pair.server) <= 1'000'000);
    pair.server.release_kept();
  });
  pair.server.release_kept();
  for (const Seen& ended : pair.client.of(P2PA_EVENT_CALL_ENDED)) CHECK(ended.event.status == P2PA_OK);
  CHECK(pair.server.count(P2PA_EVENT_CALL_MESSAGE) == 2 * kMessages);
  CHECK(refusals(pair.server, "events") == 0);
}

TEST_CASE("the bytes of streams that wait for the host stay in the bound, and none is lost") {
  Pair pair([](p2pa_node_options&) {}, limited([](p2pa_limits& limits) {
    limits.memory_per_peer_max = 262'144;
    limits.stream_window = limits.connection_window = 65'536;
  }));
  REQUIRE(p2pa_node_handle_protocol(*pair.server, "/bytes/1", 8) == P2PA_OK);
  pair.server.run();
  pair.server.keep(P2PA_EVENT_STREAM_DATA);
  p2pa_op op{};
  REQUIRE(p2pa_node_open_stream(*pair.client, pair.server.peer(), "/bytes/1", 8, &op) == P2PA_OK);
  const p2pa_stream stream = pair.finish(op).event.stream;
  const std::string bulk(1'000'000, 'b');
  std::size_t taken = 0, before = 0, quiet = 0;
  REQUIRE(p2pa_stream_write(stream, bytes(bulk), bulk.size(), &taken) == P2PA_OK);
  REQUIRE(taken == bulk.size());
  REQUIRE(p2pa_stream_finish(stream) == P2PA_OK);
  REQUIRE(pair.run_until([&] {
    quiet = event_bytes(pair.server) == before ? quiet + 1 : 0;
    before = event_bytes(pair.server);
    CHECK(before <= 262'144);
    if (quiet > 50) pair.server.release_kept();
    return pair.server.count(P2PA_EVENT_STREAM_FINISHED) == 1;
  }));
  pair.server.release_kept();
  std::size_t received = 0;
  for (const Seen& data : pair.server.of(P2PA_EVENT_STREAM_DATA)) received += data.data.size();
  CHECK(received == bulk.size());
}

TEST_CASE("an answer that the host has no room for is the call's reason") {
  Pair pair(limited([](p2pa_limits& limits) {
    limits.memory_per_peer_max = 1'000'000;
    limits.stream_window = limits.connection_window = 65'536;
  }));
  pair.serve("big", P2PA_SERVE_UNARY);
  pair.client.keep(P2PA_EVENT_CALL_DONE);
  const std::string answer(600'000, 'a');
  for (std::size_t i = 0; i < 3; ++i) {
    if (i == 2) pair.client.release_kept();
    const p2pa_op op = pair.call("big", "");
    REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_REQUEST) == i + 1; }));
    const p2pa_call call = pair.server.of(P2PA_EVENT_REQUEST).at(i).event.call;
    if (i == 1) {
      REQUIRE(p2pa_call_fail(call, 7, "text", 4, bytes(answer), answer.size()) == P2PA_OK);
    } else {
      REQUIRE(p2pa_call_reply(call, bytes(answer), answer.size()) == P2PA_OK);
    }
    const Seen done = pair.finish(op);
    CHECK(done.event.status == (i == 1 ? P2PA_E_LIMIT_MEMORY : P2PA_OK));
    CHECK((done.data == (i == 1 ? "" : answer)));
    CHECK(done.event.application_code == 0);
  }
  CHECK(refusals(pair.client, "events") == 1);
  pair.client.release_kept();
}

TEST_CASE("what no queue will ever have room for is too large, and does not block") {
  Node node(limited([](p2pa_limits& limits) {
    limits.memory_max = 1000;
  }));
  const std::string fits(1000, 'x'), over(1001, 'x');
  p2pa_op op{};
  CHECK(p2pa_node_call(*node, node.peer(), "m", 1, bytes(over), over.size(), nullptr, &op) ==
        P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_node_notify(*node, node.peer(), "m", 1, bytes(over), over.size(), &op) == P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_node_send_datagram(*node, node.peer(), bytes(over), over.size()) == P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_node_call(*node, node.peer(), "m", 1, bytes(fits), fits.size(), nullptr, &op) == P2PA_OK);
  CHECK(p2pa_node_call(*node, node.peer(), "m", 1, bytes("x"), 1, nullptr, &op) == P2PA_E_WOULD_BLOCK);
}
