#pragma once
#include <cstddef>
#include <list>

#include "runtime/payload.hpp"

namespace p2pa::capi {

/// What a call or a stream has still to send. One payload of any legal size fits an empty outbox.
/// REQUIRES the host's lock, except for front(): only the running thread takes payloads out, and a
/// list never moves its elements.
class Outbox final {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;
  using Payloads = std::list<Payload>;

  bool empty() const { return payloads_.empty(); }
  bool takes(std::size_t size) const {
    return payloads_.empty() || (bytes_ < kBytesMax && size <= kBytesMax - bytes_);
  }
  /// How many bytes of a stream fit.
  std::size_t room() const { return bytes_ < kBytesMax ? kBytesMax - bytes_ : 0; }
  bool half_empty() const { return bytes_ <= kBytesMax / 2; }

  /// Moves the one payload of `made` in; allocates nothing.
  void add(Payloads&& made) noexcept {
    bytes_ += made.front().view().size();
    payloads_.splice(payloads_.end(), made);
  }
  /// What is to be sent next of the oldest payload.
  ByteView front() const { return payloads_.front().view().subspan(sent_); }
  /// n bytes of front() are sent; a payload that is through moves to `spent`, to be destroyed
  /// without the lock.
  void sent(std::size_t n, Payloads& spent) noexcept {
    sent_ += n;
    bytes_ -= n;
    if (sent_ < payloads_.front().view().size()) return;
    spent.splice(spent.end(), payloads_, payloads_.begin());
    sent_ = 0;
  }
  void drop_all(Payloads& spent) noexcept {
    spent.splice(spent.end(), payloads_);
    bytes_ = sent_ = 0;
  }

 private:
  Payloads payloads_;
  std::size_t bytes_ = 0;
  std::size_t sent_ = 0;  // of the first payload
};

}  // namespace p2pa::capi
