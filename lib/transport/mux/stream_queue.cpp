#include "transport/mux/stream_queue.hpp"

#include "transport/mux/rate_gate.hpp"
#include "transport/mux/stream_table.hpp"

namespace p2pa::mux {

Priority StreamQueue::priority_of(const StreamState& stream) { return stream.priority; }

shaping::ClassSet StreamQueue::waiting() const {
  shaping::ClassSet out{};
  for (std::size_t i = 0; i < shaping::kClasses; ++i) out[i] = lines_[i].first != nullptr;
  if (bulk_held_) out[shaping::index_of(Priority::kBulk)] = false;
  return out;
}

StreamState* StreamQueue::first() const {
  return empty() ? nullptr : line_of(shares_.next(waiting())).first;
}

void StreamQueue::push(StreamState& stream) {
  if (stream.send_queued) return;
  Line& line = line_of(stream.priority);
  stream.send_queued = true;
  stream.next = nullptr;
  (line.last == nullptr ? line.first : line.last->next) = &stream;
  line.last = &stream;
  ++line.count;
  ++count_;
}

void StreamQueue::remove(StreamState& stream) {
  if (!stream.send_queued) return;
  Line& line = line_of(stream.priority);
  StreamState* before = nullptr;  // almost always it is the first
  for (StreamState* s = line.first; s != &stream; s = s->next) before = s;
  (before == nullptr ? line.first : before->next) = stream.next;
  if (line.last == &stream) line.last = before;
  stream.next = nullptr;
  stream.send_queued = false;
  --line.count;
  --count_;
}

void StreamQueue::clear() {
  lines_ = {};
  count_ = 0;
  bulk_held_ = false;
}

}  // namespace p2pa::mux
