#pragma once
#include <functional>
#include <memory>
#include <utility>

namespace p2pa {

/// A function of the host, that may be set anew while it runs: the one that runs lives until it
/// returns, the new one is for the next time. An empty one is not called.
template <class... Arguments>
class Callback final {
 public:
  using Function = std::move_only_function<void(Arguments...)>;

  void set(Function function) {
    function_ = function ? std::make_shared<Function>(std::move(function)) : nullptr;
  }

  void operator()(Arguments... arguments) const {
    // Shared with the one that runs, which may be replaced.
    if (const auto function = function_) (*function)(arguments...);
  }

 private:
  std::shared_ptr<Function> function_;
};

}  // namespace p2pa
