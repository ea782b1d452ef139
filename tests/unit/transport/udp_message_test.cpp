// Messages of a UDP session: fragments, kinds of delivery, priorities, deadlines and bounds.

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "crypto/rng.hpp"
#include "resource/manager.hpp"
#include "transport/udp/message_receiver.hpp"
#include "transport/udp/message_sender.hpp"

using namespace p2pa;
using namespace p2pa::udp;

namespace {

constexpr Instant kNow{seconds(5).ns};
constexpr std::size_t kRoom = 1100;

struct Packet {
  Bytes plain;
  std::vector<SentFrame> sent;
};

struct Memory {
  explicit Memory(std::size_t most = std::size_t{64} << 20) : resources(limits(most)) {}
  static Limits limits(std::size_t most) {
    Limits out;
    out.memory_max = out.memory_per_peer_max = most;
    return out;
  }
  resource::Manager resources;
  mux::MemoryBudget budget{resources};
};

/// A sender, what it puts into packets, and who receives them.
struct Channel {
  Memory memory;
  FecSender fec{memory.budget};
  MessageSender sender{std::size_t{4} << 20, memory.budget, fec};
  MessageReceiver receiver{memory.budget};
  std::vector<std::string> got;

  void push(std::string_view text, SessionMessageOptions options) {
    REQUIRE(sender.push(kNow, as_bytes(text), options));
  }
  Packet packet(int priority = INT8_MIN, std::size_t room = kRoom) {
    Packet out;
    PacketBuilder builder(out.plain, room, out.sent);
    sender.fill(builder, priority);
    CHECK(out.plain.size() <= room);
    return out;
  }
  Result<bool> deliver(const Packet& packet) {
    ByteReader reader(packet.plain);
    Result<bool> all = true;
    while (all && !reader.at_end()) {
      const auto frame = read_frame(reader);
      REQUIRE(frame);
      if (const auto* message = std::get_if<MessageFrame>(&*frame)) all = receiver.on_message(*message);
      if (const auto* skip = std::get_if<SkipFrame>(&*frame)) {
        if (const auto taken = receiver.on_skip(*skip); !taken) return std::unexpected(taken.error());
      }
    }
    while (!receiver.empty()) {
      got.emplace_back(as_text(receiver.pop().bytes));
    }
    return all;
  }
  void acknowledge(const Packet& packet) {
    for (const SentFrame& frame : packet.sent) sender.on_acknowledged(frame);
  }
  void lose(const Packet& packet) {
    for (const SentFrame& frame : packet.sent) sender.on_lost(frame);
  }
};

SessionMessageOptions with(Delivery delivery, std::int8_t priority = 0, std::uint8_t channel = 0) {
  return {delivery, channel, priority, {}};
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("small messages share a packet, and a large one is cut and put together") {
  Channel c;
  c.push("one", with(Delivery::kUnreliable));
  c.push("", with(Delivery::kReliable));
  c.push(std::string(5000, 'x'), with(Delivery::kOrdered));
  std::vector<Packet> packets;
  while (c.sender.pending()) packets.push_back(c.packet());
  CHECK(packets.size() == 5);
  for (const Packet& packet : packets) {
    CHECK(c.deliver(packet) == true);
    c.acknowledge(packet);
  }
  CHECK(c.got == Texts{"one", "", std::string(5000, 'x')});
  CHECK(c.sender.bytes() == 0);
  CHECK(c.sender.undelivered() == 0);
  CHECK(c.receiver.open_bytes() == 0);
}

TEST_CASE("what is unreliable goes once, and what is reliable until it arrived") {
  Channel c;
  c.push("lost", with(Delivery::kUnreliable));
  const Packet gone = c.packet();
  c.lose(gone);
  CHECK_FALSE(c.sender.pending());
  CHECK(c.sender.bytes() == 0);
  c.push("kept", with(Delivery::kReliable));
  const Packet first = c.packet();
  c.lose(first);
  REQUIRE(c.sender.pending());
  const Packet second = c.packet();
  CHECK(c.deliver(second) == true);
  CHECK(c.deliver(first) == true);  // late, and no news
  CHECK(c.got == Texts{"kept"});
  c.acknowledge(second);
  CHECK(c.sender.undelivered() == 0);
}

TEST_CASE("ordered messages wait for those before them, unordered ones do not") {
  for (const Delivery delivery : {Delivery::kReliable, Delivery::kOrdered}) {
    Channel c;
    std::vector<Packet> packets;
    for (const char* text : {"a", "b", "c"}) {
      c.push(text, with(delivery));
      packets.push_back(c.packet());
    }
    CHECK(c.deliver(packets[2]) == true);
    CHECK(c.deliver(packets[1]) == true);
    CHECK(c.got == (delivery == Delivery::kOrdered ? Texts{} : Texts{"c", "b"}));
    CHECK(c.deliver(packets[0]) == true);
    CHECK(c.got == (delivery == Delivery::kOrdered ? Texts{"a", "b", "c"} : Texts{"c", "b", "a"}));
  }
}

TEST_CASE("channels do not wait for each other") {
  Channel c;
  c.push("a", with(Delivery::kOrdered, 0, 1));
  const Packet first = c.packet();
  c.push("b", with(Delivery::kOrdered, 0, 2));
  CHECK(c.deliver(c.packet()) == true);
  CHECK(c.got == Texts{"b"});
  CHECK(c.deliver(first) == true);
  CHECK(c.got == Texts{"b", "a"});
}

TEST_CASE("of sequenced messages the newest wins, at both ends") {
  Channel c;
  c.push("old", with(Delivery::kSequenced));
  const Packet old = c.packet();
  c.push("replaced", with(Delivery::kSequenced));
  c.push("of another channel", with(Delivery::kSequenced, 0, 1));
  c.push("new", with(Delivery::kSequenced));
  CHECK(c.deliver(c.packet()) == true);
  CHECK(c.deliver(old) == true);
  CHECK(c.got == Texts{"of another channel", "new"});
}

TEST_CASE("a part that was taken for lost and arrives after all is not sent again, nor is an empty one") {
  Channel c;
  c.push(std::string(2 * kRoom, 'x'), with(Delivery::kReliable));
  const Packet first = c.packet();
  const Packet second = c.packet();
  const Packet third = c.packet();
  CHECK_FALSE(c.sender.pending());
  c.lose(first);
  CHECK(c.sender.pending());
  c.acknowledge(first);
  CHECK_FALSE(c.sender.pending());
  CHECK(c.packet().plain.empty());
  for (const Packet* packet : {&first, &second, &third}) CHECK(c.deliver(*packet) == true);
  CHECK(c.got.size() == 1);
  c.acknowledge(second);
  c.acknowledge(third);
  CHECK(c.sender.undelivered() == 0);
}

TEST_CASE("what is urgent goes first, and what is of lower priority than streams behind them") {
  Channel c;
  c.push("low", with(Delivery::kUnreliable, -1));
  c.push("usual", with(Delivery::kUnreliable, 0));
  c.push("high", with(Delivery::kUnreliable, 5));
  CHECK(c.sender.pending(5));
  CHECK_FALSE(c.sender.pending(6));
  CHECK(c.deliver(c.packet(0)) == true);
  CHECK(c.got == Texts{"high", "usual"});
  CHECK_FALSE(c.sender.pending(0));
  CHECK(c.deliver(c.packet()) == true);
  CHECK(c.got.back() == "low");
}

TEST_CASE("a message is given up at its deadline, and who is ordered goes on without it") {
  Channel c;
  SessionMessageOptions hasty = with(Delivery::kOrdered);
  hasty.lifetime = milliseconds(100);
  c.push("too late", hasty);
  const Packet lost = c.packet();
  c.push("after it", with(Delivery::kOrdered));
  CHECK(c.deliver(c.packet()) == true);
  hasty.delivery = Delivery::kUnreliable;
  c.push("never sent", hasty);
  CHECK(c.sender.next_deadline() == kNow + milliseconds(100));
  c.sender.on_deadline(kNow + milliseconds(99));
  CHECK(c.sender.bytes() > 0);
  c.sender.on_deadline(kNow + milliseconds(100));
  CHECK(c.sender.next_deadline() == kNever);
  c.lose(lost);
  const Packet skip = c.packet();
  c.lose(skip);
  CHECK(c.deliver(c.packet()) == true);
  CHECK(c.got == Texts{"after it"});
  CHECK(c.deliver(lost) == true);  // it comes all the same, and too late
  CHECK(c.got == Texts{"after it"});
  c.acknowledge(skip);
  CHECK(c.sender.undelivered() == 1);
}

TEST_CASE("a queue that is full takes nothing, and there are bounds on channels and sizes") {
  Memory memory;
  FecSender fec(memory.budget);
  MessageSender sender(10'000, memory.budget, fec);
  const Bytes text(4000);
  CHECK(sender.push(kNow, text, with(Delivery::kUnreliable)));
  CHECK(sender.push(kNow, text, with(Delivery::kUnreliable)));
  CHECK(sender.push(kNow, text, with(Delivery::kUnreliable)).error().code == Code::kWouldBlock);
  CHECK(sender.push(kNow, Bytes(1000), with(Delivery::kUnreliable)));
  CHECK(sender.push(kNow, {}, with(Delivery::kReliable, 0, kSessionChannels)).error().code == Code::kInvalidArgument);
  CHECK(sender.push(kNow, Bytes(kSessionMessageBytesMax + 1), {}).error().code == Code::kMessageTooLarge);
}

TEST_CASE("a sender opens no more than a receiver takes, and goes on when the oldest is acknowledged") {
  Channel c;
  for (std::size_t i = 0; i <= kOpenMessagesMax; ++i) c.push("x", with(Delivery::kReliable));
  std::vector<Packet> packets;
  while (c.sender.pending()) packets.push_back(c.packet());
  std::size_t frames = 0;
  for (const Packet& packet : packets) frames += packet.sent.size();
  CHECK(frames == kOpenMessagesMax);
  // All but the oldest: nothing more may be opened.
  const SentFrame oldest = packets[0].sent.front();
  packets[0].sent.erase(packets[0].sent.begin());
  for (const Packet& packet : packets) c.acknowledge(packet);
  CHECK_FALSE(c.sender.pending());
  c.sender.on_acknowledged(oldest);
  CHECK(c.sender.pending());
  for (const Packet& packet : packets) CHECK(c.deliver(packet) == true);
  CHECK(c.deliver(c.packet()) == true);
  CHECK(c.got.size() == kOpenMessagesMax + 1);
}

TEST_CASE("a sender opens no more bytes than a receiver takes") {
  Channel c;
  for (int i = 0; i < 5; ++i) c.push(std::string(kSessionMessageBytesMax, 'x'), with(Delivery::kOrdered));
  std::size_t bytes = 0;
  std::vector<Packet> packets;
  while (c.sender.pending()) {
    packets.push_back(c.packet());
    for (const SentFrame& frame : packets.back().sent) bytes += frame.size;
  }
  CHECK(bytes == kOpenBytesMax);
  for (std::size_t i = packets.size(); i-- > 0;) {
    CHECK(c.deliver(packets[i]) == true);
    CHECK(c.receiver.open_bytes() <= kOpenBytesMax);
    c.acknowledge(packets[i]);
  }
  CHECK(c.got.size() == 4);
  CHECK(c.sender.pending());
}

TEST_CASE("a peer that opens too much, or contradicts itself, breaks the rules") {
  const auto frame = [](std::uint64_t sequence, std::uint64_t size, std::uint64_t offset, ByteView bytes) {
    return MessageFrame{Delivery::kOrdered, 0, sequence, size, offset, bytes};
  };
  const Bytes one(1), most(kSessionMessageBytesMax);
  Memory memory;
  MessageReceiver far(memory.budget);
  CHECK(far.on_message(frame(kOpenMessagesMax, 1, 0, one)).error().code == Code::kProtocolViolation);
  CHECK(far.on_message(frame(kOpenMessagesMax - 1, 1, 0, one)) == true);
  CHECK(far.on_skip({Delivery::kOrdered, 0, kOpenMessagesMax}).error().code == Code::kProtocolViolation);
  MessageReceiver sizes(memory.budget);
  CHECK(sizes.on_message(frame(0, 9, 0, one)) == true);
  CHECK(sizes.on_message(frame(0, 10, 1, one)).error().code == Code::kProtocolViolation);
  MessageReceiver bytes(memory.budget);
  for (std::uint64_t i = 1; i <= 4; ++i) CHECK(bytes.on_message(frame(i, most.size(), 0, most)) == true);
  CHECK(bytes.on_message(frame(5, 1, 0, one)).error().code == Code::kProtocolViolation);
  MessageReceiver pieces(memory.budget);
  for (std::uint64_t i = 0; i < MessageReceiver::kPiecesMax; ++i) {
    REQUIRE(pieces.on_message(frame(0, kSessionMessageBytesMax, 2 * i, one)) == true);
  }
  CHECK(pieces.on_message(frame(0, kSessionMessageBytesMax, 99'999, one)).error().code == Code::kProtocolViolation);
  MessageReceiver count(memory.budget);
  for (std::uint64_t i = 0; i < kOpenMessagesMax; ++i) {
    MessageFrame half = frame(i / 64, 2, 0, one);
    half.channel = static_cast<std::uint8_t>(i % 64);
    REQUIRE(count.on_message(half) == true);
  }
  CHECK(count.on_message(frame(100, 2, 0, one)).error().code == Code::kProtocolViolation);
}

TEST_CASE("unreliable messages that are not complete make room for newer ones") {
  Memory memory;
  MessageReceiver receiver(memory.budget);
  const Bytes half(10);
  const auto frame = [&](std::uint64_t sequence, std::uint64_t offset) {
    return MessageFrame{Delivery::kUnreliable, 0, sequence, 20, offset, half};
  };
  for (std::uint64_t i = 0; i <= MessageReceiver::kPartialsMax; ++i) CHECK(receiver.on_message(frame(i, 0)) == true);
  CHECK(receiver.on_message(frame(1, 10)) == true);
  CHECK(receiver.count() == 1);
  CHECK(receiver.on_message(frame(0, 10)) == true);  // its first half went
  CHECK(receiver.count() == 1);
}

TEST_CASE("unreliable messages that are not complete hold a bound of bytes together") {
  Memory memory;
  MessageReceiver receiver(memory.budget);
  const Bytes one(1);
  constexpr std::uint64_t kMost = MessageReceiver::kPartialBytesMax / kSessionMessageBytesMax;
  static_assert(kMost < MessageReceiver::kPartialsMax);
  for (std::uint64_t i = 0; i < 2 * kMost; ++i) {
    CHECK(receiver.on_message({Delivery::kUnreliable, 0, i, kSessionMessageBytesMax, 0, one}) == true);
    CHECK(memory.budget.used() <= MessageReceiver::kPartialBytesMax + kMost * sizeof(Message));
  }
  CHECK(memory.budget.used() > MessageReceiver::kPartialBytesMax);
}

TEST_CASE("without memory to correct a message goes as it is") {
  Memory memory(fec::Encoder::kBytesMax);
  FecSender fec(memory.budget);
  MessageSender sender(std::size_t{4} << 20, memory.budget, fec);
  fec.enable();
  REQUIRE(memory.budget.take(1));
  SessionMessageOptions options = with(Delivery::kUnreliable);
  options.correction = true;
  REQUIRE(sender.push(kNow, as_bytes("a"), options));
  CHECK(fec.encoder() == nullptr);
  Packet packet;
  PacketBuilder builder(packet.plain, kRoom, packet.sent);
  sender.fill(builder);
  ByteReader reader(packet.plain);
  const auto frame = read_frame(reader);
  REQUIRE(frame);
  CHECK(std::holds_alternative<MessageFrame>(*frame));
  memory.budget.give_back(1);
}

TEST_CASE("to a peer that does not understand correction a message goes as it is") {
  for (const bool understands : {false, true}) {
    Channel c;
    if (understands) c.fec.enable();
    SessionMessageOptions options = with(Delivery::kUnreliable);
    options.correction = true;
    c.push("a", options);
    Packet packet;
    PacketBuilder builder(packet.plain, kRoom, packet.sent);
    c.fec.begin(kNow, kRoom, {});
    c.sender.fill(builder);
    ByteReader reader(packet.plain);
    const auto frame = read_frame(reader);
    REQUIRE(frame);
    CHECK(std::holds_alternative<FecFrame>(*frame) == understands);
    CHECK(std::holds_alternative<MessageFrame>(*frame) != understands);
  }
}

TEST_CASE("what nobody takes is kept within a bound: the reliable is to come again") {
  Memory memory;
  MessageReceiver receiver(memory.budget);
  const Bytes most(kSessionMessageBytesMax);
  std::uint64_t sequence = 0;
  for (; sequence < 3; ++sequence) {
    CHECK(receiver.on_message({Delivery::kReliable, 0, sequence, most.size(), 0, most}) == true);
  }
  CHECK(receiver.on_message({Delivery::kReliable, 0, sequence, most.size(), 0, most}) == false);
  CHECK(receiver.on_message({Delivery::kUnreliable, 0, 0, most.size(), 0, most}) == true);
  CHECK(receiver.count() == 3);
  receiver.pop();
  CHECK(receiver.on_message({Delivery::kReliable, 0, sequence, most.size(), 0, most}) == true);
  CHECK(receiver.count() == 3);
}

TEST_CASE("messages count against the bounds on memory, at both ends, until they are taken") {
  constexpr std::size_t kMost = mux::MemoryBudget::kStep * 5;
  const Bytes most(kSessionMessageBytesMax), one(1);
  Memory memory(kMost);
  {
    FecSender fec(memory.budget);
    MessageSender sender(std::size_t{4} << 20, memory.budget, fec);
    CHECK(sender.push(kNow, most, with(Delivery::kReliable)));
    CHECK(sender.push(kNow, most, with(Delivery::kReliable)).error().code == Code::kWouldBlock);
    CHECK(memory.budget.used() == most.size() + MessageSender::kMessageOverhead);
  }
  CHECK(memory.budget.used() == 0);
  {
    MessageReceiver receiver(memory.budget);
    CHECK(receiver.on_message({Delivery::kReliable, 0, 0, most.size(), 0, one}) == true);
    CHECK(receiver.on_message({Delivery::kReliable, 0, 1, most.size(), 0, one}) == false);    // to come again
    CHECK(receiver.on_message({Delivery::kUnreliable, 0, 0, most.size(), 0, most}) == true);  // lost
    CHECK(receiver.on_message({Delivery::kReliable, 0, 0, most.size(), 0, most}) == true);
    CHECK(receiver.count() == 1);
    receiver.pop();
    CHECK(memory.budget.used() == 0);
    CHECK(receiver.on_message({Delivery::kReliable, 0, 1, most.size(), 0, one}) == true);
    CHECK(receiver.on_skip({Delivery::kReliable, 0, 1}));
    CHECK(memory.budget.used() == 0);
    CHECK(receiver.on_message({Delivery::kReliable, 0, 2, most.size(), 0, one}) == true);
  }
  CHECK(memory.budget.used() == 0);
}

TEST_CASE("a message that finds no room replaces no older one") {
  Memory memory;
  FecSender fec(memory.budget);
  MessageSender sender(10'000, memory.budget, fec);
  CHECK(sender.push(kNow, Bytes(1000), with(Delivery::kSequenced)));
  CHECK(sender.push(kNow, Bytes(9000), with(Delivery::kSequenced)).error().code == Code::kWouldBlock);
  CHECK(sender.pending());
}

TEST_CASE("over a road that loses and reorders, every reliable message arrives once, the ordered ones in order") {
  Rng rng(Bytes(32, 9));
  Channel c;
  std::vector<Packet> flying;
  int sent = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (sent < 400 && rng.below(10) == 0) {
      const std::string text = std::to_string(sent++) + std::string(rng.below(4000), '.');
      const Delivery delivery = rng.below(2) == 0 ? Delivery::kOrdered : Delivery::kReliable;
      c.push(text, with(delivery, static_cast<std::int8_t>(rng.below(3))));
    }
    if (c.sender.pending()) flying.push_back(c.packet());
    if (flying.empty()) continue;
    const auto it = flying.begin() + static_cast<std::ptrdiff_t>(rng.below(flying.size()));
    if (rng.below(5) == 0) {
      c.lose(*it);
    } else {
      REQUIRE(c.deliver(*it) == true);
      rng.below(8) == 0 ? c.lose(*it) : c.acknowledge(*it);  // an acknowledgement may be what is lost
    }
    flying.erase(it);
  }
  CHECK(c.got.size() == 400);
  CHECK(std::set<std::string>(c.got.begin(), c.got.end()).size() == 400);
  CHECK(c.sender.undelivered() == 0);
  CHECK(c.receiver.open_bytes() == 0);
}
