// Forward error correction of a session, its first byte chooses: messages over a road that loses what the input says,
// or a peer's packets of the code, whatever is in them.
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <variant>

#include "base/assert.hpp"
#include "fec/packet_codec.hpp"
#include "fuzz/input.hpp"
#include "transport/udp/fec_receiver.hpp"
#include "transport/udp/message_receiver.hpp"
#include "transport/udp/message_sender.hpp"

using namespace p2pa;
using fuzz::Input;

namespace {

struct Receiver {
  resource::Manager resources{{}};
  mux::MemoryBudget budget{resources};
  udp::FecReceiver fec{budget};
  udp::MessageReceiver messages{budget};

  /// False: the session would end.
  bool take(Instant now, ByteView packet) {
    if (!fec.receive(now, packet)) return false;
    while (const auto body = fec.poll()) {
      P2PA_ASSERT(body->missed_at == kNever || body->missed_at <= now);
      ByteReader reader(body->bytes);
      while (!reader.at_end()) {
        const auto message = udp::read_corrected_message(reader);
        if (!message || !messages.on_message(message->message)) return false;
      }
    }
    P2PA_ASSERT(budget.used() <= udp::FecReceiver::kBytesMax + udp::MessageReceiver::kPartialBytesMax +
                                     udp::MessageReceiver::kCompleteBytesMax + udp::kOpenBytesMax +
                                     (udp::kOpenMessagesMax + udp::MessageReceiver::kPartialsMax) * 64);
    return true;
  }
};

/// What a message of the sender's is: its number, and bytes that follow from it.
Bytes message_of(std::uint8_t number, std::size_t size) {
  Bytes out(size + 1, static_cast<std::uint8_t>(number * 7));
  out[0] = number;
  return out;
}

void road(Input& input) {
  resource::Manager resources{{}};
  mux::MemoryBudget budget{resources};
  udp::FecSender fec{budget};
  udp::MessageSender sender{std::size_t{4} << 20, budget, fec};
  Receiver receiver;
  fec.enable();
  std::map<std::uint8_t, std::size_t> sizes;
  std::set<std::uint8_t> got;
  int newest = -1;
  Instant now{seconds(5).ns};
  std::uint64_t packets = 0;
  std::deque<Bytes> held;
  for (int number = 0; number < 250 && !input.empty(); ++number) {
    const std::uint8_t how = input.byte();
    SessionMessageOptions options;
    options.delivery = how % 2 == 0 ? Delivery::kUnreliable : Delivery::kSequenced;
    options.lifetime = milliseconds(how / 8);
    options.correction = how % 4 < 3;
    const auto n = static_cast<std::uint8_t>(number);
    sizes[n] = std::size_t{input.byte()} * 16;
    P2PA_ASSERT(sender.push(now, message_of(n, sizes[n]), options));
    fec.on_deadline(now);
    while (sender.pending() || fec.pending()) {
      Bytes plain;
      std::vector<udp::SentFrame> sent;
      const std::size_t room = how < 200 ? 1167 : 1419;
      udp::PacketBuilder packet(plain, room, sent);
      fec.begin(now, room, milliseconds(40));
      fec.fill_repairs(packet);
      sender.fill(packet);
      P2PA_ASSERT(!packet.empty() && plain.size() <= room);
      const std::uint8_t fate = input.byte() % 8;
      ++packets;
      if (fate == 0) {
        fec.packet_lost(packets);
        continue;
      }
      fec.packets_acknowledged(1);
      held.push_back(plain);
      if (fate == 1) continue;  // it comes behind the next
      for (; !held.empty(); held.pop_back()) {
        ByteReader reader(held.back());
        while (!reader.at_end()) {
          const auto frame = udp::read_frame(reader);
          P2PA_ASSERT(frame);
          if (const auto* code = std::get_if<udp::FecFrame>(&*frame)) P2PA_ASSERT(receiver.take(now, code->packet));
          if (const auto* plainly = std::get_if<udp::MessageFrame>(&*frame)) {
            P2PA_ASSERT(receiver.messages.on_message(*plainly));
          }
        }
      }
    }
    while (!receiver.messages.empty()) {
      const udp::Message message = receiver.messages.pop();
      const std::uint8_t which = message.bytes.at(0);
      P2PA_ASSERT(message.bytes == message_of(which, sizes.at(which)));
      P2PA_ASSERT(got.insert(which).second);
      if (message.delivery != Delivery::kSequenced) continue;
      P2PA_ASSERT(which > newest);
      newest = which;
    }
    now = now + milliseconds(how % 16);
  }
}

/// Heads are the input's, so that what follows them is reached.
void peer(Input& input) {
  Receiver receiver;
  Instant now{seconds(5).ns};
  std::uint32_t next = 0;
  while (!input.empty()) {
    const std::uint8_t how = input.byte();
    Bytes packet;
    if (how % 4 == 0) {
      const ByteView raw = input.take(input.byte());
      packet.assign(raw.begin(), raw.end());
    } else if (how % 4 == 1) {
      const ByteView symbol = input.take(input.byte());
      const std::uint8_t count = input.byte();
      fec::append_packet(packet, fec::Repair{next - how / 4, count, how, symbol});
    } else {
      const ByteView bytes = input.take(input.byte() % 32);
      udp::MessageFrame message{static_cast<Delivery>(how / 4 % 4), 0, input.byte(), bytes.size(), 0, bytes};
      if (how >= 128) message.size = bytes.size() + input.byte();
      Bytes body;
      append(body, udp::CorrectedMessage{how, message});
      fec::append_packet(packet, fec::Source{next, body});
      next += 1 + input.byte() / 64;
    }
    if (!receiver.take(now, packet)) return;
    if (how % 8 == 7 && !receiver.messages.empty()) receiver.messages.pop();
    now = now + milliseconds(how / 8);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  if (input.byte() % 2 == 0) {
    road(input);
  } else {
    peer(input);
  }
  return 0;
}
