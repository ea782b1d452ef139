#pragma once
// What a node serves, by name.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "p2pagents/rpc.hpp"

namespace p2pa::rpc {

using ServedMethod = std::variant<Method, UnaryMethod>;

class Methods final {
 public:
  /// kInvalidArgument: not a method name, or an empty function. kInvalidState: the name is taken.
  Result<void> add(std::string name, ServedMethod method);
  void remove(std::string_view name);
  /// Null: not served. Shared, since a method may stop serving itself while it runs.
  std::shared_ptr<ServedMethod> find(std::string_view name) const;

 private:
  std::map<std::string, std::shared_ptr<ServedMethod>, std::less<>> methods_;
};

}  // namespace p2pa::rpc
