#pragma once
// Each function of the C face once, with arguments that are right as far as the handle is.

#include <functional>
#include <string>
#include <vector>

#include "support.hpp"

namespace p2pa::test {

/// What the functions below are called with.
struct Arguments {
  p2pa_node node{};
  p2pa_op op{};
  p2pa_call call{};
  p2pa_stream stream{};
  p2pa_channel channel{};
  p2pa_peer peer{};
};

struct Function {
  std::string name;
  std::function<std::int32_t(const Arguments&)> run;
  bool runs_node = false;   ///< an owner function, or one that ends the node
  bool reads_node = false;  ///< waits for the running node
};

inline std::vector<Function> every_function() {
  static constexpr std::string_view kAddress = "/ip4/127.0.0.1/udp/1/quic-v1";
  static const std::uint8_t kData[3] = {1, 2, 3};
  static char text[4096];
  static std::uint64_t numbers[64];
  using A = const Arguments&;
  const auto room = [] { return sizeof text; };
  p2pa_op op{};
  std::vector<Function> all = {
      {"node_close", [](A a) { return p2pa_node_close(a.node); }},
      {"node_next_event", [](A a) {
         p2pa_event event;
         p2pa_event_init(&event);
         const std::int32_t status = p2pa_node_next_event(a.node, &event);
         p2pa_event_release(&event);
         return status;
       }},
      {"node_wakeup_fd", [](A a) { intptr_t fd; return p2pa_node_wakeup_fd(a.node, &fd); }},
      {"node_peer", [](A a) { p2pa_peer peer; return p2pa_node_peer(a.node, &peer); }},
      {"node_listen", [](A a) { return p2pa_node_listen(a.node, kAddress.data(), kAddress.size(), nullptr); }},
      {"node_add_address", [](A a) {
         return p2pa_node_add_address(a.node, &a.peer, kAddress.data(), kAddress.size(), nullptr);
       }},
      {"node_dial", [op](A a) mutable {
         return p2pa_node_dial(a.node, kAddress.data(), kAddress.size(), &op, nullptr); }},
      {"node_dial_peer", [op](A a) mutable { return p2pa_node_dial_peer(a.node, &a.peer, &op); }},
      {"node_disconnect", [](A a) { return p2pa_node_disconnect(a.node, &a.peer); }},
      {"node_ping", [op](A a) mutable { return p2pa_node_ping(a.node, &a.peer, &op); }},
      {"node_perf", [op](A a) mutable { return p2pa_node_perf(a.node, &a.peer, 1, 1, &op); }},
      {"node_serve", [](A a) { return p2pa_node_serve(a.node, "served", 6, P2PA_SERVE_UNARY); }},
      {"node_stop_serving", [](A a) { return p2pa_node_stop_serving(a.node, "served", 6); }},
      {"node_call", [op](A a) mutable {
         return p2pa_node_call(a.node, &a.peer, "m", 1, kData, sizeof kData, nullptr, &op);
       }},
      {"node_notify", [op](A a) mutable {
         return p2pa_node_notify(a.node, &a.peer, "m", 1, kData, sizeof kData, &op);
       }},
      {"node_call_open", [](A a) {
         p2pa_call call;
         return p2pa_node_call_open(a.node, &a.peer, "m", 1, nullptr, &call);
       }},
      {"node_handle_protocol", [](A a) { return p2pa_node_handle_protocol(a.node, "/every/1", 8); }},
      {"node_open_stream", [op](A a) mutable {
         return p2pa_node_open_stream(a.node, &a.peer, "/every/1", 8, &op);
       }},
      {"node_send_datagram", [](A a) { return p2pa_node_send_datagram(a.node, &a.peer, kData, sizeof kData); }},
      {"op_cancel", [](A a) { return p2pa_op_cancel(a.op); }},
      {"call_send", [](A a) { return p2pa_call_send(a.call, kData, sizeof kData); }},
      {"call_send_take", [](A a) { return p2pa_call_send_take(a.call, kData, sizeof kData, nullptr, nullptr); }},
      {"call_finish", [](A a) { return p2pa_call_finish(a.call); }},
      {"call_reply", [](A a) { return p2pa_call_reply(a.call, kData, sizeof kData); }},
      {"call_reply_take", [](A a) { return p2pa_call_reply_take(a.call, kData, sizeof kData, nullptr, nullptr); }},
      {"call_fail", [](A a) { return p2pa_call_fail(a.call, 1, "t", 1, kData, sizeof kData); }},
      {"call_cancel", [](A a) { return p2pa_call_cancel(a.call); }},
      {"stream_write", [](A a) { std::size_t taken; return p2pa_stream_write(a.stream, kData, sizeof kData, &taken); }},
      {"stream_write_take", [](A a) {
         return p2pa_stream_write_take(a.stream, kData, sizeof kData, nullptr, nullptr);
       }},
      {"stream_finish", [](A a) { return p2pa_stream_finish(a.stream); }},
      {"stream_reset", [](A a) { return p2pa_stream_reset(a.stream, 1); }},
      {"node_send_session_message", [](A a) {
         return p2pa_node_send_session_message(a.node, &a.peer, kData, sizeof kData, nullptr);
       }},
      {"call_set_priority", [](A a) { return p2pa_call_set_priority(a.call, P2PA_PRIORITY_BULK); }},
      {"stream_set_priority", [](A a) { return p2pa_stream_set_priority(a.stream, P2PA_PRIORITY_BULK); }},
      {"node_open_channel", [op](A a) mutable { return p2pa_node_open_channel(a.node, &a.peer, nullptr, &op); }},
      {"channel_send", [](A a) { return p2pa_channel_send(a.channel, kData, sizeof kData); }},
      {"channel_close", [](A a) { return p2pa_channel_close(a.channel); }},
      {"node_set_event_callback", [](A a) { return p2pa_node_set_event_callback(a.node, nullptr, nullptr, nullptr); }},
      // They read the running node.
      {"node_addresses",
       [room](A a) { std::size_t n = room(); return p2pa_node_addresses(a.node, text, &n); }, false, true},
      {"node_next_deadline", [](A a) { std::int64_t us; return p2pa_node_next_deadline(a.node, &us); }, false, true},
      {"node_connections",
       [](A a) { std::size_t n = 64; return p2pa_node_connections(a.node, numbers, &n); }, false, true},
      {"node_connection_info", [](A a) {
         p2pa_connection_info info;
         p2pa_connection_info_init(&info);
         return p2pa_node_connection_info(a.node, 1, &info);
       }, false, true},
      {"node_connection_address", [room](A a) {
         std::size_t n = room();
         return p2pa_node_connection_address(a.node, 1, text, &n);
       }, false, true},
      {"node_peer_info", [room](A a) {
         std::size_t n = room();
         return p2pa_node_peer_info(a.node, &a.peer, P2PA_PEER_PROTOCOLS, text, &n);
       }, false, true},
      {"channel_info", [](A a) {
         p2pa_channel_stats stats;
         p2pa_channel_stats_init(&stats);
         return p2pa_channel_info(a.channel, &stats);
       }},
      {"node_set_rate_limit",
       [](A a) { return p2pa_node_set_rate_limit(a.node, "", 0, P2PA_DIRECTION_INBOUND, 1'000'000, 0); }, false, true},
      {"node_rate_limit", [](A a) {
         std::uint64_t rate, burst;
         return p2pa_node_rate_limit(a.node, "", 0, P2PA_DIRECTION_INBOUND, &rate, &burst);
       }, false, true},
      {"node_clear_rate_limit",
       [](A a) { return p2pa_node_clear_rate_limit(a.node, "", 0, P2PA_DIRECTION_INBOUND); }, false, true},
      {"node_keep", [](A a) { return p2pa_node_keep(a.node, &a.peer); }, false, true},
      {"node_unkeep", [](A a) { return p2pa_node_unkeep(a.node, &a.peer); }, false, true},
      {"node_protect", [](A a) { return p2pa_node_protect(a.node, &a.peer, "tag", 3); }, false, true},
      {"node_unprotect", [](A a) { return p2pa_node_unprotect(a.node, &a.peer, "tag", 3); }, false, true},
      {"node_set_value", [](A a) { return p2pa_node_set_value(a.node, &a.peer, "tag", 3, 0); }, false, true},
      {"node_choose_peer",
       [](A a) { p2pa_peer chosen; return p2pa_node_choose_peer(a.node, &a.peer, 1, &chosen); }, false, true},
      {"node_deny", [](A a) { return p2pa_node_deny(a.node, "192.0.2.1", 9); }, false, true},
      {"node_allow", [](A a) { return p2pa_node_allow(a.node, "192.0.2.2", 9); }, false, true},
      {"node_forget_rule", [](A a) { return p2pa_node_forget_rule(a.node, "192.0.2.1", 9); }, false, true},
      {"node_allow_only", [](A a) { return p2pa_node_allow_only(a.node, 0); }, false, true},
      {"node_join_lan", [](A a) { return p2pa_node_join_lan(a.node, "t", 1); }, false, true},
      {"node_leave_lan", [](A a) { return p2pa_node_leave_lan(a.node, "t", 1); }, false, true},
      {"node_send_lan", [](A a) { return p2pa_node_send_lan(a.node, "t", 1, kData, sizeof kData); }, false, true},
      {"node_lan_drops",
       [](A a) { std::uint64_t n; return p2pa_node_lan_drops(a.node, 0, &n); }, false, true},
      {"node_limit_refusals",
       [](A a) { std::uint64_t n; return p2pa_node_limit_refusals(a.node, 0, &n); }, false, true},
      {"node_drops", [](A a) { std::uint64_t n; return p2pa_node_drops(a.node, 0, &n); }, false, true},
      {"node_usage", [](A a) {
         p2pa_usage usage;
         p2pa_usage_init(&usage);
         return p2pa_node_usage(a.node, &usage);
       }, false, true},
      // They run the node, or end it.
      {"node_poll", [](A a) { return p2pa_node_poll(a.node, 0, 1); }, true},
      {"node_wait_event", [](A a) {
         p2pa_event event;
         p2pa_event_init(&event);
         const std::int32_t status = p2pa_node_wait_event(a.node, 0, &event);
         p2pa_event_release(&event);
         return status;
       }, true},
      {"node_stop_thread", [](A a) { return p2pa_node_stop_thread(a.node); }, true},
      {"node_start_thread", [](A a) { return p2pa_node_start_thread(a.node); }, true},
      {"node_free", [](A a) { return p2pa_node_free(a.node); }, true},
  };
  return all;
}

}  // namespace p2pa::test
