#include "transport/udp/message_receiver.hpp"

#include <algorithm>
#include <vector>

namespace p2pa::udp {
namespace {

bool is_reliable(Delivery delivery) { return delivery >= Delivery::kReliable; }

std::unexpected<Error> violation(const char* why) { return fail(Code::kProtocolViolation, why); }

}  // namespace

Result<bool> MessageReceiver::on_message(const MessageFrame& frame) {
  const bool room = complete_bytes_ + frame.size + sizeof(Message) <= kCompleteBytesMax;
  if (is_reliable(frame.delivery)) return room ? on_reliable(frame) : Result<bool>(false);
  return room ? on_unreliable(frame) : Result<bool>(true);
}

bool MessageReceiver::reserve(std::size_t bytes) {
  if (!memory_.take(bytes + sizeof(Message))) return false;
  kept_ += bytes + sizeof(Message);
  return true;
}

void MessageReceiver::release(std::size_t bytes) {
  memory_.give_back(bytes + sizeof(Message));
  kept_ -= bytes + sizeof(Message);
}

void MessageReceiver::erase(Channel& channel, std::uint64_t sequence) {
  const auto it = channel.open.find(sequence);
  release(it->second.bytes.size());
  channel.open.erase(it);
}

Result<void> MessageReceiver::add(Assembly& assembly, const MessageFrame& frame) {
  std::ranges::copy(frame.bytes, assembly.bytes.begin() + static_cast<std::ptrdiff_t>(frame.offset));
  assembly.present.add({frame.offset, frame.offset + frame.bytes.size()});
  if (assembly.present.count() > kPiecesMax) return violation("udp: a message in too many pieces");
  const Range all{0, assembly.bytes.size()};
  assembly.complete = assembly.bytes.empty() || assembly.present.front() == all;
  return {};
}

// --- reliable kinds

Result<bool> MessageReceiver::on_reliable(const MessageFrame& frame) {
  const ChannelKey key{frame.delivery, frame.channel};
  Channel& channel = channels_[key];
  if (channel.over.contains(frame.sequence)) return true;
  if (frame.sequence - channel.floor() >= kOpenMessagesMax) return violation("udp: a message too far ahead");
  auto it = channel.open.find(frame.sequence);
  if (it == channel.open.end()) {
    if (open_count_ >= kOpenMessagesMax || open_bytes_ + frame.size > kOpenBytesMax) {
      return violation("udp: more messages than may be open");
    }
    if (!reserve(frame.size)) return false;
    ++open_count_;
    open_bytes_ += frame.size;
    it = channel.open.emplace(frame.sequence, Assembly{Bytes(frame.size), {}}).first;
  }
  if (it->second.bytes.size() != frame.size) return violation("udp: a message of two sizes");
  if (const auto added = add(it->second, frame); !added) return std::unexpected(added.error());
  if (!it->second.complete) return true;
  channel.over.add({frame.sequence, frame.sequence + 1});
  if (frame.delivery == Delivery::kOrdered) {
    deliver_in_order(channel, frame.channel);
    return true;
  }
  Bytes bytes = std::move(it->second.bytes);
  open_bytes_ -= bytes.size();
  --open_count_;
  channel.open.erase(it);
  deliver(key, std::move(bytes));
  return true;
}

Result<void> MessageReceiver::on_skip(const SkipFrame& frame) {
  Channel& channel = channels_[{frame.delivery, frame.channel}];
  if (channel.over.contains(frame.sequence)) return {};
  if (frame.sequence - channel.floor() >= kOpenMessagesMax) return violation("udp: a message too far ahead");
  channel.over.add({frame.sequence, frame.sequence + 1});
  const auto it = channel.open.find(frame.sequence);
  if (it != channel.open.end()) {
    open_bytes_ -= it->second.bytes.size();
    --open_count_;
    erase(channel, frame.sequence);
  }
  if (frame.delivery == Delivery::kOrdered) deliver_in_order(channel, frame.channel);
  return {};
}

void MessageReceiver::deliver_in_order(Channel& channel, std::uint8_t number) {
  for (; channel.over.contains(channel.next); ++channel.next) {
    const auto it = channel.open.find(channel.next);
    if (it == channel.open.end()) continue;  // skipped
    Bytes bytes = std::move(it->second.bytes);
    open_bytes_ -= bytes.size();
    --open_count_;
    channel.open.erase(it);
    deliver({Delivery::kOrdered, number}, std::move(bytes));
  }
}

// --- the others

Result<bool> MessageReceiver::on_unreliable(const MessageFrame& frame) {
  const ChannelKey key{frame.delivery, frame.channel};
  Channel& channel = channels_[key];
  if (frame.delivery == Delivery::kSequenced && frame.sequence < channel.next) return true;
  if (frame.bytes.size() == frame.size && !channel.open.contains(frame.sequence)) {
    // It came whole, as most do: there is nothing to put together.
    if (!reserve(frame.size)) return true;
    deliver_now(channel, frame, Bytes(frame.bytes.begin(), frame.bytes.end()));
    return true;
  }
  auto it = channel.open.find(frame.sequence);
  if (it == channel.open.end()) {
    const auto full = [&] {
      return partials_.size() == kPartialsMax || partial_bytes_ + frame.size > kPartialBytesMax;
    };
    while (!partials_.empty() && full()) give_up_oldest_partial();
    if (!reserve(frame.size)) return true;
    partials_.emplace_back(key, frame.sequence);
    partial_bytes_ += frame.size;
    it = channel.open.emplace(frame.sequence, Assembly{Bytes(frame.size), {}}).first;
  }
  if (it->second.bytes.size() != frame.size) return violation("udp: a message of two sizes");
  if (const auto added = add(it->second, frame); !added) return std::unexpected(added.error());
  if (!it->second.complete) return true;
  Bytes bytes = std::move(it->second.bytes);
  channel.open.erase(it);
  std::erase(partials_, std::pair(key, frame.sequence));
  partial_bytes_ -= bytes.size();
  deliver_now(channel, frame, std::move(bytes));
  return true;
}

void MessageReceiver::deliver_now(Channel& channel, const MessageFrame& frame, Bytes bytes) {
  if (frame.delivery == Delivery::kSequenced) channel.next = frame.sequence + 1;
  deliver({frame.delivery, frame.channel}, std::move(bytes));
}

void MessageReceiver::give_up_oldest_partial() {
  const auto& [key, sequence] = partials_.front();
  Channel& channel = channels_[key];
  partial_bytes_ -= channel.open.at(sequence).bytes.size();
  erase(channel, sequence);
  partials_.pop_front();
}

void MessageReceiver::deliver(const ChannelKey& key, Bytes bytes) {
  complete_bytes_ += bytes.size() + sizeof(Message);
  complete_.push_back({key.first, key.second, std::move(bytes)});
}

Message MessageReceiver::pop() {
  Message out = std::move(complete_.front());
  complete_.pop_front();
  complete_bytes_ -= out.bytes.size() + sizeof(Message);
  release(out.bytes.size());
  return out;
}

}  // namespace p2pa::udp
