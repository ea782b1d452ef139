// What a node promises its author, tried in a small world.

#include "p2pagents/node.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "p2pagents/sim.hpp"
#include "transport/connection.hpp"

using namespace p2pa;

namespace {

NodeOptions listening() {
  NodeOptions options;
  options.listen = {Multiaddr::parse("/ip4/0.0.0.0/udp/4001/quic-v1").value()};
  return options;
}

/// A server that listens, a client that does not.
struct Two {
  sim::World world{1};
  sim::NodeId server_id = world.add_node(listening());
  sim::NodeId client_id = world.add_node({});
  Node& server = world.node(server_id);
  Node& client = world.node(client_id);

  Two() { world.run_for(milliseconds(1)); }  // the server's socket is bound
  Multiaddr address() { return world.address(server_id); }

  Result<ConnectionInfo> dial(const Multiaddr& to) {
    std::optional<Result<ConnectionInfo>> done;
    client.dial(to, [&](auto result) { done = std::move(result); });
    REQUIRE_FALSE(done.has_value());  // nothing runs inside the call that asked
    REQUIRE(world.run_until([&] { return done.has_value(); }, seconds(60)));
    return *done;
  }
};

Code code_of(const Result<ConnectionInfo>& result) {
  return result ? Code::kOk : result.error().code;
}

PeerId stranger() { return KeyPair::from_seed(Bytes(32, 9)).peer_id(); }

std::string text_of(ByteView bytes) { return std::string(as_text(bytes)); }

}  // namespace

TEST_CASE("a second dial is answered by the connection that exists") {
  Two two;
  const auto first = two.dial(two.address());
  REQUIRE(first.has_value());
  CHECK(first->peer == two.server.id());
  CHECK(first->outbound);
  const auto second = two.dial(two.address());
  REQUIRE(second.has_value());
  CHECK(second->id == first->id);
  two.world.run_for(milliseconds(100));  // the server knows its client half a round trip later
  CHECK(two.client.connections().size() == 1);
  CHECK(two.server.connections().size() == 1);
}

TEST_CASE("two dials at once share one connection") {
  Two two;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 2; ++i) {
    two.client.dial(two.address(), [&](auto result) {
      REQUIRE(result.has_value());
      ids.push_back(result->id);
    });
  }
  REQUIRE(two.world.run_until([&] { return ids.size() == 2; }, seconds(5)));
  CHECK(ids[0] == ids[1]);
}

TEST_CASE("another identity at the address is refused by name") {
  Two two;
  const auto result = two.dial(two.address().without_peer_id().with_peer_id(stranger()));
  CHECK(code_of(result) == Code::kPeerIdMismatch);
  CHECK(two.client.connections().empty());
  // The server still takes those who ask for the right one.
  CHECK(two.dial(two.address()).has_value());
}

TEST_CASE("each way not to reach a peer has its own reason") {
  Two two;
  CHECK(code_of(two.dial(Multiaddr::parse("/ip4/192.0.2.1/udp/80/quic").value())) == Code::kUnsupported);
  const auto nowhere = two.dial(Multiaddr::parse("/ip4/192.0.2.99/udp/9/quic-v1").value());
  CHECK(code_of(nowhere) == Code::kUnreachable);

  std::optional<Result<ConnectionInfo>> unknown;
  two.client.dial(stranger(), [&](auto result) { unknown = std::move(result); });
  REQUIRE(two.world.run_until([&] { return unknown.has_value(); }, seconds(1)));
  CHECK(code_of(*unknown) == Code::kNoAddress);
}

TEST_CASE("a peer is dialed by its name alone once an address is known") {
  Two two;
  REQUIRE(two.client.add_address(two.server.id(), two.address()).has_value());
  CHECK_FALSE(two.client.add_address(stranger(), two.address()).has_value());
  bool connected = false;
  two.client.dial(two.server.id(), [&](auto result) { connected = result.has_value(); });
  REQUIRE(two.world.run_until([&] { return connected; }, seconds(5)));
}

TEST_CASE("a node that listens dials from where it listens, also when it dialed before") {
  Two two;
  std::vector<Multiaddr> seen;
  two.server.on_event([&](const NodeEvent& event) {
    if (event.kind == NodeEvent::Kind::kConnected) seen.push_back(event.address);
  });
  REQUIRE(two.dial(two.address()).has_value());
  REQUIRE(two.client.listen(Multiaddr::parse("/ip4/0.0.0.0/udp/4002/quic-v1").value()).has_value());
  REQUIRE(two.world.run_until([&] { return seen.size() == 1 && !two.client.addresses().empty(); }, seconds(5)));
  two.client.disconnect(two.server.id());
  REQUIRE(two.world.run_until([&] { return two.server.connections().empty(); }, seconds(5)));
  REQUIRE(two.dial(two.address()).has_value());
  REQUIRE(two.world.run_until([&] { return seen.size() == 2; }, seconds(5)));  // the server is told later
  CHECK(seen[0].to_string().find("/udp/4002/") == std::string::npos);
  CHECK(seen[1].to_string().find("/udp/4002/") != std::string::npos);
}

TEST_CASE("a raw stream carries bytes both ways, ends by halves, and says so once") {
  Two two;
  int server_ended = 0, client_ended = 0;
  REQUIRE(two.server
              .handle_protocol("/test/echo/1",
                               [&](AgentStream& stream) {
                                 AgentStreamHandler handler;
                                 handler.on_readable = [](AgentStream& s) {
                                   while (!s.peek().empty()) {
                                     const auto taken = s.write(s.peek());
                                     REQUIRE(taken.has_value());
                                     s.consume(*taken);
                                   }
                                   if (s.at_end()) s.finish();
                                 };
                                 handler.on_end = [&](AgentStream&, const Error& why) {
                                   CHECK(why.code == Code::kOk);
                                   ++server_ended;
                                 };
                                 stream.set_handler(std::move(handler));
                               })
              .has_value());
  CHECK_FALSE(two.server.handle_protocol("/test/echo/1", [](AgentStream&) {}).has_value());
  REQUIRE(two.dial(two.address()).has_value());

  std::string echoed;
  two.client.open_stream(two.server.id(), "/test/echo/1", [&](Result<AgentStream*> opened) {
    REQUIRE(opened.has_value());
    AgentStreamHandler handler;
    handler.on_readable = [&](AgentStream& s) {
      while (!s.peek().empty()) {
        echoed += text_of(s.peek());
        s.consume(s.peek().size());
      }
    };
    handler.on_end = [&](AgentStream&, const Error& why) {
      CHECK(why.code == Code::kOk);
      ++client_ended;
    };
    (*opened)->set_handler(std::move(handler));
    CHECK((*opened)->write(as_bytes("hello")).value() == 5);
    (*opened)->finish();
    CHECK_FALSE((*opened)->write(as_bytes("more")).has_value());
  });
  REQUIRE(two.world.run_until([&] { return client_ended == 1 && server_ended == 1; }, seconds(5)));
  CHECK(echoed == "hello");
}

TEST_CASE("a protocol that the peer does not speak ends the stream by name, not the connection") {
  Two two;
  REQUIRE(two.dial(two.address()).has_value());
  std::optional<Error> ended;
  two.client.open_stream(two.server.id(), "/test/unheard-of/1", [&](Result<AgentStream*> opened) {
    REQUIRE(opened.has_value());
    AgentStreamHandler handler;
    handler.on_end = [&](AgentStream&, const Error& why) { ended = why; };
    (*opened)->set_handler(std::move(handler));
  });
  REQUIRE(two.world.run_until([&] { return ended.has_value(); }, seconds(5)));
  CHECK(ended->code == Code::kProtocolUnsupported);
  std::optional<Result<Duration>> pinged;
  two.client.ping(two.server.id(), [&](auto rtt) { pinged = rtt; });
  REQUIRE(two.world.run_until([&] { return pinged.has_value(); }, seconds(5)));
  CHECK(pinged->has_value());
}

TEST_CASE("a reset reaches the other end with its code") {
  Two two;
  std::optional<Error> seen;
  REQUIRE(two.server
              .handle_protocol("/test/reset/1",
                               [&](AgentStream& stream) {
                                 AgentStreamHandler handler;
                                 handler.on_end = [&](AgentStream&, const Error& why) { seen = why; };
                                 stream.set_handler(std::move(handler));
                               })
              .has_value());
  REQUIRE(two.dial(two.address()).has_value());
  AgentStream* mine = nullptr;
  two.client.open_stream(two.server.id(), "/test/reset/1", [&](Result<AgentStream*> opened) {
    mine = opened.value();
    (void)mine->write(as_bytes("x"));
  });
  REQUIRE(two.world.run_until([&] { return mine != nullptr; }, seconds(1)));
  two.world.run_for(milliseconds(100));
  mine->reset(77);
  REQUIRE(two.world.run_until([&] { return seen.has_value(); }, seconds(5)));
  CHECK(seen->code == Code::kStreamReset);
  CHECK(seen->detail == 77);
}

TEST_CASE("a handler may replace itself while it runs") {
  Two two;
  int first = 0, second = 0;
  REQUIRE(two.server
              .handle_protocol("/test/swap/1",
                               [&](AgentStream& stream) {
                                 AgentStreamHandler handler;
                                 handler.on_readable = [&, keep = std::string(100, 'k')](AgentStream& s) {
                                   AgentStreamHandler other;
                                   other.on_readable = [&](AgentStream& t) {
                                     ++second;
                                     t.consume(t.peek().size());
                                   };
                                   s.set_handler(std::move(other));
                                   s.consume(s.peek().size());
                                   first += static_cast<int>(keep.size());
                                 };
                                 stream.set_handler(std::move(handler));
                               })
              .has_value());
  REQUIRE(two.dial(two.address()).has_value());
  AgentStream* mine = nullptr;
  two.client.open_stream(two.server.id(), "/test/swap/1",
                         [&](Result<AgentStream*> opened) { mine = opened.value(); });
  REQUIRE(two.world.run_until([&] { return mine != nullptr; }, seconds(1)));
  (void)mine->write(as_bytes("a"));
  two.world.run_for(milliseconds(200));
  (void)mine->write(as_bytes("b"));
  two.world.run_for(milliseconds(200));
  CHECK(first == 100);
  CHECK(second >= 1);
}

TEST_CASE("how something ends may be told to nobody, what is served needs somebody") {
  Two two;
  CHECK(two.server.handle_protocol("/test/x/1", {}).error().code == Code::kInvalidArgument);
  CHECK(two.server.serve("x", Method{}).error().code == Code::kInvalidArgument);
  CHECK(two.server.serve("x", UnaryMethod{}).error().code == Code::kInvalidArgument);
  CHECK(two.client.post({}).error().code == Code::kInvalidArgument);
  REQUIRE(two.client.add_address(two.server.id(), two.address()));
  for (const PeerId& peer : {two.server.id(), stranger()}) {  // what ends well, and what does not
    two.client.dial(peer, {});
    for (int i = 0; i < 3; ++i) two.client.ping(peer, {});
    two.client.open_stream(peer, "/test/x/1", {});
    two.client.perf(peer, 10, 10, {});
    two.client.call(peer, "x", {}, {}, {});
    two.client.notify(peer, "x", {});
    (void)two.client.open_call(peer, "x", {}, {});
    two.world.run_for(seconds(5));
  }
  CHECK(two.client.connections().size() == 1);
}

TEST_CASE("what is told of events and datagrams may replace itself while it runs") {
  Two two;
  int events = 0, first = 0, second = 0;
  two.client.on_event([&, keep = std::string(100, 'k')](const NodeEvent&) {
    two.client.on_event({});
    events += static_cast<int>(keep.size());
  });
  two.server.on_datagram([&, keep = std::string(100, 'k')](const PeerId&, ByteView) {
    two.server.on_datagram([&](const PeerId&, ByteView) { ++second; });
    first += static_cast<int>(keep.size());
  });
  REQUIRE(two.dial(two.address()).has_value());
  for (int i = 0; i < 3; ++i) REQUIRE(two.client.send_datagram(two.server.id(), as_bytes("x")));
  two.world.run_for(seconds(1));
  CHECK(events == 100);
  CHECK(first == 100);
  CHECK(second == 2);
}

TEST_CASE("datagrams pass between connected nodes and are refused between strangers") {
  Two two;
  CHECK(two.client.send_datagram(two.server.id(), as_bytes("early")).error().code == Code::kNotFound);
  std::vector<std::string> got;
  two.server.on_datagram([&](const PeerId& from, ByteView payload) {
    CHECK(from == two.client.id());
    got.push_back(text_of(payload));
  });
  REQUIRE(two.dial(two.address()).has_value());
  CHECK(two.client.send_datagram(two.server.id(), as_bytes("one")).has_value());
  CHECK_FALSE(two.client.send_datagram(two.server.id(), Bytes(60'000)).has_value());
  two.world.run_for(seconds(1));
  CHECK(got == std::vector<std::string>{"one"});
}

TEST_CASE("a connection over the bound is refused with a reason that both ends know") {
  sim::World world(3);
  NodeOptions options = listening();
  options.limits.connections_max = 1;
  const auto server = world.add_node(std::move(options));
  const auto first = world.add_node({});
  const auto second = world.add_node({});
  world.run_for(milliseconds(1));
  bool connected = false;
  world.node(first).dial(world.address(server), [&](auto result) { connected = result.has_value(); });
  REQUIRE(world.run_until([&] { return connected; }, seconds(5)));

  std::vector<NodeEvent> events;
  world.node(second).on_event([&](const NodeEvent& event) { events.push_back(event); });
  world.node(second).dial(world.address(server), [](auto) {});
  const auto refused = [&] {
    return !events.empty() && events.back().kind == NodeEvent::Kind::kDisconnected;
  };
  REQUIRE(world.run_until(refused, seconds(5)));
  CHECK(events.back().error.detail == wire_code::kConnResourceLimit);
  CHECK(world.node(server).limit_counters().refused[LimitCounters::kConnections] == 1);
  CHECK(world.node(server).connections().size() == 1);
}

TEST_CASE("closing ends what is under way, and its event is the last") {
  Two two;
  REQUIRE(two.dial(two.address()).has_value());
  std::vector<NodeEvent::Kind> events;
  two.client.on_event([&](const NodeEvent& event) { events.push_back(event.kind); });
  std::optional<Result<ConnectionInfo>> dialed;
  two.client.dial(Multiaddr::parse("/ip4/192.0.2.99/udp/9/quic-v1").value(),
                  [&](auto result) { dialed = std::move(result); });
  std::optional<Code> called;
  two.client.call(two.server.id(), "none", {}, {},
                  [&](const CallOutcome& outcome, ByteView) { called = outcome.error.code; });
  two.client.close();
  two.client.close();
  REQUIRE(two.world.run_until([&] { return two.client.closed(); }, seconds(5)));
  two.world.run_for(seconds(1));
  REQUIRE(dialed.has_value());
  CHECK(code_of(*dialed) == Code::kClosed);
  CHECK(called == Code::kClosed);
  REQUIRE_FALSE(events.empty());
  CHECK(events.back() == NodeEvent::Kind::kClosed);
  CHECK(std::count(events.begin(), events.end(), NodeEvent::Kind::kClosed) == 1);
  // The other end was told, it need not wait for silence.
  CHECK(two.server.connections().empty());
}

TEST_CASE("an address that cannot be listened on is an event with its reason") {
  sim::World world(4);
  NodeOptions options;
  options.listen = {Multiaddr::parse("/ip4/0.0.0.0/udp/4001").value()};
  std::vector<NodeEvent> events;
  world.on_node_event([&](sim::NodeId, const NodeEvent& event) { events.push_back(event); });
  const auto node = world.add_node(std::move(options));
  world.run_for(milliseconds(1));
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == NodeEvent::Kind::kListenFailed);
  CHECK(events[0].error.code == Code::kUnsupported);
  CHECK_FALSE(world.node(node).listen(Multiaddr::parse("/ip4/0.0.0.0/udp/1").value()).has_value());
}

namespace {

struct Line {
  LogLevel level;
  std::string subsystem, text;
};

/// Options of a node that logs into `lines`.
NodeOptions logging(NodeOptions options, std::vector<Line>& lines, LogLevel level) {
  options.log_level = level;
  options.log = [&lines](const LogRecord& record) {
    lines.push_back({record.level, std::string(record.subsystem), std::string(record.text)});
  };
  return options;
}

std::size_t count(const std::vector<Line>& lines, LogLevel level, std::string_view subsystem, std::string_view part) {
  return static_cast<std::size_t>(std::ranges::count_if(lines, [&](const Line& line) {
    return line.level == level && line.subsystem == subsystem && line.text.find(part) != std::string::npos;
  }));
}

}  // namespace

TEST_CASE("the log tells where a node listens, whom it met, and why somebody was not reached") {
  std::vector<Line> server_lines, client_lines;
  sim::World world(1);
  const auto server = world.add_node(logging(listening(), server_lines, LogLevel::kDebug));
  const auto client = world.add_node(logging({}, client_lines, LogLevel::kDebug));
  world.run_for(milliseconds(1));
  CHECK(count(server_lines, LogLevel::kInfo, "node", "listening on /ip4/") == 1);
  const auto dial = [&](const Multiaddr& to) {
    bool done = false;
    world.node(client).dial(to, [&](auto) { done = true; });
    REQUIRE(world.run_until([&] { return done; }, seconds(60)));
  };
  dial(world.address(server).without_peer_id().with_peer_id(stranger()));
  CHECK(count(client_lines, LogLevel::kDebug, "dial", stranger().to_string()) == 1);
  CHECK(count(client_lines, LogLevel::kDebug, "dial", "peer_id_mismatch") == 1);
  world.run_for(seconds(1));
  CHECK(count(server_lines, LogLevel::kDebug, "connection", "not accepted from /ip4/") == 1);
  dial(world.address(server));
  const std::string connected = "connected with " + world.node(server).id().to_string();
  CHECK(count(client_lines, LogLevel::kDebug, "connection", connected) == 1);
  world.node(client).close();
  REQUIRE(world.run_until([&] { return world.node(client).closed(); }, seconds(10)));
  CHECK(count(client_lines, LogLevel::kInfo, "node", "closed") == 1);
}

TEST_CASE("the log is as quiet as it was asked to be") {
  std::vector<Line> lines;
  sim::World world(1);
  world.add_node(logging(listening(), lines, LogLevel::kWarning));
  world.run_for(seconds(1));
  CHECK(lines.empty());
}

TEST_CASE("what a bound refuses is told once in a while, with the sum") {
  std::vector<Line> lines;
  NodeOptions options = logging(listening(), lines, LogLevel::kWarning);
  options.limits.streams_per_peer_max = 4;
  sim::World world(1);
  const auto server = world.add_node(std::move(options));
  const auto client = world.add_node({});
  world.run_for(milliseconds(1));
  Node& from = world.node(client);
  REQUIRE(from.add_address(world.node(server).id(), world.address(server)));
  REQUIRE(world.node(server).handle_protocol("/held/1", [](AgentStream&) {}));
  for (int i = 0; i < 100; ++i) from.open_stream(world.node(server).id(), "/held/1", [](auto) {});
  world.run_for(milliseconds(500));
  CHECK(lines.size() == 1);
  CHECK(count(lines, LogLevel::kWarning, "limits", "streams_per_peer") == 1);
}
