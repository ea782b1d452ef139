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
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  /// At the end of its class; nothing when it is in already.
  void push(StreamState& stream);
  void remove(StreamState& stream);
  /// The stream has had so many bytes.
  void served(const StreamState& stream, std::size_t bytes) { shares_.served(priority_of(stream), bytes, waiting()); }
  /// Forgets all. Whoever says so resets what the streams know of it.
  void clear();

 private:
  struct Line {
    StreamState* first = nullptr;
    StreamState* last = nullptr;
  };

  static Priority priority_of(const StreamState& stream);
  shaping::ClassSet waiting() const;

  std::array<Line, shaping::kClasses> lines_;
  std::size_t count_ = 0;
  shaping::ClassShares shares_;
};

}  // namespace p2pa::mux
