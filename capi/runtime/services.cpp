#include "runtime/services.hpp"

#include <utility>

#include "runtime/host.hpp"

namespace p2pa::capi {

Status Services::add(Names& names, std::string_view name,
                     std::move_only_function<void(Node&, const std::string&)> task) {
  const Lock lock(host_.mutex);
  if (const Status status = host_.accepting(); status < 0) return status;
  const auto [added, fresh] = names.emplace(name);
  if (!fresh) return P2PA_E_INVALID_STATE;
  try {
    const Status status = host_.enqueue(
        0, [name = *added, task = std::move(task)](Node& node) mutable { task(node, name); });
    if (status < 0) names.erase(added);
    return status;
  } catch (...) {
    names.erase(added);
    throw;
  }
}

Status Services::serve(std::string_view method, bool unary) {
  return add(methods_, method, [this, unary](Node& node, const std::string& name) {
    (void)node.serve(name, Method([this, unary](Call& call) {
      host_.in_turn([&] { host_.calls.on_incoming(call, unary); });
    }));
  });
}

Status Services::stop_serving(std::string_view method) {
  const Lock lock(host_.mutex);
  if (const Status status = host_.accepting(); status < 0) return status;
  const auto it = methods_.find(method);
  if (it == methods_.end()) return P2PA_E_NOT_FOUND;
  const Status status =
      host_.enqueue(0, [name = *it](Node& node) { node.stop_serving(name); });
  if (status >= 0) methods_.erase(it);
  return status;
}

Status Services::handle_protocol(std::string_view protocol) {
  return add(protocols_, protocol, [this](Node& node, const std::string& name) {
    (void)node.handle_protocol(name, [this](AgentStream& stream) {
      host_.in_turn([&] { host_.streams.on_incoming(stream); });
    });
  });
}

}  // namespace p2pa::capi
