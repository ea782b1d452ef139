#include <catch2/catch.hpp>

#include "rpc_world.hpp"

using namespace p2pa;
using namespace p2pa::test;

TEST_CASE("a unary call gets its answer and leaves nothing behind", "[rpc]") {
  RpcWorld world;
  REQUIRE(serve_echo(world.server));
  Answer answer;
  const CallId id = world.call("echo", "hello", answer.callback());
  CHECK(id != 0);
  CHECK_FALSE(answer.done());
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(answer.code() == Code::kOk);
  CHECK(answer.text == "hello");
  world.hosts.settle();
  CHECK(answer.outcomes.size() == 1);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a unary call takes one round trip", "[rpc]") {
  RpcWorld world({.delay = milliseconds(10)});
  REQUIRE(serve_echo(world.server));
  const Instant start = world.hosts.now;
  Answer answer;
  world.call("echo", "hello", answer.callback());
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(world.hosts.now - start == milliseconds(20));
}

TEST_CASE("a call of a method that is not served is refused", "[rpc]") {
  RpcWorld world;
  Answer answer;
  world.call("nothing", "hello", answer.callback());
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(answer.code() == Code::kNoSuchMethod);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("an application's error reaches the caller whole", "[rpc]") {
  RpcWorld world;
  REQUIRE(world.server.serve("fail", UnaryMethod([](const PeerId&, ByteView) {
    return std::expected<Bytes, ApplicationError>(std::unexpect, ApplicationError{-3, "no ink", {1, 2, 3}});
  })));
  Answer answer;
  world.call("fail", "", answer.callback());
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(answer.code() == Code::kApplication);
  CHECK(answer.outcomes[0].application.code == -3);
  CHECK(answer.outcomes[0].application.text == "no ink");
  CHECK(answer.outcomes[0].application.data == Bytes{1, 2, 3});
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("the served method learns who calls, what, and until when", "[rpc]") {
  RpcWorld world({.delay = milliseconds(100)});
  PeerId from;
  std::string name;
  Instant deadline{}, seen{};
  REQUIRE(world.server.serve("look", Method([&](Call& call) {
    from = call.peer();
    name = call.method();
    deadline = call.deadline();
    seen = world.hosts.now;
    call.finish();
  })));
  CallLog log;
  CallOptions options;
  options.deadline = seconds(5);
  world.open("look", log.handler(), options).finish();
  REQUIRE(world.hosts.run_until([&] { return !log.ends.empty(); }));
  CHECK(from == world.hosts.dialer_id);
  CHECK(name == "look");
  CHECK(deadline - seen == seconds(5));
}

TEST_CASE("a server streams many messages to its caller in order", "[rpc]") {
  RpcWorld world;
  REQUIRE(world.server.serve("count", Method([](Call& call) {
    CallHandler handler;
    handler.on_message = [](Call& c, ByteView) {
      for (int i = 0; i < 100; ++i) CHECK(c.send(as_bytes(std::to_string(i))));
      c.finish();
    };
    call.set_handler(std::move(handler));
  })));
  CallLog log;
  Call& call = world.open("count", log.handler());
  REQUIRE(call.send(as_bytes("go")));
  call.finish();
  REQUIRE(world.hosts.run_until([&] { return !log.ends.empty(); }));
  REQUIRE(log.messages.size() == 100);
  CHECK(log.messages[0] == "0");
  CHECK(log.messages[99] == "99");
  CHECK(log.finished == 1);
  CHECK(log.code() == Code::kOk);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("a caller streams many messages and gets one answer at its end", "[rpc]") {
  RpcWorld world;
  int sum = 0;
  REQUIRE(world.server.serve("sum", Method([&](Call& call) {
    CallHandler handler;
    handler.on_message = [&](Call&, ByteView m) { sum += m[0]; };
    handler.on_finished = [&](Call& c) {
      CHECK(c.send(as_bytes(std::to_string(sum))));
      c.finish();
    };
    call.set_handler(std::move(handler));
  })));
  CallLog log;
  Call& call = world.open("sum", log.handler());
  for (std::uint8_t i = 1; i <= 10; ++i) REQUIRE(call.send(Bytes{i}));
  world.hosts.settle();
  CHECK(log.ends.empty());
  call.finish();
  REQUIRE(world.hosts.run_until([&] { return !log.ends.empty(); }));
  CHECK(log.messages == std::vector<std::string>{"55"});
}

TEST_CASE("both ends of a call may talk at once", "[rpc]") {
  RpcWorld world;
  CallLog there;
  REQUIRE(world.server.serve("chat", Method([&](Call& call) {
    CHECK(call.send(as_bytes("welcome")));
    CallHandler handler = there.handler();
    handler.on_message = [&](Call& c, ByteView m) {
      there.messages.emplace_back(as_text(m));
      CHECK(c.send(m));
    };
    handler.on_finished = [](Call& c) { c.finish(); };
    call.set_handler(std::move(handler));
  })));
  CallLog here;
  Call& call = world.open("chat", here.handler());
  REQUIRE(call.send(as_bytes("a")));
  world.hosts.settle();
  CHECK(here.messages == std::vector<std::string>{"welcome", "a"});
  REQUIRE(call.send(as_bytes("b")));
  call.finish();
  REQUIRE(world.hosts.run_until([&] { return !here.ends.empty() && !there.ends.empty(); }));
  CHECK(here.messages.back() == "b");
  CHECK(there.code() == Code::kOk);
  CHECK(here.code() == Code::kOk);
}

TEST_CASE("a call works when every byte arrives alone", "[rpc]") {
  RpcWorld world({.segment_bytes_max = 1});
  REQUIRE(serve_echo(world.server));
  const std::string text(3000, 'q');
  Answer answer;
  world.call("echo", text, answer.callback());
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(answer.text == text);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("messages larger than every buffer pass", "[rpc]") {
  RpcWorld world({.stream_bytes_max = 1000, .segment_bytes_max = 77});
  REQUIRE(serve_echo(world.server));
  const std::string text(100'000, 'q');
  Answer answer;
  world.call("echo", text, answer.callback());
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(answer.text == text);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("256 MiB go through one call in bounded memory", "[rpc]") {
  RpcWorld world({.delay = microseconds(50)});
  constexpr std::size_t kTotal = std::size_t{256} << 20;
  const Bytes chunk(256 * 1024, 0x3c);
  std::size_t received = 0, sent = 0, kept_max = 0;
  REQUIRE(world.server.serve("upload", Method([&](Call& call) {
    CallHandler handler;
    handler.on_message = [&](Call&, ByteView m) {
      received += m.size();
      kept_max = std::max({kept_max, world.server_resources.usage().memory, world.client_resources.usage().memory});
    };
    handler.on_finished = [](Call& c) { c.finish(); };
    call.set_handler(std::move(handler));
  })));
  const auto pump = [&](Call& call) {
    while (sent < kTotal) {
      const auto taken = call.send(chunk);
      if (!taken) {
        CHECK(taken.error().code == Code::kWouldBlock);
        return;
      }
      sent += chunk.size();
    }
    call.finish();
  };
  CallLog log;
  CallHandler handler = log.handler();
  handler.on_writable = pump;
  CallOptions options;
  options.deadline = Duration{};
  pump(world.open("upload", std::move(handler), options));
  REQUIRE(world.hosts.run_until([&] { return !log.ends.empty(); }, hours(1)));
  CHECK(log.code() == Code::kOk);
  CHECK(received == kTotal);
  CHECK(kept_max <= 600 * 1024);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("a one-way message is delivered, and its sender told that it left", "[rpc]") {
  RpcWorld world;
  std::string got;
  REQUIRE(world.server.serve("log", UnaryMethod([&](const PeerId&, ByteView m) {
    got = as_text(m);
    return std::expected<Bytes, ApplicationError>(Bytes{1, 2, 3});
  })));
  std::vector<CallOutcome> outcomes;
  world.client.notify(world.hosts.now, world.hosts.listener_id, "log", as_bytes("hi"),
                      [&](const CallOutcome& o) { outcomes.push_back(o); });
  world.hosts.settle();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].ok());
  CHECK(got == "hi");
  CHECK(world.leftovers() == "");
}

TEST_CASE("a one-way message needs no callback", "[rpc]") {
  RpcWorld world;
  int calls = 0;
  REQUIRE(world.server.serve("log", UnaryMethod([&](const PeerId&, ByteView) {
    ++calls;
    return std::expected<Bytes, ApplicationError>(std::unexpect, ApplicationError{1, "ignored", {}});
  })));
  world.client.notify(world.hosts.now, world.hosts.listener_id, "log", as_bytes("hi"), {});
  world.hosts.settle();
  CHECK(calls == 1);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a one-way call of many messages ends at both ends, and the server's words vanish", "[rpc]") {
  RpcWorld world;
  CallLog there;
  REQUIRE(world.server.serve("log", Method([&](Call& call) {
    call.set_handler(there.handler());
    CHECK(call.send(as_bytes("nobody hears this")));
  })));
  CallLog here;
  CallOptions options;
  options.one_way = true;
  Call& call = world.open("log", here.handler(), options);
  REQUIRE(call.send(as_bytes("a")));
  world.hosts.settle();
  CHECK(here.ends.empty());
  REQUIRE(call.send(as_bytes("b")));
  call.finish();
  world.hosts.settle();
  CHECK(there.messages == std::vector<std::string>{"a", "b"});
  CHECK(there.finished == 1);
  REQUIRE(there.ends.size() == 1);
  CHECK(there.code() == Code::kOk);
  REQUIRE(here.ends.size() == 1);
  CHECK(here.code() == Code::kOk);
  CHECK(here.messages.empty());
  CHECK(world.leftovers() == "");
}

TEST_CASE("a one-way call that outlives nobody's interest ends when its server refuses to know it", "[rpc]") {
  RpcWorld world;
  CallOptions options;
  options.one_way = true;
  CallLog here;
  Call& call = world.open("nothing", here.handler(), options);
  REQUIRE(call.send(as_bytes("a")));
  world.hosts.settle();
  call.finish();
  world.hosts.run_for(seconds(30));
  REQUIRE(here.ends.size() == 1);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a server that answers before its caller has finished ends the call for both", "[rpc]") {
  RpcWorld world;
  CallLog there;
  REQUIRE(world.server.serve("early", Method([&](Call& call) {
    call.set_handler(there.handler());
    CHECK(call.send(as_bytes("enough")));
    call.finish();
  })));
  CallLog here;
  Call& call = world.open("early", here.handler());
  REQUIRE(call.send(as_bytes("a")));
  REQUIRE(world.hosts.run_until([&] { return !here.ends.empty(); }));
  CHECK(here.code() == Code::kOk);
  CHECK(here.messages == std::vector<std::string>{"enough"});
  world.hosts.settle();
  REQUIRE(there.ends.size() == 1);
  CHECK(there.code() == Code::kOk);
  CHECK(there.messages.empty());
  CHECK(world.leftovers() == "");
}

TEST_CASE("a paused call reads nothing, and the sender feels it", "[rpc]") {
  RpcWorld world({.stream_bytes_max = 4096});
  CallLog there;
  CallId id = 0;
  REQUIRE(world.server.serve("slow", Method([&](Call& call) {
    id = call.id();
    call.set_handler(there.handler());
    call.pause();
  })));
  CallLog here;
  Call& call = world.open("slow", here.handler());
  const Bytes kilo(1000, 7);
  world.hosts.settle();
  int taken = 0;
  while (call.send(kilo)) ++taken;
  CHECK(taken >= 4);
  CHECK(taken <= 6);
  CHECK(call.send(kilo).error().code == Code::kWouldBlock);
  world.hosts.settle();
  CHECK(there.messages.empty());
  CHECK(here.writable == 0);
  world.server.find_call(id)->resume();
  CHECK(there.messages.empty());  // nothing runs inside the call that asks for it
  world.hosts.settle();
  CHECK(there.messages.size() == static_cast<std::size_t>(taken));
  CHECK(here.writable == 1);
  CHECK(call.send(kilo));
  call.cancel();
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("a request's own message waits while its call is paused", "[rpc]") {
  RpcWorld world;
  CallLog there;
  CallId id = 0;
  REQUIRE(world.server.serve("later", Method([&](Call& call) {
    id = call.id();
    CallHandler handler = there.handler();
    handler.on_message = [&](Call& c, ByteView m) {
      there.messages.emplace_back(as_text(m));
      CHECK(c.send(m));
      c.finish();
    };
    call.set_handler(std::move(handler));
    call.pause();
  })));
  Answer answer;
  world.call("later", "patience", answer.callback());
  world.hosts.settle();
  CHECK_FALSE(answer.done());
  world.server.find_call(id)->resume();
  REQUIRE(world.hosts.run_until([&] { return answer.done(); }));
  CHECK(answer.text == "patience");
  CHECK(there.messages.size() == 1);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("pausing between two messages of one arrival holds the second", "[rpc]") {
  RpcWorld world;
  CallLog there;
  CallId id = 0;
  REQUIRE(world.server.serve("slow", Method([&](Call& call) {
    id = call.id();
    CallHandler handler = there.handler();
    handler.on_message = [&](Call& c, ByteView m) {
      there.messages.emplace_back(as_text(m));
      c.pause();
    };
    call.set_handler(std::move(handler));
  })));
  CallLog here;
  Call& call = world.open("slow", here.handler());
  REQUIRE(call.send(as_bytes("1")));
  REQUIRE(call.send(as_bytes("2")));
  call.finish();
  world.hosts.settle();
  CHECK(there.messages.size() == 1);
  CHECK(there.finished == 0);
  world.server.find_call(id)->resume();
  world.hosts.settle();
  CHECK(there.messages.size() == 2);
  world.server.find_call(id)->resume();
  world.hosts.settle();
  CHECK(there.finished == 1);
}

TEST_CASE("only a replay-safe request asks for 0-RTT", "[rpc]") {
  RpcWorld world;
  CallOptions safe;
  safe.replay_safe = true;
  world.call("a", "", {}, safe);
  world.call("b", "", {});
  REQUIRE(world.hosts.dialer.opened_with.size() == 2);
  CHECK(world.hosts.dialer.opened_with[0].replay_safe);
  CHECK_FALSE(world.hosts.dialer.opened_with[1].replay_safe);
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("a thousand calls at once all end, each with its own answer", "[rpc]") {
  RpcWorld world;
  REQUIRE(serve_echo(world.server));
  int right = 0;
  for (int i = 0; i < 1000; ++i) {
    world.call("echo", std::to_string(i), [&right, i](const CallOutcome& o, ByteView a) {
      right += o.ok() && as_text(a) == std::to_string(i) ? 1 : 0;
    });
  }
  world.hosts.settle();
  CHECK(right == 1000);
  CHECK(world.leftovers() == "");
}
