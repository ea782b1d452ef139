#include <string>
#include <vector>

#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

template <class F>
Status change_peer(p2pa_node node, const p2pa_peer* peer, F&& code) {
  const auto who = read_peer(peer);
  if (!who) return with_node(node, [](Host&) -> Status { return P2PA_E_INVALID_ARGUMENT; });
  return change_node(node, [&](Node& running) { return code(running, *who); });
}

template <class F>
Status change_tag(p2pa_node node, const p2pa_peer* peer, const char* tag, std::size_t tag_size, F&& code) {
  return change_peer(node, peer, [&](Node& running, const PeerId& who) -> Status {
    std::string_view name;
    if (!read_name(tag, tag_size, name)) return P2PA_E_INVALID_ARGUMENT;
    return code(running, who, std::string(name));
  });
}

template <class F>
Status change_rule(p2pa_node node, const char* rule, std::size_t rule_size, F&& code) {
  return change_node(node, [&](Node& running) -> Status {
    std::string_view text;
    if (!read_name(rule, rule_size, text)) return P2PA_E_INVALID_ARGUMENT;
    return status_of(code(running, text));
  });
}

}  // namespace

// --- care of connections

int32_t p2pa_node_keep(p2pa_node node, const p2pa_peer* peer) noexcept {
  return change_peer(node, peer, [](Node& running, const PeerId& who) { return status_of(running.keep(who)); });
}

int32_t p2pa_node_unkeep(p2pa_node node, const p2pa_peer* peer) noexcept {
  return change_peer(node, peer, [](Node& running, const PeerId& who) {
    return running.unkeep(who) ? P2PA_OK : P2PA_E_NOT_FOUND;
  });
}

int32_t p2pa_node_protect(p2pa_node node, const p2pa_peer* peer, const char* tag, size_t tag_size) noexcept {
  return change_tag(node, peer, tag, tag_size, [](Node& running, const PeerId& who, const std::string& name) {
    return status_of(running.protect(who, name));
  });
}

int32_t p2pa_node_unprotect(p2pa_node node, const p2pa_peer* peer, const char* tag, size_t tag_size) noexcept {
  return change_tag(node, peer, tag, tag_size, [](Node& running, const PeerId& who, const std::string& name) {
    return running.unprotect(who, name) ? P2PA_NONE : P2PA_OK;
  });
}

int32_t p2pa_node_set_value(p2pa_node node, const p2pa_peer* peer, const char* tag, size_t tag_size,
                            int32_t value) noexcept {
  return change_tag(node, peer, tag, tag_size, [value](Node& running, const PeerId& who, const std::string& name) {
    return status_of(running.set_value(who, name, value));
  });
}

int32_t p2pa_node_choose_peer(p2pa_node node, const p2pa_peer* peers, size_t count, p2pa_peer* chosen) noexcept {
  constexpr std::size_t kPeersMax = 65'536;
  return change_node(node, [&](Node& running) -> Status {
    if (peers == nullptr || count == 0 || count > kPeersMax || chosen == nullptr) return P2PA_E_INVALID_ARGUMENT;
    std::vector<PeerId> from;
    for (std::size_t i = 0; i < count; ++i) {
      const auto peer = read_peer(peers + i);
      if (!peer) return P2PA_E_INVALID_ARGUMENT;
      from.push_back(*peer);
    }
    write_peer(running.choose_peer(from), chosen);
    return P2PA_OK;
  });
}

// --- whom to deal with

int32_t p2pa_node_deny(p2pa_node node, const char* rule, size_t rule_size) noexcept {
  return change_rule(node, rule, rule_size, [](Node& running, std::string_view text) { return running.deny(text); });
}

int32_t p2pa_node_allow(p2pa_node node, const char* rule, size_t rule_size) noexcept {
  return change_rule(node, rule, rule_size, [](Node& running, std::string_view text) { return running.allow(text); });
}

int32_t p2pa_node_forget_rule(p2pa_node node, const char* rule, size_t rule_size) noexcept {
  return change_rule(node, rule, rule_size,
                     [](Node& running, std::string_view text) { return running.forget_rule(text); });
}

int32_t p2pa_node_allow_only(p2pa_node node, uint32_t allowed_only) noexcept {
  return change_node(node, [&](Node& running) -> Status {
    if (allowed_only > 1) return P2PA_E_INVALID_ARGUMENT;
    running.allow_only(allowed_only == 1);
    return P2PA_OK;
  });
}
