#include "transport/udp/message_sender.hpp"

#include <algorithm>
#include <utility>

namespace p2pa::udp {

Result<void> MessageSender::push(Instant now, ByteView bytes, const SessionMessageOptions& options) {
  if (options.channel >= kSessionChannels) {
    return fail(Code::kInvalidArgument, "there is no such channel", kSessionChannels);
  }
  if (bytes.size() > kSessionMessageBytesMax) {
    return fail(Code::kMessageTooLarge, "the message is too large", kSessionMessageBytesMax);
  }
  if (options.correction && options.delivery >= Delivery::kReliable && options.lifetime.ns <= 0) {
    return fail(Code::kInvalidArgument, "what is sent again until it arrives is not corrected");
  }
  const bool corrected = options.correction && fec_.enabled() && fec_.prepare();
  const std::optional<Id> older = replaceable(options);
  if (const auto room = reserve(bytes.size() + kMessageOverhead); !room) return room;
  if (older) erase(*older);
  const Id id = next_id_++;
  Entry& entry = entries_[id];
  entry.options = options;
  entry.sequence = channel_of(options).next_sequence++;
  entry.bytes.assign(bytes.begin(), bytes.end());
  entry.corrected = corrected;
  entry.window_bytes = bytes.size();
  if (options.lifetime.ns > 0) {
    entry.deadline = now + options.lifetime;
    deadlines_.insert({entry.deadline, id});
  }
  if (!reliable(entry)) {
    if (options.delivery == Delivery::kSequenced) channel_of(options).newest = id;
    make_ready(id, entry);
    return {};
  }
  ++undelivered_;
  waiting_.push_back(id);
  admit();
  return {};
}

MessageSender::Channel& MessageSender::channel_of(const SessionMessageOptions& options) {
  return channels_[{options.delivery, options.channel}];
}

MessageSender::Entry* MessageSender::find(Id id) {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

/// Newest wins: what nobody has seen a part of goes for it.
std::optional<MessageSender::Id> MessageSender::replaceable(const SessionMessageOptions& options) {
  if (options.delivery != Delivery::kSequenced) return std::nullopt;
  const std::optional<Id> newest = channel_of(options).newest;
  const Entry* entry = newest ? find(*newest) : nullptr;
  return entry != nullptr && !entry->begun ? newest : std::nullopt;
}

Result<void> MessageSender::reserve(std::size_t bytes) {
  if (bytes_ + bytes > bytes_max_) return fail(Code::kWouldBlock, "too many messages wait");
  if (!memory_.take(bytes)) return fail(Code::kWouldBlock, "a bound on memory is reached");
  bytes_ += bytes;
  return {};
}

void MessageSender::release(std::size_t bytes) {
  memory_.give_back(bytes);
  bytes_ -= bytes;
}

/// In the order in which they were given, whatever their priority: so none waits for one that must wait for it.
void MessageSender::admit() {
  while (!waiting_.empty()) {
    Entry* entry = find(waiting_.front());
    if (open_count_ >= kOpenMessagesMax || open_bytes_ + entry->window_bytes > kOpenBytesMax) return;
    ++open_count_;
    open_bytes_ += entry->window_bytes;
    channel_of(entry->options).open.push_back(waiting_.front());
    make_ready(waiting_.front(), *entry);
    waiting_.pop_front();
  }
}

void MessageSender::make_ready(Id id, Entry& entry) {
  if (!std::exchange(entry.ready, true)) ready_.insert({-entry.options.priority, id});
}

void MessageSender::leave_turn(Id id, Entry& entry) {
  if (std::exchange(entry.ready, false)) ready_.erase({-entry.options.priority, id});
}

bool MessageSender::has_something(const Entry& entry) {
  if (entry.over) return false;
  if (entry.skipping) return entry.skip_due;
  return !entry.begun || !entry.lost.empty() || entry.sent < entry.bytes.size();
}

// --- sending

void MessageSender::fill(PacketBuilder& packet, int priority) {
  while (pending(priority)) {
    const Id id = ready_.begin()->second;
    Entry& entry = entries_.at(id);
    if (!put(id, entry, packet)) break;
    if (has_something(entry)) continue;
    leave_turn(id, entry);
    if (!reliable(entry)) erase(id);
  }
  fec_.end_body(packet);
}

/// One frame. False: it does not fit.
bool MessageSender::put(Id id, Entry& entry, PacketBuilder& packet) {
  if (!entry.corrected || entry.skipping) fec_.end_body(packet);
  if (entry.skipping) {
    if (packet.room() < kControlFrameMax) return false;
    entry.skip_due = false;
    packet.add(SkipFrame{entry.options.delivery, entry.options.channel, entry.sequence},
               {.kind = SentFrame::Kind::kSkip, .id = id});
    return true;
  }
  if (!entry.lost.empty()) return put_fragment(id, entry, entry.lost.front(), packet);
  return put_fragment(id, entry, {entry.sent, entry.bytes.size()}, packet);
}

bool MessageSender::put_fragment(Id id, Entry& entry, Range range, PacketBuilder& packet) {
  const std::size_t size = range.end - range.begin;
  const std::size_t overhead = (entry.corrected ? kTimeLeftSizeMax : 0) +
                               message_frame_overhead(entry.sequence, entry.bytes.size(), range.begin, size);
  const std::size_t free = entry.corrected ? fec_.room(packet) : packet.room();
  if (free < overhead + std::min<std::size_t>(size, 1)) return false;
  const std::size_t room = free - overhead;
  // What fits the next packet whole is not cut for the rest of this one.
  if (size > room && room < packet.capacity() / 2) return false;
  const std::size_t n = std::min(size, room);
  const ByteView bytes = ByteView(entry.bytes).subspan(range.begin, n);
  const MessageFrame frame{entry.options.delivery, entry.options.channel, entry.sequence,
                           entry.bytes.size(),     range.begin,           bytes};
  if (entry.corrected) {
    fec_.add(frame, entry.deadline);
  } else {
    packet.add(frame);
  }
  if (reliable(entry)) packet.remember({SentFrame::Kind::kMessage, false, id, range.begin, n});
  entry.begun = true;
  entry.lost.remove({range.begin, range.begin + n});
  entry.sent = std::max<std::size_t>(entry.sent, range.begin + n);
  return true;
}

// --- what became of it

void MessageSender::on_acknowledged(const SentFrame& frame) {
  using Kind = SentFrame::Kind;
  if (frame.kind != Kind::kMessage && frame.kind != Kind::kSkip) return;
  Entry* entry = find(frame.id);
  if (entry == nullptr || entry->over) return;
  if (entry->skipping) {
    if (frame.kind == Kind::kSkip) finish(frame.id, *entry);
    return;
  }
  const Range range{frame.offset, frame.offset + frame.size};
  entry->acknowledged.add(range);
  entry->lost.remove(range);
  const std::size_t size = entry->bytes.size();
  const bool all = size == 0 || entry->acknowledged.ranges() == std::vector<Range>{{0, size}};
  if (all) {
    finish(frame.id, *entry);
  } else if (!has_something(*entry)) {
    leave_turn(frame.id, *entry);  // what was taken for lost has arrived
  }
}

void MessageSender::on_lost(const SentFrame& frame) {
  using Kind = SentFrame::Kind;
  if (frame.kind != Kind::kMessage && frame.kind != Kind::kSkip) return;
  Entry* entry = find(frame.id);
  if (entry == nullptr || entry->over) return;
  if (frame.kind == Kind::kSkip) {
    entry->skip_due = true;
  } else if (entry->bytes.empty()) {
    entry->begun = false;
  } else {
    entry->lost.add({frame.offset, frame.offset + frame.size});
    for (const Range& range : entry->acknowledged.ranges()) entry->lost.remove(range);
  }
  if (has_something(*entry)) make_ready(frame.id, *entry);
}

/// The receiver has it, or knows that it does not come.
void MessageSender::finish(Id id, Entry& entry) {
  entry.over = true;
  --undelivered_;
  if (entry.deadline != kNever) deadlines_.erase({entry.deadline, id});
  leave_turn(id, entry);
  release(entry.bytes.size());
  entry.bytes = {};
  // It counts until all before it are over as well: so long the receiver may have to keep it.
  std::deque<Id>& open = channel_of(entry.options).open;
  while (!open.empty() && entries_.at(open.front()).over) {
    const Entry& oldest = entries_.at(open.front());
    --open_count_;
    open_bytes_ -= oldest.window_bytes;
    release(kMessageOverhead);
    entries_.erase(open.front());
    open.pop_front();
  }
  admit();
}

/// Of an unreliable kind.
void MessageSender::erase(Id id) {
  const auto it = entries_.find(id);
  if (it->second.deadline != kNever) deadlines_.erase({it->second.deadline, id});
  leave_turn(id, it->second);
  release(it->second.bytes.size() + kMessageOverhead);
  entries_.erase(it);
}

// --- deadlines

void MessageSender::on_deadline(Instant now) {
  while (next_deadline() <= now) {
    const Id id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    Entry& entry = entries_.at(id);
    entry.deadline = kNever;
    if (reliable(entry)) {
      give_up(id, entry);
    } else {
      erase(id);
    }
  }
}

void MessageSender::give_up(Id id, Entry& entry) {
  entry.skipping = entry.skip_due = true;
  release(entry.bytes.size());
  entry.bytes = {};
  entry.lost.clear();
  const bool open = std::ranges::find(waiting_, id) == waiting_.end();
  if (open) make_ready(id, entry);  // otherwise as soon as it is
}

void MessageSender::clear() {
  entries_.clear();
  channels_.clear();
  ready_.clear();
  waiting_.clear();
  deadlines_.clear();
  release(bytes_);
  open_bytes_ = open_count_ = undelivered_ = 0;
}

}  // namespace p2pa::udp
