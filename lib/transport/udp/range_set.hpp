#pragma once
// Which of many numbers there are, as ranges.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace p2pa::udp {

/// Half open: begin is in, end is not.
struct Range {
  std::uint64_t begin = 0, end = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

/// Ranges in order, that neither touch nor overlap.
class RangeSet final {
 public:
  /// An empty range adds nothing.
  void add(Range range);
  void remove(Range range);
  bool contains(std::uint64_t number) const;
  bool empty() const { return ranges_.empty(); }
  std::size_t count() const { return ranges_.size(); }  ///< of ranges
  const std::vector<Range>& ranges() const { return ranges_; }
  /// REQUIRES not empty.
  const Range& front() const { return ranges_.front(); }
  const Range& back() const { return ranges_.back(); }
  void pop_front() { ranges_.erase(ranges_.begin()); }
  void clear() { ranges_.clear(); }

 private:
  std::vector<Range> ranges_;
};

}  // namespace p2pa::udp
