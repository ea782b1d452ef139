// What a peer must not do to rpc, at either end.
#include <catch2/catch.hpp>

#include "base/byte_writer.hpp"
#include "base/varint.hpp"
#include "rpc_world.hpp"

using namespace p2pa;
using namespace p2pa::test;

namespace {

template <class T>
Bytes frame(const T& f) {
  Bytes out;
  rpc::append_frame(out, f);
  return out;
}

/// The server's one frame, read from what a hand-made caller received.
rpc::Frame only_frame(const Bytes& received) {
  ByteReader reader(received);
  const auto length = read_varint(reader);
  REQUIRE(length);
  REQUIRE(*length == reader.remaining());
  const auto decoded = rpc::decode_frame(reader.rest(), 1 << 20);
  REQUIRE(decoded);
  return *decoded;
}

/// A hand-made caller and a real server.
struct BadCaller {
  explicit BadCaller(Limits limits = {}) : world({}, limits) {
    REQUIRE(serve_echo(world.server));
    REQUIRE(world.server.serve("wait", Method([this](Call& call) {
      ++begun;
      call.set_handler(there.handler());
    })));
    stream = &world.hosts.dialer.open_raw(rpc::kProtocolId, caller);
  }
  void write(ByteView bytes) { REQUIRE(stream->write(bytes)); }
  /// The server said exactly this, and ended.
  void expect_refusal(Code code) {
    world.hosts.settle();
    CHECK(caller.at_end);
    const auto said = std::get<rpc::Refusal>(only_frame(caller.received));
    CHECK(said.code == static_cast<std::int32_t>(code));
  }
  /// The node stays up and clean, whatever the caller does with its own direction.
  void expect_clean() {
    world.hosts.run_for(seconds(30));
    CHECK(world.server.calls_count() == 0);
    CHECK(world.server_resources.usage().calls == 0);
    CHECK(world.server_resources.usage().memory == 0);
    CHECK(world.hosts.listener.streams_count() == 0);
  }

  RpcWorld world;
  CallLog there;
  int begun = 0;
  RawPeer caller;
  Stream* stream;
};

/// A real caller and a hand-made server.
class BadServer final : public Protocol {
 public:
  std::vector<std::string> protocol_ids() const override { return {std::string(rpc::kProtocolId)}; }
  void on_stream_open(Instant now, Stream& stream) override { peer.on_stream_open(now, stream); }
  void on_stream_failed(Instant, std::uint64_t, const Error&) override {}
  void on_readable(Instant now, Stream& stream) override { peer.on_readable(now, stream); }
  void on_writable(Instant, Stream&) override {}
  void on_stopped(Instant now, Stream& s, std::uint64_t code) override { peer.on_stopped(now, s, code); }
  void on_stream_closed(Instant now, Stream& s, const Error& why) override { peer.on_stream_closed(now, s, why); }
  RawPeer peer;
};

struct BadServerWorld {
  BadServerWorld() : resources(Limits{}), client(hosts.dialer, resources) {
    hosts.dialer.add(client);
    hosts.listener.add(server);
    hosts.settle();
  }
  void call(CallOptions options = {}) {
    client.call(hosts.now, hosts.listener_id, "m", as_bytes("x"), options, answer.callback());
    hosts.settle();
    REQUIRE(server.peer.stream != nullptr);
  }
  void write(ByteView bytes) { REQUIRE(server.peer.stream->write(bytes)); }
  void expect(Code code) {
    hosts.settle();
    REQUIRE(answer.outcomes.size() == 1);
    CHECK(answer.code() == code);
    CHECK(resources.usage().calls == 0);
    CHECK(resources.usage().memory == 0);
  }

  TwoHosts hosts;
  resource::Manager resources;
  rpc::Rpc client;
  BadServer server;
  Answer answer;
};

}  // namespace

TEST_CASE("a stream that ends inside its request is refused as truncated", "[rpc]") {
  BadCaller bad;
  const Bytes request = frame(rpc::Request{"echo", 0, false, as_bytes("hello")});
  bad.write(ByteView(request).first(request.size() - 1));
  bad.stream->finish();
  bad.expect_refusal(Code::kTruncated);
  bad.expect_clean();
}

TEST_CASE("a stream that ends without a request is refused as truncated", "[rpc]") {
  BadCaller bad;
  bad.stream->finish();
  bad.expect_refusal(Code::kTruncated);
  bad.expect_clean();
}

TEST_CASE("a stream that ends inside a later message is refused as truncated", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"wait", 0, false, std::nullopt}));
  bad.write(Bytes{100, 0x92, 1});
  bad.stream->finish();
  bad.expect_refusal(Code::kTruncated);
  REQUIRE(bad.there.ends.size() == 1);
  CHECK(bad.there.code() == Code::kTruncated);
  CHECK(bad.there.finished == 0);
  bad.expect_clean();
}

TEST_CASE("a request that never comes is given up", "[rpc]") {
  BadCaller bad;
  bad.write(Bytes{20, 0x94});
  bad.world.hosts.run_for(rpc::kRequestTimeout + seconds(1));
  REQUIRE(bad.caller.closed);
  CHECK(*bad.caller.closed == Error{Code::kStreamReset, wire_code::kStreamGarbageCollected, ""});
  bad.expect_clean();
}

TEST_CASE("a length over the bound is refused before its bytes come", "[rpc]") {
  Limits limits;
  limits.message_bytes_max = 1000;
  BadCaller bad(limits);
  Bytes length;
  append_varint(length, 1000 + rpc::kFrameOverheadMax + 1);
  bad.write(length);
  bad.expect_refusal(Code::kMessageTooLarge);
  bad.expect_clean();
}

TEST_CASE("a length of zero, one that is not minimal and an endless one are refused", "[rpc]") {
  for (const Bytes& length : {Bytes{0}, Bytes{0x81, 0}, Bytes(10, 0xff)}) {
    BadCaller bad;
    bad.write(length);
    bad.expect_refusal(Code::kProtocolViolation);
    bad.expect_clean();
  }
}

TEST_CASE("a message one byte over the bound is refused with the bound", "[rpc]") {
  Limits limits;
  limits.message_bytes_max = 1000;
  BadCaller bad(limits);
  bad.write(frame(rpc::Request{"wait", 0, false, std::nullopt}));
  bad.write(frame(rpc::Message{Bytes(1001)}));
  bad.world.hosts.settle();
  const auto said = std::get<rpc::Refusal>(only_frame(bad.caller.received));
  CHECK(said.code == static_cast<std::int32_t>(Code::kMessageTooLarge));
  CHECK(said.detail == 1000);
  CHECK(bad.there.code() == Code::kMessageTooLarge);
  bad.expect_clean();
}

TEST_CASE("an unknown frame, a second request and a server's frame are violations", "[rpc]") {
  const Bytes unknown = {4, 0x92, 4, 0xc4, 0};
  for (const Bytes& second : {unknown, frame(rpc::Request{"echo", 0, false, std::nullopt}),
                              frame(rpc::Failure{1, "x", {}}), frame(rpc::Refusal{-1, 0})}) {
    BadCaller bad;
    bad.write(frame(rpc::Request{"wait", 0, false, std::nullopt}));
    bad.write(second);
    bad.expect_refusal(Code::kProtocolViolation);
    CHECK(bad.begun == 1);
    REQUIRE(bad.there.ends.size() == 1);
    CHECK(bad.there.code() == Code::kProtocolViolation);
    bad.expect_clean();
  }
}

TEST_CASE("a message before the request is a violation", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Message{as_bytes("x")}));
  bad.expect_refusal(Code::kProtocolViolation);
  CHECK(bad.begun == 0);
  bad.expect_clean();
}

TEST_CASE("a method name that is not UTF-8 is a violation", "[rpc]") {
  BadCaller bad;
  bad.write(Bytes{7, 0x94, 0, 0xa2, 0xc3, 0x28, 0, 0});
  bad.expect_refusal(Code::kProtocolViolation);
  bad.expect_clean();
}

TEST_CASE("a unary method refuses a request without a message", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"echo", 0, false, std::nullopt}));
  bad.stream->finish();
  bad.expect_refusal(Code::kProtocolViolation);
  bad.expect_clean();
}

TEST_CASE("a unary method takes a message that follows its request, and answers once", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"echo", 0, false, std::nullopt}));
  bad.write(frame(rpc::Message{as_bytes("late")}));
  bad.write(frame(rpc::Message{as_bytes("surplus")}));
  bad.stream->finish();
  bad.world.hosts.settle();
  CHECK(as_text(std::get<rpc::Message>(only_frame(bad.caller.received)).payload) == "late");
  bad.expect_clean();
}

TEST_CASE("a method that is not served any more when its message comes refuses it", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"echo", 0, false, std::nullopt}));
  bad.world.hosts.settle();
  bad.world.server.stop_serving("echo");
  bad.write(frame(rpc::Message{as_bytes("late")}));
  bad.expect_refusal(Code::kNoSuchMethod);
  bad.expect_clean();
}

TEST_CASE("a caller that keeps its direction open after the end is cut off", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"echo", 0, false, as_bytes("x")}));
  bad.world.hosts.settle();
  CHECK(bad.caller.at_end);
  CHECK(bad.world.server.calls_count() == 1);
  CHECK(bad.world.server_resources.usage().calls == 0);
  for (int i = 0; i < 5; ++i) {
    if (bad.caller.stream != nullptr) (void)bad.caller.stream->write(Bytes(100'000));
    bad.world.hosts.run_for(seconds(1));
  }
  bad.world.hosts.run_for(rpc::kLingerTimeout);
  CHECK(bad.caller.stopped == wire_code::kStreamGarbageCollected);
  CHECK(bad.caller.closed);
  bad.expect_clean();
}

TEST_CASE("a caller that never reads holds one call and bounded memory", "[rpc]") {
  Limits limits;
  memory::Config config;
  config.stream_bytes_max = 8000;
  RpcWorld world(config, limits);
  std::size_t taken = 0;
  CallLog there;
  REQUIRE(world.server.serve("flood", Method([&](Call& call) {
    call.set_handler(there.handler());
    const Bytes kilo(1000);
    while (call.send(kilo)) ++taken;
  })));
  RawPeer caller;
  caller.reads = false;
  Stream& stream = world.hosts.dialer.open_raw(rpc::kProtocolId, caller);
  REQUIRE(stream.write(frame(rpc::Request{"flood", 60'000, false, std::nullopt})));
  world.hosts.settle();
  CHECK(taken <= 9);
  CHECK(there.ends.empty());
  CHECK(world.server_resources.usage().memory <= 1100);
  world.hosts.run_for(seconds(70));
  REQUIRE(there.ends.size() == 1);
  CHECK(there.code() == Code::kDeadlineExceeded);
  CHECK(world.server_resources.usage().memory == 0);
  CHECK(world.server_resources.usage().calls == 0);
}

TEST_CASE("a caller that stops reading cancels its call", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"wait", 0, false, std::nullopt}));
  bad.world.hosts.settle();
  bad.stream->stop(wire_code::kNone);
  bad.world.hosts.settle();
  REQUIRE(bad.there.ends.size() == 1);
  CHECK(bad.there.code() == Code::kCancelled);
  bad.expect_clean();
}

TEST_CASE("a caller that has finished still says why it gives up", "[rpc]") {
  const std::pair<std::uint64_t, Code> cases[] = {{rpc::kWireCancelled, Code::kCancelled},
                                                  {rpc::kWireDeadlineExceeded, Code::kDeadlineExceeded},
                                                  {77, Code::kStreamReset}};
  for (const auto& [code, expected] : cases) {
    BadCaller bad;
    bad.write(frame(rpc::Request{"wait", 0, false, std::nullopt}));
    bad.stream->finish();
    bad.world.hosts.settle();
    bad.stream->reset(code);
    bad.world.hosts.settle();
    REQUIRE(bad.there.ends.size() == 1);
    CHECK(bad.there.code() == expected);
    bad.expect_clean();
  }
}

TEST_CASE("a caller's reset with a foreign code is told with that code", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"wait", 0, false, std::nullopt}));
  bad.world.hosts.settle();
  bad.stream->reset(77);
  bad.world.hosts.settle();
  REQUIRE(bad.there.ends.size() == 1);
  CHECK(bad.there.ends[0].error == Error{Code::kStreamReset, 77, ""});
  bad.expect_clean();
}

TEST_CASE("a deadline beyond measure is taken as the longest", "[rpc]") {
  BadCaller bad;
  bad.write(frame(rpc::Request{"wait", ~std::uint64_t{0}, false, as_bytes("x")}));
  bad.world.hosts.settle();
  Call* call = bad.world.server.find_call(bad.there.id);
  REQUIRE(call != nullptr);
  CHECK((call->deadline() - bad.world.hosts.now) <= hours(24));
  CHECK((call->deadline() - bad.world.hosts.now) > hours(23));
}

TEST_CASE("a server's request, its answer after the answer, and nonsense are violations", "[rpc]") {
  Bytes two = frame(rpc::Message{as_bytes("a")});
  ByteWriter(two).append(frame(rpc::Message{as_bytes("b")}));
  for (const Bytes& said : {frame(rpc::Request{"m", 0, false, std::nullopt}), two, Bytes{1, 0xc1}, Bytes{0}}) {
    BadServerWorld world;
    world.call();
    world.write(said);
    world.expect(Code::kProtocolViolation);
    CHECK(world.server.peer.stopped == wire_code::kStreamProtocolViolation);
    CHECK(world.server.peer.closed);
  }
}

TEST_CASE("an answer that ends too early is truncated", "[rpc]") {
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{4}}) {
    BadServerWorld world;
    world.call();
    const Bytes message = frame(rpc::Message{as_bytes("hello")});
    world.write(ByteView(message).first(cut));
    world.server.peer.stream->finish();
    world.expect(Code::kTruncated);
  }
}

TEST_CASE("an answer over our bound is not taken", "[rpc]") {
  BadServerWorld world;
  world.call();
  Bytes length;
  append_varint(length, world.resources.limits().message_bytes_max + rpc::kFrameOverheadMax + 1);
  world.write(length);
  world.expect(Code::kMessageTooLarge);
}

TEST_CASE("an answer without an end waits for the deadline", "[rpc]") {
  BadServerWorld world;
  CallOptions options;
  options.deadline = seconds(5);
  world.call(options);
  world.write(frame(rpc::Message{as_bytes("a")}));
  world.hosts.settle();
  CHECK_FALSE(world.answer.done());
  world.hosts.run_for(seconds(5));
  world.expect(Code::kDeadlineExceeded);
}

TEST_CASE("a refusal says only what a server may say", "[rpc]") {
  const std::pair<std::int32_t, Error> cases[] = {
      {-301, {Code::kNoSuchMethod, 9, ""}}, {-504, {Code::kLimitCalls, 9, ""}},
      {-505, {Code::kLimitPeer, 9, ""}},    {-502, {Code::kLimitMemory, 9, ""}},
      {-204, {Code::kMessageTooLarge, 9, ""}}, {-107, {Code::kProtocolViolation, 9, ""}},
      {-506, {Code::kLimitIp, 9, ""}},
      {-14, {Code::kRefused, 14, ""}},      {0, {Code::kRefused, 0, ""}},
      {55, {Code::kRefused, 55, ""}},       {INT32_MIN, {Code::kRefused, 2'147'483'648u, ""}},
  };
  for (const auto& [code, expected] : cases) {
    BadServerWorld world;
    world.call();
    world.write(frame(rpc::Refusal{code, 9}));
    world.server.peer.stream->finish();
    world.expect(expected.code);
    CHECK(world.answer.outcomes[0].error == expected);
  }
}

TEST_CASE("a server that says more after its last word is not heard, and cut off", "[rpc]") {
  BadServerWorld world;
  world.call();
  world.write(frame(rpc::Failure{1, "x", {}}));
  world.write(frame(rpc::Message{as_bytes("more")}));
  world.expect(Code::kApplication);
  world.hosts.run_for(rpc::kLingerTimeout + seconds(1));
  REQUIRE(world.server.peer.closed);
  CHECK(world.client.calls_count() == 0);
}

TEST_CASE("a server that reads nothing more does not end a call that it answers", "[rpc]") {
  BadServerWorld world;
  CallLog log;
  Call& call = world.client.open_call(world.hosts.now, world.hosts.listener_id, "m", {}, log.handler());
  world.hosts.settle();
  world.server.peer.stream->stop(wire_code::kNone);
  world.hosts.settle();
  CHECK(log.ends.empty());
  CHECK(call.send(as_bytes("x")).error().code == Code::kStreamFinished);
}
