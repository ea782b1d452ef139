#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "p2pagents/node.hpp"

namespace p2pa::capi {

struct Host;

/// The names that the host serves, known at once so that a name taken is an error at once.
class Services final {
 public:
  explicit Services(Host& host) : host_(host) {}

  std::int32_t serve(std::string_view method, bool unary);
  std::int32_t stop_serving(std::string_view method);
  std::int32_t handle_protocol(std::string_view protocol);

 private:
  using Names = std::set<std::string, std::less<>>;
  /// Adds the name and queues the task, or neither.
  std::int32_t add(Names& names, std::string_view name,
                   std::move_only_function<void(Node&, const std::string&)> task);

  Host& host_;
  Names methods_;
  Names protocols_;
};

}  // namespace p2pa::capi
