// What may be done from inside a callback: everything.
#include <catch2/catch.hpp>
#include <memory>

#include "rpc_world.hpp"

using namespace p2pa;
using namespace p2pa::test;

TEST_CASE("a message handler may cancel its own call and still see its message", "[rpc]") {
  RpcWorld world;
  std::vector<std::string> seen;
  CallLog there;
  REQUIRE(world.server.serve("m", Method([&](Call& call) {
    CallHandler handler = there.handler();
    handler.on_message = [&](Call& c, ByteView m) {
      c.cancel();
      CHECK(there.ends.empty());
      seen.emplace_back(as_text(m));
    };
    call.set_handler(std::move(handler));
  })));
  CallLog here;
  Call& call = world.open("m", here.handler());
  REQUIRE(call.send(as_bytes("first")));
  REQUIRE(call.send(as_bytes("second")));
  world.hosts.settle();
  CHECK(seen == std::vector<std::string>{"first"});
  CHECK(there.ends.size() == 1);
  CHECK(here.code() == Code::kCancelled);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a handler may replace itself while it runs", "[rpc]") {
  RpcWorld world;
  CallLog there, replacement;
  REQUIRE(world.server.serve("m", Method([&](Call& call) {
    CallHandler handler = there.handler();
    handler.on_message = [&, keep = std::make_unique<int>(7)](Call& c, ByteView) {
      c.set_handler(replacement.handler());
      CHECK(*keep == 7);  // the running function is still alive
    };
    call.set_handler(std::move(handler));
  })));
  CallLog here;
  Call& call = world.open("m", here.handler());
  for (const char* text : {"a", "b", "c"}) REQUIRE(call.send(as_bytes(text)));
  world.hosts.settle();
  CHECK(replacement.messages == std::vector<std::string>{"b", "c"});
  call.cancel();
  world.hosts.settle();
  CHECK(there.ends.empty());
  CHECK(replacement.ends.size() == 1);
}

TEST_CASE("a callback may open calls without end", "[rpc]") {
  RpcWorld world;
  REQUIRE(serve_echo(world.server));
  int left = 500;
  std::function<void()> again = [&] {
    world.call("echo", "x", [&](const CallOutcome& outcome, ByteView) {
      CHECK(outcome.ok());
      if (--left > 0) again();
    });
  };
  again();
  REQUIRE(world.hosts.run_until([&] { return left == 0; }));
  world.hosts.settle();
  CHECK(world.leftovers() == "");
}

TEST_CASE("an end may cancel every other call, each ends once and later", "[rpc]") {
  RpcWorld world;
  REQUIRE(world.server.serve("wait", Method([](Call&) {})));
  REQUIRE(serve_echo(world.server));
  std::vector<CallId> ids;
  std::vector<std::unique_ptr<Answer>> answers;
  for (int i = 0; i < 20; ++i) {
    answers.push_back(std::make_unique<Answer>());
    ids.push_back(world.call("wait", "", answers.back()->callback()));
  }
  bool inside = false;
  world.call("echo", "", [&](const CallOutcome&, ByteView) {
    inside = true;
    for (const CallId id : ids) {
      world.client.find_call(id)->cancel();
      CHECK(world.client.find_call(id) == nullptr);
    }
    for (const auto& answer : answers) CHECK_FALSE(answer->done());
    inside = false;
  });
  world.hosts.settle();
  for (const auto& answer : answers) {
    REQUIRE(answer->outcomes.size() == 1);
    CHECK(answer->code() == Code::kCancelled);
  }
  CHECK(world.leftovers() == "");
}

TEST_CASE("an end may close everything", "[rpc]") {
  RpcWorld world;
  REQUIRE(world.server.serve("wait", Method([](Call&) {})));
  REQUIRE(serve_echo(world.server));
  Answer waiting;
  world.call("wait", "", waiting.callback());
  int ended = 0;
  world.call("echo", "", [&](const CallOutcome&, ByteView) {
    ++ended;
    world.client.close_all(world.hosts.now, {Code::kClosed, 0, ""});
  });
  world.hosts.settle();
  CHECK(ended == 1);
  REQUIRE(waiting.outcomes.size() == 1);
  CHECK(waiting.code() == Code::kClosed);
  CHECK(world.leftovers() == "");
}

TEST_CASE("a method may stop serving itself, and others, while it runs", "[rpc]") {
  RpcWorld world;
  auto token = std::make_shared<int>(1);
  REQUIRE(world.server.serve("once", UnaryMethod([&, token](const PeerId&, ByteView) {
    world.server.stop_serving("once");
    CHECK(*token == 1);  // still alive
    return std::expected<Bytes, ApplicationError>(Bytes{1});
  })));
  Answer first, second;
  world.call("once", "", first.callback());
  world.hosts.settle();
  world.call("once", "", second.callback());
  world.hosts.settle();
  CHECK(first.code() == Code::kOk);
  CHECK(second.code() == Code::kNoSuchMethod);
  CHECK(token.use_count() == 1);
}

TEST_CASE("a method may call its caller back before it answers", "[rpc]") {
  RpcWorld world;
  REQUIRE(serve_echo(world.client));
  REQUIRE(world.server.serve("relay", Method([&](Call& call) {
    const CallId id = call.id();
    world.server.call(world.hosts.now, call.peer(), "echo", as_bytes("there and back"), {},
                      [&, id](const CallOutcome& outcome, ByteView answer) {
                        Call* waiting = world.server.find_call(id);
                        REQUIRE(outcome.ok());
                        REQUIRE(waiting != nullptr);
                        CHECK(waiting->send(answer));
                        waiting->finish();
                      });
  })));
  Answer answer;
  world.call("relay", "", answer.callback());
  world.hosts.settle();
  CHECK(answer.code() == Code::kOk);
  CHECK(answer.text == "there and back");
  CHECK(world.leftovers() == "");
}

TEST_CASE("finishing, failing and cancelling inside on_finished end the call once", "[rpc]") {
  for (const int how : {0, 1, 2}) {
    RpcWorld world;
    CallLog there;
    REQUIRE(world.server.serve("m", Method([&](Call& call) {
      CallHandler handler = there.handler();
      handler.on_finished = [&](Call& c) {
        if (how == 0) c.finish();
        if (how == 1) c.fail({5, "five", {}});
        if (how == 2) c.cancel();
        c.finish();
        c.cancel();
      };
      call.set_handler(std::move(handler));
    })));
    CallLog here;
    world.open("m", here.handler()).finish();
    world.hosts.settle();
    REQUIRE(there.ends.size() == 1);
    REQUIRE(here.ends.size() == 1);
    const Code expected[] = {Code::kOk, Code::kApplication, Code::kCancelled};
    CHECK(here.code() == expected[how]);
    CHECK(there.code() == expected[how]);
    CHECK(world.leftovers() == "");
  }
}

TEST_CASE("the call is still there in its last callback, and takes nothing more", "[rpc]") {
  RpcWorld world;
  REQUIRE(world.server.serve("m", Method([](Call& call) { call.finish(); })));
  CallHandler handler;
  int ends = 0;
  handler.on_end = [&](Call& call, const CallOutcome&) {
    ++ends;
    CHECK(call.method() == "m");
    CHECK(call.peer() == world.hosts.listener_id);
    CHECK(call.send(as_bytes("x")).error().code == Code::kInvalidState);
    call.finish();
    call.cancel();
    call.resume();
    call.set_handler({});
  };
  world.open("m", std::move(handler));
  world.hosts.settle();
  CHECK(ends == 1);
  CHECK(world.leftovers() == "");
}
