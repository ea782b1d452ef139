#include "protocols/rpc/methods.hpp"

#include "protocols/rpc/rpc_codec.hpp"

namespace p2pa::rpc {

Result<void> Methods::add(std::string name, ServedMethod method) {
  if (!valid_method(name)) return fail(Code::kInvalidArgument, "a method name is 1 to 255 bytes of UTF-8");
  if (!std::visit([](const auto& function) { return bool(function); }, method)) {
    return fail(Code::kInvalidArgument, "a method without a function");
  }
  if (methods_.contains(name)) return fail(Code::kInvalidState, "the method is served already");
  methods_.emplace(std::move(name), std::make_shared<ServedMethod>(std::move(method)));
  return {};
}

void Methods::remove(std::string_view name) {
  const auto it = methods_.find(name);
  if (it != methods_.end()) methods_.erase(it);
}

std::shared_ptr<ServedMethod> Methods::find(std::string_view name) const {
  const auto it = methods_.find(name);
  return it == methods_.end() ? nullptr : it->second;
}

}  // namespace p2pa::rpc
