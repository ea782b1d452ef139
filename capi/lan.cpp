#include <string_view>

#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

template <class F>
Status with_topic(p2pa_node node, const char* topic, std::size_t topic_size, F&& code) {
  return change_node(node, [&](Node& running) -> Status {
    std::string_view text;
    if (!read_text(topic, topic_size, text)) return P2PA_E_INVALID_ARGUMENT;
    return status_of(code(running, text));
  });
}

}  // namespace

int32_t p2pa_node_join_lan(p2pa_node node, const char* topic, size_t topic_size) noexcept {
  return with_topic(node, topic, topic_size, [](Node& running, std::string_view text) {
    return running.join_lan(text);
  });
}

int32_t p2pa_node_leave_lan(p2pa_node node, const char* topic, size_t topic_size) noexcept {
  return with_topic(node, topic, topic_size, [](Node& running, std::string_view text) {
    return running.leave_lan(text);
  });
}

int32_t p2pa_node_send_lan(p2pa_node node, const char* topic, size_t topic_size, const uint8_t* data,
                           size_t data_size) noexcept {
  return with_topic(node, topic, topic_size, [&](Node& running, std::string_view text) -> Result<void> {
    ByteView bytes;
    if (!read_bytes(data, data_size, bytes)) return fail(Code::kInvalidArgument);
    return running.send_lan(text, bytes);
  });
}

int32_t p2pa_node_lan_drops(p2pa_node node, uint32_t reason, uint64_t* dropped) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    if (dropped == nullptr) return P2PA_E_INVALID_ARGUMENT;
    if (reason >= LanCounters::kCount) return P2PA_E_NOT_FOUND;
    return host.runner.inspect([&](const Node& running) -> Status {
      *dropped = running.lan_counters().dropped[reason];
      return P2PA_OK;
    });
  });
}

const char* p2pa_lan_drop_name(uint32_t reason) noexcept {
  if (reason >= LanCounters::kCount) return "unknown";
  return LanCounters::name(static_cast<LanCounters::Which>(reason)).data();  // a literal
}
