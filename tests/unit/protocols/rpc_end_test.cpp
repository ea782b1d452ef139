// How calls end when they do not end well: cancellation, deadlines, lost connections, limits.
#include <catch2/catch.hpp>

#include "rpc_world.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

/// A method that sets this handler and waits.
Method waiting(CallLog& log) {
  return [&log](Call& call) {
    log.id = call.id();
    call.set_handler(log.handler());
  };
}

}  // namespace

TEST_CASE("a call cancelled before its stream opens ends once and reaches nobody", "[rpc]") {
  RpcWorld world;
  CallLog there, here;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Call& call = world.open("wait", here.handler());
  call.cancel();
  call.cancel();
  CHECK(here.ends.empty());
  CHECK(world.client.find_call(call.id()) == nullptr);
  world.hosts.settle();
  REQUIRE(here.ends.size() == 1);
  CHECK(here.code() == Code::kCancelled);
  CHECK(there.ends.empty());
  CHECK(world.leftovers() == "");
}

TEST_CASE("a caller's cancellation reaches the server as one", "[rpc]") {
  RpcWorld world;
  CallLog there, here;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Call& call = world.open("wait", here.handler());
  REQUIRE(call.send(as_bytes("x")));
  world.hosts.settle();
  REQUIRE(there.messages.size() == 1);
  call.cancel();
  world.hosts.settle();
  REQUIRE(here.ends.size() == 1);
  CHECK(here.code() == Code::kCancelled);
  REQUIRE(there.ends.size() == 1);
  CHECK(there.code() == Code::kCancelled);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a server's cancellation reaches the caller as one", "[rpc]") {
  RpcWorld world;
  CallLog there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Answer answer;
  world.call("wait", "x", answer.callback());
  world.hosts.settle();
  world.server.find_call(there.id)->cancel();
  world.hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.code() == Code::kCancelled);
  REQUIRE(there.ends.size() == 1);
  CHECK(there.code() == Code::kCancelled);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a method may cancel a call as it arrives", "[rpc]") {
  RpcWorld world;
  REQUIRE(world.server.serve("no", Method([](Call& call) { call.cancel(); })));
  Answer answer;
  world.call("no", "x", answer.callback());
  world.hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.code() == Code::kCancelled);
  CHECK(world.leftovers() == "");
}

TEST_CASE("both ends may cancel at once", "[rpc]") {
  RpcWorld world;
  CallLog there, here;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Call& call = world.open("wait", here.handler());
  REQUIRE(call.send(as_bytes("x")));
  world.hosts.settle();
  world.server.find_call(there.id)->cancel();
  call.cancel();
  world.hosts.settle();
  CHECK(here.ends.size() == 1);
  CHECK(there.ends.size() == 1);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a call cancelled after its answer has arrived keeps its answer", "[rpc]") {
  RpcWorld world;
  REQUIRE(serve_echo(world.server));
  Answer answer;
  const CallId id = world.call("echo", "x", answer.callback());
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(world.client.find_call(id) == nullptr);
  CHECK(answer.code() == Code::kOk);
}

TEST_CASE("a unary call in flight can be cancelled by its id", "[rpc]") {
  RpcWorld world;
  CallLog there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Answer answer;
  const CallId id = world.call("wait", "x", answer.callback());
  world.hosts.settle();
  REQUIRE(world.client.find_call(id) != nullptr);
  CHECK(world.client.find_call(id)->send(as_bytes("more")).error().code == Code::kStreamFinished);
  world.client.find_call(id)->cancel();
  world.hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.code() == Code::kCancelled);
  CHECK(there.code() == Code::kCancelled);
}

TEST_CASE("the caller's deadline ends the call at both ends", "[rpc]") {
  RpcWorld world;
  CallLog there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Answer answer;
  CallOptions options;
  options.deadline = milliseconds(500);
  const Instant start = world.hosts.now;
  world.call("wait", "x", answer.callback(), options);
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(answer.code() == Code::kDeadlineExceeded);
  CHECK(world.hosts.now - start == milliseconds(500));
  world.hosts.settle();
  REQUIRE(there.ends.size() == 1);
  CHECK(there.code() == Code::kDeadlineExceeded);
  CHECK(world.leftovers() == "");
}

TEST_CASE("the server keeps the deadline when its caller is silent", "[rpc]") {
  RpcWorld world({.delay = milliseconds(1)});
  CallLog there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  RawPeer caller;
  Stream& stream = world.hosts.dialer.open_raw(rpc::kProtocolId, caller);
  Bytes request;
  rpc::append_frame(request, rpc::Request{"wait", 300, false, std::nullopt});
  REQUIRE(stream.write(request));
  REQUIRE(world.hosts.run_until([&] { return !there.ends.empty(); }));
  CHECK(there.code() == Code::kDeadlineExceeded);
  world.hosts.settle();
  REQUIRE(caller.closed);
  CHECK(*caller.closed == Error{Code::kStreamReset, rpc::kWireDeadlineExceeded, ""});
}

TEST_CASE("time spent before the stream opens counts, and the server sees what is left", "[rpc]") {
  RpcWorld world;
  Duration left{};
  REQUIRE(world.server.serve("look", Method([&](Call& call) {
    left = call.deadline() - world.hosts.now;
    call.finish();
  })));
  CallOptions options;
  options.deadline = milliseconds(1000);
  CallLog log;
  Call& call = world.open("look", log.handler(), options);
  call.finish();
  world.hosts.now = world.hosts.now + milliseconds(400);  // as if dialing took that long
  world.hosts.settle();
  CHECK(left == milliseconds(600));
}

TEST_CASE("a deadline passes also while the stream is not open", "[rpc]") {
  test::TwoHosts hosts;
  resource::Manager resources{Limits{}};
  struct Nobody final : StreamOpener {
    void open_stream(const PeerId&, std::string_view, StreamHandler&, std::uint64_t, OpenStreamOptions) override {}
  } nobody;
  rpc::Rpc client(nobody, resources);
  Answer answer;
  CallOptions options;
  options.deadline = seconds(1);
  client.call(hosts.now, hosts.listener_id, "m", {}, options, answer.callback());
  CHECK(client.next_deadline() == hosts.now + seconds(1));
  client.on_deadline(hosts.now + milliseconds(999));
  CHECK_FALSE(answer.done());
  client.on_deadline(hosts.now + seconds(1));
  REQUIRE(answer.done());
  CHECK(answer.code() == Code::kDeadlineExceeded);
  CHECK(resources.usage().calls == 0);
}

TEST_CASE("a call without a deadline waits", "[rpc]") {
  RpcWorld world;
  CallLog there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Answer answer;
  CallOptions options;
  options.deadline = Duration{};
  const CallId id = world.call("wait", "x", answer.callback(), options);
  CHECK(world.client.find_call(id)->deadline() == kNever);
  world.hosts.run_for(hours(2));
  CHECK_FALSE(answer.done());
  CHECK(world.server.find_call(there.id)->deadline() == kNever);
  world.client.find_call(id)->cancel();
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("a place that is used again keeps the new call's deadline", "[rpc]") {
  RpcWorld world;
  REQUIRE(serve_echo(world.server));
  CallLog there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  CallOptions longer, shorter;
  longer.deadline = seconds(60);
  shorter.deadline = seconds(2);
  Answer first, second, third;
  world.call("echo", "x", first.callback(), longer);
  world.hosts.settle();
  const Instant start = world.hosts.now;
  world.call("wait", "x", second.callback(), shorter);  // sooner than what the place's timer stands at
  REQUIRE(world.hosts.run_until([&] { return second.done(); }));
  CHECK(world.hosts.now - start == seconds(2));
  world.hosts.settle();
  const Instant again = world.hosts.now;
  world.call("wait", "x", third.callback(), longer);
  REQUIRE(world.hosts.run_until([&] { return third.done(); }, seconds(120)));
  CHECK(world.hosts.now - again == seconds(60));
}

TEST_CASE("what the opener answers is the call's outcome", "[rpc]") {
  RpcWorld world;
  world.hosts.dialer.refuse_opens = {Code::kUnreachable, 3, "no address answered"};
  Answer answer;
  world.call("echo", "x", answer.callback());
  world.hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.outcomes[0].error == Error{Code::kUnreachable, 3, ""});
  CHECK(world.leftovers() == "");
}

TEST_CASE("a peer that does not speak rpc is told from one that refuses", "[rpc]") {
  TwoHosts hosts;
  resource::Manager resources{Limits{}};
  rpc::Rpc client(hosts.dialer, resources);
  hosts.dialer.add(client);
  Answer answer;
  client.call(hosts.now, hosts.listener_id, "m", {}, {}, answer.callback());
  hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.code() == Code::kProtocolUnsupported);
}

TEST_CASE("a lost connection ends every call once, at both ends", "[rpc]") {
  RpcWorld world;
  CallLog there, here;
  Answer answer;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Call& call = world.open("wait", here.handler());
  REQUIRE(call.send(as_bytes("x")));
  world.call("wait", "y", answer.callback());
  world.hosts.settle();
  world.hosts.pair.lose();
  world.hosts.settle();
  REQUIRE(here.ends.size() == 1);
  CHECK(here.code() == Code::kConnectionLost);
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.code() == Code::kConnectionLost);
  CHECK(there.ends.size() == 2);
  CHECK(world.leftovers() == "");
}

TEST_CASE("closing ends every call with the reason given, in a turn", "[rpc]") {
  RpcWorld world;
  CallLog there, here;
  REQUIRE(world.server.serve("wait", waiting(there)));
  world.open("wait", here.handler());
  world.hosts.settle();
  Answer waiting_for_stream;
  world.call("wait", "y", waiting_for_stream.callback());
  world.client.close_all(world.hosts.now, {Code::kClosed, 0, "bye"});
  CHECK(here.ends.empty());
  world.hosts.settle();
  REQUIRE(here.ends.size() == 1);
  CHECK(here.code() == Code::kClosed);
  REQUIRE(waiting_for_stream.outcomes.size() == 1);
  CHECK(waiting_for_stream.code() == Code::kClosed);
  REQUIRE(there.ends.size() == 1);
  CHECK(there.ends[0].error == Error{Code::kStreamReset, wire_code::kStreamShutdown, ""});
  CHECK(world.leftovers() == "");
}

TEST_CASE("one call over the bound of the node fails at the caller, also just once", "[rpc]") {
  Limits limits;
  limits.calls_max = 2;
  RpcWorld world({}, limits);
  CallLog there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Answer a, b, c;
  world.call("wait", "", a.callback());
  const CallId second = world.call("wait", "", b.callback());
  world.call("wait", "", c.callback());
  CHECK_FALSE(c.done());
  world.hosts.settle();
  REQUIRE(c.outcomes.size() == 1);
  CHECK(c.outcomes[0].error == Error{Code::kLimitCalls, 2, ""});
  CHECK_FALSE(a.done());
  CHECK(world.client_resources.counters().refused[LimitCounters::kCalls] == 1);
  world.client.find_call(second)->cancel();
  world.hosts.settle();
  Answer d;
  world.call("wait", "", d.callback());
  world.hosts.settle();
  CHECK_FALSE(d.done());
}

TEST_CASE("one call over the server's bound is refused with its reason", "[rpc]") {
  Limits few;
  few.calls_max = 1;
  TwoHosts hosts;
  resource::Manager client_resources{Limits{}}, server_resources{few};
  rpc::Rpc client(hosts.dialer, client_resources), server(hosts.listener, server_resources);
  hosts.dialer.add(client);
  hosts.listener.add(server);
  CallLog there;
  REQUIRE(server.serve("wait", waiting(there)));
  Answer a, b;
  const CallId first = client.call(hosts.now, hosts.listener_id, "wait", {}, {}, a.callback());
  client.call(hosts.now, hosts.listener_id, "wait", {}, {}, b.callback());
  hosts.settle();
  REQUIRE(b.outcomes.size() == 1);
  CHECK(b.outcomes[0].error == Error{Code::kLimitCalls, 1, ""});
  CHECK_FALSE(a.done());
  client.find_call(first)->cancel();
  hosts.settle();
  CHECK(server_resources.usage().calls == 0);
  CHECK(hosts.listener.streams_count() == 0);
}

TEST_CASE("a message at the bound passes, one byte over does not leave", "[rpc]") {
  Limits limits;
  limits.message_bytes_max = 5000;
  RpcWorld world({}, limits);
  REQUIRE(serve_echo(world.server));
  Answer at, over;
  world.call("echo", std::string(5000, 'x'), at.callback());
  world.call("echo", std::string(5001, 'x'), over.callback());
  CallLog log;
  Call& call = world.open("echo", log.handler());
  CHECK(call.send(Bytes(5001)).error() == Error{Code::kMessageTooLarge, 5000, ""});
  CHECK(call.send(Bytes(5000)));
  call.finish();
  world.hosts.settle();
  CHECK(at.code() == Code::kOk);
  CHECK(at.text.size() == 5000);
  REQUIRE(over.outcomes.size() == 1);
  CHECK(over.outcomes[0].error == Error{Code::kMessageTooLarge, 5000, ""});
  CHECK(log.bytes == 5000);
  CHECK(world.leftovers() == "");
}

TEST_CASE("an answer over the bound becomes a refusal", "[rpc]") {
  Limits limits;
  limits.message_bytes_max = 100;
  RpcWorld world({}, limits);
  REQUIRE(world.server.serve("big", UnaryMethod([](const PeerId&, ByteView) {
    return std::expected<Bytes, ApplicationError>(Bytes(101));
  })));
  Answer answer;
  world.call("big", "", answer.callback());
  world.hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.outcomes[0].error == Error{Code::kMessageTooLarge, 100, ""});
  CHECK(world.leftovers() == "");
}

TEST_CASE("no memory for a large request is the caller's reason", "[rpc]") {
  Limits limits;
  limits.memory_max = 10'000;
  RpcWorld world({}, limits);
  REQUIRE(serve_echo(world.server));
  Answer answer;
  world.call("echo", std::string(10'001, 'x'), answer.callback());
  world.hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.code() == Code::kLimitMemory);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a message that finds no memory before the stream is open is sent when it is", "[rpc]") {
  Limits limits;
  limits.memory_per_peer_max = 50'000;
  RpcWorld world({}, limits);
  std::size_t received = 0;
  REQUIRE(world.server.serve("take", Method([&](Call& call) {
    CallHandler handler;
    handler.on_message = [&](Call&, ByteView message) { received += message.size(); };
    handler.on_finished = [](Call& c) { c.finish(); };
    call.set_handler(std::move(handler));
  })));
  CallLog log;
  const Bytes message(30'000);
  CallHandler handler = log.handler();
  handler.on_writable = [&](Call& call) {
    if (call.send(message)) call.finish();
  };
  Call& call = world.open("take", std::move(handler));
  CHECK(call.send(Bytes(50'001)).error().code == Code::kLimitMemory);  // it never fits
  REQUIRE(call.send(message));
  CHECK(call.send(message).error().code == Code::kWouldBlock);
  REQUIRE(world.hosts.run_until([&] { return !log.ends.empty(); }));
  CHECK(log.code() == Code::kOk);
  CHECK(received == 60'000);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("no memory for a request in pieces is refused by the server", "[rpc]") {
  Limits small;
  (GENERATE(true, false) ? small.memory_max : small.memory_per_peer_max) = 10'000;
  TwoHosts hosts({.segment_bytes_max = 500});
  resource::Manager client_resources{Limits{}}, server_resources{small};
  rpc::Rpc client(hosts.dialer, client_resources), server(hosts.listener, server_resources);
  hosts.dialer.add(client);
  hosts.listener.add(server);
  REQUIRE(serve_echo(server));
  Answer answer;
  client.call(hosts.now, hosts.listener_id, "echo", Bytes(20'000), {}, answer.callback());
  hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.outcomes[0].error == Error{Code::kLimitMemory, 10'000, ""});
  CHECK(server_resources.usage().memory == 0);
}

TEST_CASE("a deadline that has passed ends the call at once, and nothing is sent", "[rpc]") {
  RpcWorld world;
  int served = 0;
  REQUIRE(world.server.serve("count", UnaryMethod([&](const PeerId&, ByteView) {
                               ++served;
                               return std::expected<Bytes, ApplicationError>{};
                             })));
  CallOptions options;
  options.deadline = GENERATE(milliseconds(-5), Duration{INT64_MIN});
  Answer answer;
  world.call("count", "x", answer.callback(), options);
  CHECK_FALSE(answer.done());
  world.hosts.settle();
  REQUIRE(answer.outcomes.size() == 1);
  CHECK(answer.code() == Code::kDeadlineExceeded);
  CHECK(served == 0);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a method name that cannot be is the caller's mistake", "[rpc]") {
  RpcWorld world;
  Answer empty, over, dirty;
  world.call("", "", empty.callback());
  world.call(std::string(256, 'm'), "", over.callback());
  world.call("\xff", "", dirty.callback());
  CHECK_FALSE(empty.done());
  world.hosts.settle();
  CHECK(empty.code() == Code::kInvalidArgument);
  CHECK(over.code() == Code::kInvalidArgument);
  CHECK(dirty.code() == Code::kInvalidArgument);
  CHECK(world.hosts.dialer.opens_count == 0);
  CHECK(world.server.serve("", Method([](Call&) {})).error().code == Code::kInvalidArgument);
  REQUIRE(serve_echo(world.server));
  CHECK(serve_echo(world.server).error().code == Code::kInvalidState);
}

TEST_CASE("what is sent before the stream opens is bounded", "[rpc]") {
  RpcWorld world;
  CallLog log, there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Call& call = world.open("wait", log.handler());
  const Bytes kilo(1024, 1);
  int taken = 0;
  while (call.send(kilo)) ++taken;
  CHECK(taken == 63);
  CHECK(call.send(kilo).error().code == Code::kWouldBlock);
  world.hosts.settle();
  CHECK(log.writable == 1);
  CHECK(there.messages.size() == 63);
  call.cancel();
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("nothing can be sent after the end of one's direction", "[rpc]") {
  RpcWorld world;
  CallLog log, there;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Call& call = world.open("wait", log.handler());
  call.finish();
  CHECK(call.send(as_bytes("x")).error().code == Code::kStreamFinished);
  call.finish();
  call.cancel();
  CHECK(call.send(as_bytes("x")).error().code == Code::kInvalidState);
  call.finish();
  call.fail({});
  world.hosts.settle();
  CHECK(log.ends.size() == 1);
}

TEST_CASE("an error ends a stream of messages for both", "[rpc]") {
  RpcWorld world;
  CallLog there, here;
  REQUIRE(world.server.serve("half", Method([&](Call& call) {
    call.set_handler(there.handler());
    CHECK(call.send(as_bytes("one")));
    call.fail({7, "broke", {9}});
    CHECK(call.send(as_bytes("two")).error().code == Code::kInvalidState);
    call.fail({8, "again", {}});
  })));
  Call& call = world.open("half", here.handler());
  REQUIRE(call.send(as_bytes("x")));
  world.hosts.settle();
  CHECK(here.messages == std::vector<std::string>{"one"});
  CHECK(here.finished == 0);
  REQUIRE(here.ends.size() == 1);
  CHECK(here.code() == Code::kApplication);
  CHECK(here.ends[0].application.code == 7);
  REQUIRE(there.ends.size() == 1);
  CHECK(there.code() == Code::kApplication);
  CHECK(there.ends[0].application.text == "broke");
  CHECK(world.leftovers() == "");
}

TEST_CASE("a caller cannot fail its own call", "[rpc]") {
  RpcWorld world;
  CallLog there, here;
  REQUIRE(world.server.serve("wait", waiting(there)));
  Call& call = world.open("wait", here.handler());
  call.fail({1, "x", {}});
  world.hosts.settle();
  CHECK(here.ends.empty());
  CHECK(there.ends.empty());
}

TEST_CASE("a unary call answered with nothing or twice is no success", "[rpc]") {
  RpcWorld world;
  REQUIRE(world.server.serve("none", Method([](Call& call) { call.finish(); })));
  REQUIRE(world.server.serve("twice", Method([](Call& call) {
    CHECK(call.send(as_bytes("a")));
    CHECK(call.send(as_bytes("b")));
    call.finish();
  })));
  Answer none, twice;
  world.call("none", "", none.callback());
  world.call("twice", "", twice.callback());
  world.hosts.settle();
  REQUIRE(none.outcomes.size() == 1);
  CHECK(none.code() == Code::kTruncated);
  REQUIRE(twice.outcomes.size() == 1);
  CHECK(twice.code() == Code::kProtocolViolation);
  CHECK(twice.text.empty());
  CHECK(world.leftovers() == "");
}
