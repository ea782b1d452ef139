#pragma once
#include <utility>

#include "p2pagents/bytes.hpp"
#include "p2pagents/p2pagents.h"

namespace p2pa::capi {

/// Bytes on their way out: a copy, or lent by the host and released exactly once. Never destroyed
/// under a lock, since the release is the host's code.
class Payload final {
 public:
  explicit Payload(ByteView bytes) : copy_(bytes.begin(), bytes.end()), view_(copy_) {}
  Payload(ByteView bytes, p2pa_drop_fn release, void* ctx) noexcept
      : view_(bytes), release_(release), ctx_(ctx) {}
  Payload(Payload&& o) noexcept
      : copy_(std::move(o.copy_)), view_(o.view_), release_(std::exchange(o.release_, nullptr)),
        ctx_(o.ctx_) {}  // a moved vector keeps its memory, so the view stays right
  Payload& operator=(Payload&&) = delete;
  ~Payload() {
    if (release_ != nullptr) release_(ctx_);
  }
  ByteView view() const { return view_; }

 private:
  Bytes copy_;
  ByteView view_;
  p2pa_drop_fn release_ = nullptr;
  void* ctx_ = nullptr;
};

}  // namespace p2pa::capi
