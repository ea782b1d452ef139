#pragma once
// The streams of one connection that have something to send, and whose turn it is.

#include <array>
#include <cstddef>

#include "shaping/class_shares.hpp"

namespace p2pa::mux {

struct StreamState;

/// The more urgent class first (see shaping::ClassShares), within one in turn. Linked through the streams.
class StreamQueue final {
 public:
  /// Null: there is none.
  StreamState* first() const;
  bool empty() const { return size() == 0; }
  /// Without those that are held.
  std::size_t size() const { return count_ - (bulk_held_ ? line_of(Priority::kBulk).count : 0); }
  /// At the end of its class; nothing when it is in already.
  void push(StreamState& stream);
  void remove(StreamState& stream);
  /// The stream has had so many bytes.
  void served(const StreamState& stream, std::size_t bytes) { shares_.served(priority_of(stream), bytes, waiting()); }
  /// While it is held, the bulk class is not first, whatever waits.
  void hold_bulk(bool held) { bulk_held_ = held; }
  /// Forgets all. Whoever says so resets what the streams know of it.
  void clear();

 private:
  struct Line {
    StreamState* first = nullptr;
    StreamState* last = nullptr;
    std::size_t count = 0;
  };

  Line& line_of(Priority priority) { return lines_[shaping::index_of(priority)]; }
  const Line& line_of(Priority priority) const { return lines_[shaping::index_of(priority)]; }

  static Priority priority_of(const StreamState& stream);
  shaping::ClassSet waiting() const;

  std::array<Line, shaping::kClasses> lines_;
  std::size_t count_ = 0;
  bool bulk_held_ = false;
  shaping::ClassShares shares_;
};

}  // namespace p2pa::mux
