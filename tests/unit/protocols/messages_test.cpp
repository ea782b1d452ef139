#include <catch2/catch.hpp>
#include <set>

#include "protocols/messages/messages.hpp"
#include "support/two_hosts.hpp"
#include "wire/framing.hpp"

using namespace p2pa;
using namespace p2pa::test;
using messages::Messages;

namespace {

Bytes pattern(std::size_t size, std::uint8_t salt) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 256 + salt);
  return out;
}

struct MessagesWorld {
  explicit MessagesWorld(memory::Config config = {}, Limits limits = {})
      : hosts(config),
        rng(Bytes(32, 5)),
        here_resources(Limits{}),
        there_resources(limits),
        here(hosts.dialer, rng, here_resources, hosts.now, [](const PeerId&, ByteView) {}),
        there(hosts.listener, rng, there_resources, hosts.now, [this](const PeerId& from, ByteView message) {
          CHECK(from == hosts.dialer_id);
          received.emplace_back(message.begin(), message.end());
        }) {
    hosts.dialer.add(here);
    hosts.listener.add(there);
    hosts.listener.on_datagram = [this](ByteView datagram) {
      if (!lose.empty() && lose.contains(datagrams++)) return;
      seen.emplace_back(datagram.begin(), datagram.end());
      if (!there.take(hosts.listener.connection(), datagram)) ++plain;
    };
    hosts.settle();
  }

  void open(MessageChannelOptions options = {}) {
    here.open(hosts.listener_id, options, [this](Result<MessageChannel*> result) {
      ++answers;
      if (!result) return static_cast<void>(refused = result.error());
      channel = *result;
      channel->on_end([this](MessageChannel&, const Error& why) { ended.push_back(why); });
    });
  }

  TwoHosts hosts;
  Rng rng;
  resource::Manager here_resources, there_resources;
  Messages here, there;
  MessageChannel* channel = nullptr;
  int answers = 0, plain = 0;
  std::optional<Error> refused;
  std::vector<Error> ended;
  std::vector<Bytes> received, seen;
  std::set<int> lose;
  int datagrams = 0;
};

}  // namespace

TEST_CASE("a message of any size arrives as it is, up to the largest") {
  MessagesWorld world;
  world.open();
  CHECK(world.answers == 0);
  world.hosts.settle();
  REQUIRE(world.channel != nullptr);
  CHECK(world.channel->size_max() >= 64'000);
  std::uint8_t salt = 0;
  for (const std::size_t size : std::vector<std::size_t>{0, 1, 1000, 4096, world.channel->size_max()}) {
    const Bytes message = pattern(size, ++salt);
    REQUIRE(world.channel->send(message));
    world.hosts.settle();
    REQUIRE(world.received.size() == salt);
    CHECK(world.received.back() == message);
  }
  CHECK(world.channel->send(pattern(world.channel->size_max() + 1, 0)).error().code == Code::kMessageTooLarge);
  CHECK(world.channel->stats().messages == 5);
  CHECK(world.plain == 0);
}

TEST_CASE("a lost piece of the last message comes back from the repair that a pause brings") {
  for (int lost = 0; lost < 4; ++lost) {
    MessagesWorld world;
    world.open();
    world.hosts.settle();
    world.lose = {lost};
    const Bytes message = pattern(4096, 1);
    REQUIRE(world.channel->send(message));
    world.hosts.settle();
    REQUIRE(world.received.size() == 1);
    CHECK(world.received[0] == message);
    CHECK(world.channel->stats().packets == 4);
    CHECK(world.channel->stats().repairs == 1);
  }
}

TEST_CASE("without correction a message with a lost piece is lost, and no other") {
  MessagesWorld world;
  world.open({.repair_max = 0});
  world.hosts.settle();
  world.lose = {2};
  REQUIRE(world.channel->send(pattern(4096, 1)));
  REQUIRE(world.channel->send(pattern(4096, 2)));
  world.hosts.settle();
  REQUIRE(world.received.size() == 1);
  CHECK(world.received[0] == pattern(4096, 2));
  CHECK(world.channel->stats().repairs == 0);
}

TEST_CASE("the sender learns what the receiver misses") {
  MessagesWorld world;
  world.open();
  world.hosts.settle();
  const double before = world.channel->stats().loss;
  for (int i = 0; i < 2000; i += 4) world.lose.insert(i);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(world.channel->send(pattern(100, 1)));
    world.hosts.run_for(milliseconds(4));
  }
  world.hosts.settle();
  CHECK(world.channel->stats().loss > before);
  CHECK(world.channel->stats().loss > 0.08);
  CHECK(world.channel->stats().repairs > 200);
}

TEST_CASE("datagrams that are no channel's stay what they are") {
  MessagesWorld world;
  world.open();
  REQUIRE(world.hosts.dialer.connection().send_datagram(pattern(20, 1)));
  world.hosts.settle();
  REQUIRE(world.hosts.dialer.connection().send_datagram(pattern(3, 1)));
  REQUIRE(world.hosts.dialer.connection().send_datagram({}));
  world.hosts.settle();
  CHECK(world.plain == 3);
  CHECK(world.received.empty());
}

TEST_CASE("nonsense behind a channel's tag is dropped") {
  MessagesWorld world;
  world.open();
  world.hosts.settle();
  REQUIRE(world.channel->send(pattern(1, 1)));
  world.hosts.run_for(milliseconds(1));
  const Bytes tag(world.seen.at(0).begin(), world.seen.at(0).begin() + 4);
  for (const Bytes& packet : {Bytes{}, Bytes{7}, Bytes{0, 0, 0, 0, 9}, Bytes{0, 0, 0, 0, 9, 3, 2},
                              Bytes{1, 0, 0, 0, 9, 0, 0, 1, 1}}) {
    Bytes datagram = tag;
    datagram.insert(datagram.end(), packet.begin(), packet.end());
    REQUIRE(world.hosts.dialer.connection().send_datagram(datagram));
  }
  world.hosts.settle();
  CHECK(world.received.size() == 1);
  CHECK(world.plain == 0);
  CHECK(world.ended.empty());
}

TEST_CASE("close ends the channel at both ends and gives everything back") {
  MessagesWorld world;
  world.open();
  world.hosts.settle();
  CHECK(world.here_resources.usage().memory == messages::Outbound::kBytesMax);
  CHECK(world.there_resources.usage().memory == messages::Assembler::kBytesMax);
  world.channel->close();
  CHECK(world.channel->send(pattern(1, 1)).error().code == Code::kStreamFinished);
  CHECK(world.ended.empty());
  world.hosts.settle();
  REQUIRE(world.ended.size() == 1);
  CHECK(world.ended[0].code == Code::kOk);
  CHECK(world.here_resources.usage().memory == 0);
  CHECK(world.there_resources.usage().memory == 0);
  CHECK(world.here.next_deadline() == kNever);
  CHECK(world.there.next_deadline() == kNever);
}

TEST_CASE("a connection that ends says so to each channel") {
  MessagesWorld world;
  world.open();
  world.hosts.settle();
  world.hosts.listener.connection().close(wire_code::kNone, "");
  world.hosts.settle();
  REQUIRE(world.ended.size() == 1);
  CHECK(world.ended[0].code != Code::kOk);
  CHECK(world.there_resources.usage().memory == 0);
}

TEST_CASE("a channel needs a connection that takes datagrams") {
  MessagesWorld world({.datagram_size_max = 0});
  world.open();
  world.hosts.settle();
  CHECK(world.answers == 1);
  REQUIRE(world.refused);
  CHECK(world.refused->code == Code::kUnsupported);
}

TEST_CASE("why there is no stream is why there is no channel") {
  MessagesWorld world;
  world.hosts.dialer.refuse_opens = {Code::kNotFound, 0, ""};
  world.open();
  world.hosts.settle();
  REQUIRE(world.refused);
  CHECK(world.refused->code == Code::kNotFound);
  CHECK(world.answers == 1);
}

TEST_CASE("a peer has one channel less than one over the bound") {
  MessagesWorld world;
  for (std::uint32_t i = 0; i < messages::kInboundPerPeerMax; ++i) world.open();
  world.hosts.settle();
  CHECK_FALSE(world.refused);
  world.open();
  world.hosts.settle();
  CHECK(world.answers == static_cast<int>(messages::kInboundPerPeerMax) + 1);
  REQUIRE(world.refused);
  CHECK(world.refused->code == Code::kStreamReset);
  CHECK(world.refused->detail == wire_code::kStreamResourceLimit);
}

TEST_CASE("a receiver without memory for a channel refuses it") {
  Limits limits;
  limits.memory_per_peer_max = messages::Assembler::kBytesMax - 1;
  MessagesWorld world({}, limits);
  world.open();
  world.hosts.settle();
  REQUIRE(world.refused);
  CHECK(world.refused->detail == wire_code::kStreamResourceLimit);
  CHECK(world.there_resources.usage().memory == 0);
}

// --- peers of another make

namespace {

struct RawSender {
  RawSender() : stream(world.hosts.dialer.open_raw(messages::kProtocolId, peer)) {}
  void say(ByteView frame) {
    REQUIRE(stream.write(frame));
    world.hosts.settle();
  }
  MessagesWorld world;
  RawPeer peer;
  Stream& stream;
};

Bytes hello(std::uint32_t tag) {
  Bytes out;
  messages::append_frame(out, messages::Hello{tag});
  return out;
}

}  // namespace

TEST_CASE("a receiver answers a tag with a report, and nothing else") {
  RawSender sender;
  sender.say(hello(7));
  CHECK(sender.peer.received == Bytes{4, 0x93, 0, 0, 0});
  sender.stream.finish();
  sender.world.hosts.settle();
  REQUIRE(sender.peer.closed);
  CHECK(sender.peer.closed->code == Code::kOk);
}

TEST_CASE("a receiver ends a stream that does not say what it should") {
  const auto code_for = [](const Bytes& said) {
    RawSender sender;
    sender.say(said);
    return sender.peer.closed ? sender.peer.closed->detail : 0;
  };
  Bytes twice = hello(7);
  twice.insert(twice.end(), twice.begin(), twice.begin() + static_cast<std::ptrdiff_t>(hello(7).size()));
  CHECK(code_for(twice) == wire_code::kStreamProtocolViolation);
  CHECK(code_for({1, 0xc0}) == wire_code::kStreamProtocolViolation);
  CHECK(code_for({2, 0x91, 0xc0}) == wire_code::kStreamProtocolViolation);
  CHECK(code_for({3, 0x91, 1, 1}) == wire_code::kStreamProtocolViolation);
  CHECK(code_for({10, 0x91, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0}) == wire_code::kStreamProtocolViolation);
  CHECK(code_for({65}) == wire_code::kStreamProtocolViolation);
}

TEST_CASE("a stream without a tag is given up") {
  RawSender sender;
  sender.world.hosts.run_for(messages::kOpenTimeout - seconds(2));
  CHECK_FALSE(sender.peer.closed);
  sender.world.hosts.run_for(seconds(3));
  REQUIRE(sender.peer.closed);
  CHECK(sender.peer.closed->detail == wire_code::kStreamGarbageCollected);
}

namespace {

/// Takes the channels' streams and says what the test wants.
class OddReceiver final : public Protocol {
 public:
  std::vector<std::string> protocol_ids() const override { return {std::string(messages::kProtocolId)}; }
  void on_stream_open(Instant now, Stream& s) override { peer.on_stream_open(now, s); }
  void on_stream_failed(Instant, std::uint64_t, const Error&) override {}
  void on_readable(Instant now, Stream& s) override { peer.on_readable(now, s); }
  void on_writable(Instant, Stream&) override {}
  void on_stream_closed(Instant now, Stream& s, const Error& why) override { peer.on_stream_closed(now, s, why); }
  RawPeer peer;
};

struct OddWorld {
  OddWorld() {
    world.hosts.listener.add(receiver);
    world.open();
    world.hosts.settle();
    REQUIRE(receiver.peer.stream != nullptr);
  }
  MessagesWorld world;
  OddReceiver receiver;
};

}  // namespace

TEST_CASE("a receiver that answers nonsense gets no messages") {
  for (const Bytes& answer : {Bytes{1, 0xc0}, Bytes{3, 0x92, 0, 0}, Bytes{5, 0x93, 0, 0, 0, 0}, Bytes{65}}) {
    OddWorld odd;
    REQUIRE(odd.receiver.peer.stream->write(answer));
    odd.world.hosts.settle();
    CHECK(odd.world.answers == 1);
    CHECK(odd.world.refused);
  }
}

TEST_CASE("a receiver that never answers is not waited for") {
  OddWorld odd;
  odd.world.hosts.run_for(messages::kOpenTimeout);
  REQUIRE(odd.world.refused);
  CHECK(odd.world.refused->code == Code::kTimeout);
  CHECK(odd.world.here_resources.usage().memory == 0);
}

TEST_CASE("a receiver that ends before it answers has refused") {
  OddWorld odd;
  odd.receiver.peer.stream->finish();
  odd.world.hosts.settle();
  CHECK(odd.world.answers == 1);
  CHECK(odd.world.refused);
}
