// Messages that go packed, where both ends can and the caller wants it.
#include <catch2/catch.hpp>

#include <string>

#include "base/byte_reader.hpp"
#include "base/varint.hpp"
#include "protocols/rpc/rpc_codec.hpp"
#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr std::string_view kPacked = rpc::kPackedProtocolId;

Bytes document(std::size_t size) {
  std::string out;
  for (int i = 0; out.size() < size; ++i) {
    out += R"({"task":"summarize","page":)" + std::to_string(i * 7919 % 1009) + "},";
  }
  out.resize(size);
  return Bytes(out.begin(), out.end());
}

/// What a call of this request puts on the wire, both ways.
std::uint64_t bytes_of_call(World& world, const Pair& pair, ByteView request, bool compress) {
  const std::uint64_t before = world.stats().sent_bytes;
  const Answer answer =
      call_and_wait(world, pair.client, pair.server_id, "echo", request, {.compress = compress});
  REQUIRE(answer.ok());
  const bool same = answer.bytes == Bytes(request.begin(), request.end());
  REQUIRE(same);
  world.run_for(milliseconds(200));  // the last acknowledgements
  return world.stats().sent_bytes - before;
}

bool identified(World& world, const Pair& pair) {
  return world.run_until([&] { return world.node(pair.client).info(pair.server_id).has_value(); }, seconds(5));
}

}  // namespace

TEST_CASE("what shrinks goes packed to a peer that reads it, both ways, over QUIC and TCP") {
  for (const char* address : {"/ip4/0.0.0.0/udp/4001/quic-v1", "/ip4/0.0.0.0/tcp/4001"}) {
    for_seeds(1, std::string("packed calls ") + address, [&](World& world) {
      const Pair pair = make_pair(world, listening(address));
        REQUIRE(connect(world, pair.client, pair.server_id));
      REQUIRE(identified(world, pair));
      for (const std::size_t size : {1000u, 50'000u, 1'000'000u}) {
        const Bytes request = document(size);
        const std::uint64_t plain = bytes_of_call(world, pair, request, false);
        const std::uint64_t packed = bytes_of_call(world, pair, request, true);
        CHECK(packed < plain / (size == 1000 ? 1 : 3));
      }
      // What does not shrink costs no more than a head.
      const Bytes noise = pattern(50'000, 77);
      const std::uint64_t plain = bytes_of_call(world, pair, noise, false);
      CHECK(bytes_of_call(world, pair, noise, true) < plain + 500);
    });
  }
}

TEST_CASE("a peer that does not read packed messages, or is not known yet, gets plain ones") {
  for_seeds(1, "a peer that does not unpack", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(world.node(pair.server).deny(kPacked));  // as if it were older
    const Bytes request = document(20'000);
    const Answer first = call_and_wait(world, pair.client, pair.server_id, "echo", request, {.compress = true});
    REQUIRE(first.ok());  // identify had not been heard
    REQUIRE(identified(world, pair));
    const std::uint64_t plain = bytes_of_call(world, pair, request, false);
    const std::uint64_t asked = bytes_of_call(world, pair, request, true);
    CHECK(asked >= plain - 200);
  });
}

TEST_CASE("messages of a two-way call go packed, and in order") {
  for_seeds(1, "packed messages", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(world.node(pair.server).serve("relay", Method([](Call& call) {
      CallHandler handler;
      handler.on_message = [](Call& c, ByteView message) { REQUIRE(c.send(message)); };
      handler.on_finished = [](Call& c) { c.finish(); };
      call.set_handler(std::move(handler));
    })));
    REQUIRE(connect(world, pair.client, pair.server_id));
    REQUIRE(identified(world, pair));
    std::vector<Bytes> back;
    std::optional<CallOutcome> ended;
    CallHandler handler;
    handler.on_message = [&](Call&, ByteView message) { back.emplace_back(message.begin(), message.end()); };
    handler.on_end = [&](Call&, const CallOutcome& outcome) { ended = outcome; };
    Call* call = world.node(pair.client).open_call(pair.server_id, "relay", {.compress = true}, std::move(handler));
    std::vector<Bytes> sent;
    for (const std::size_t size : {0u, 10u, 5000u, 127u, 128u, 60'000u, 3u}) {
      sent.push_back(document(size));
      REQUIRE(call->send(sent.back()));
    }
    call->finish();
    REQUIRE(world.run_until([&] { return ended.has_value(); }, seconds(10)));
    CHECK(ended->ok());
    CHECK(back == sent);
  });
}

TEST_CASE("who packs what is not as it says is refused, and the node goes on") {
  for_seeds(1, "bombs", [](World& world) {
    const Pair pair = make_pair(world);
    REQUIRE(connect(world, pair.client, pair.server_id));
    const Bytes rubbish(2000, 0x28);
    const struct {
      std::string_view protocol;
      std::size_t size;
      Code code;
    } cases[] = {{kPacked, 5000, Code::kProtocolViolation},           // no zstd
                 {kPacked, 8'000'000, Code::kMessageTooLarge},        // over the bound
                 {kPacked, 0, Code::kProtocolViolation},
                 {rpc::kProtocolId, 5000, Code::kProtocolViolation}}; // where nothing is packed
    for (const auto& one : cases) {
      Bytes out, answer;
      append_frame(out, rpc::Request{"echo", 0, false, std::nullopt});
      append_frame(out, rpc::PackedMessage{one.size, rubbish});
      bool over = false;
      world.node(pair.client).open_stream(pair.server_id, one.protocol, [&](Result<AgentStream*> stream) {
        REQUIRE(stream);
        AgentStreamHandler handler;
        handler.on_readable = [&](AgentStream& s) {
          while (!s.peek().empty()) {
            answer.insert(answer.end(), s.peek().begin(), s.peek().end());
            s.consume(s.peek().size());
          }
          over = over || s.at_end();
        };
        (*stream)->set_handler(std::move(handler));
        REQUIRE((*stream)->write(out) == out.size());
        (*stream)->finish();
      });
      REQUIRE(world.run_until([&] { return over; }, seconds(5)));
      ByteReader reader(answer);
      REQUIRE(read_varint(reader));
      const auto frame = rpc::decode_frame(reader.rest(), 1 << 20);
      REQUIRE(frame);
      CHECK(std::get<rpc::Refusal>(*frame).code == static_cast<std::int32_t>(one.code));
    }
    CHECK(call_and_wait(world, pair.client, pair.server_id, "echo", document(100)).ok());
    CHECK(world.node(pair.server).usage().memory < 200'000);
  });
}
