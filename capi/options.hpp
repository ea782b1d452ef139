#pragma once
#include <utility>

#include "entry.hpp"
#include "p2pagents/node.hpp"

namespace p2pa::capi {

/// The log triple: called, and dropped once.
class LogSink final {
 public:
  explicit LogSink(const p2pa_node_options* options) noexcept;
  LogSink(LogSink&& o) noexcept : fn_(o.fn_), ctx_(o.ctx_), drop_(std::exchange(o.drop_, nullptr)) {}
  LogSink& operator=(LogSink&&) = delete;
  ~LogSink() {
    if (drop_ != nullptr) drop_(ctx_);
  }
  explicit operator bool() const { return fn_ != nullptr; }
  void operator()(const LogRecord& record) const;

 private:
  p2pa_log_fn fn_;
  void* ctx_;
  p2pa_drop_fn drop_;
};

/// The library's options of the caller's. kMalformed, kBadKey, kBadKeyFile, kUnsupported,
/// kInvalidArgument.
Result<NodeOptions> read_options(const p2pa_node_options* options, LogSink sink);

}  // namespace p2pa::capi
