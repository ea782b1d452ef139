#include <string>

#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

Status read_call_options(const p2pa_call_options* options, CallOptions& out) {
  p2pa_call_options in;
  if (const Status status = read_struct(options, in); status < 0) return status;
  const auto priority = read_priority(in.priority);
  if ((in.flags & ~(P2PA_CALL_REPLAY_SAFE | P2PA_CALL_COMPRESS)) != 0 || !priority) return P2PA_E_INVALID_ARGUMENT;
  out.compress = (in.flags & P2PA_CALL_COMPRESS) != 0;
  out.priority = *priority;
  out.replay_safe = (in.flags & P2PA_CALL_REPLAY_SAFE) != 0;
  if (in.deadline_us > 0) out.deadline = microseconds(std::min<std::int64_t>(in.deadline_us, hours(24 * 365).us()));
  if (in.deadline_us < 0) out.deadline = Duration{0};
  return P2PA_OK;
}

void tell_outcome(Host& host, std::uint64_t op, const CallOutcome& outcome, ByteView answer) {
  host.operations.complete(op, outcome.error, [&](Event& event) {
    if (outcome.ok()) {
      event.data.assign(answer.begin(), answer.end());
    } else {
      event.application_code = outcome.application.code;
      event.text = outcome.application.text;
      event.data = outcome.application.data;
    }
  });
}

Status send(p2pa_call call, const uint8_t* data, size_t data_size, Calls::Last last) noexcept {
  return with_owner(call.v, [&](Host& host) -> Status {
    ByteView bytes;
    if (!read_bytes(data, data_size, bytes)) return P2PA_E_INVALID_ARGUMENT;
    if (bytes.size() > host.limits.message_bytes_max) return P2PA_E_MESSAGE_TOO_LARGE;
    Outbox::Payloads message;
    message.emplace_back(bytes);
    return host.calls.send(call.v, message, last);
  });
}

Status send_take(p2pa_call call, const uint8_t* data, size_t data_size, p2pa_drop_fn release,
                 void* ctx, Calls::Last last) noexcept {
  Payload payload({data, data == nullptr ? 0 : data_size}, release, ctx);
  Outbox::Payloads message;  // out here: what is refused is released when the node is not pinned any more
  return with_owner(call.v, [&](Host& host) -> Status {
    if (data == nullptr && data_size != 0) return P2PA_E_INVALID_ARGUMENT;
    message.push_back(std::move(payload));
    return host.calls.send(call.v, message, last);
  });
}

}  // namespace

int32_t p2pa_node_serve(p2pa_node node, const char* method, size_t method_size,
                        uint32_t mode) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    std::string_view name;
    if (!read_name(method, method_size, name)) return P2PA_E_INVALID_ARGUMENT;
    if (mode != P2PA_SERVE_UNARY && mode != P2PA_SERVE_STREAMING) return P2PA_E_INVALID_ARGUMENT;
    return host.services.serve(name, mode == P2PA_SERVE_UNARY);
  });
}

int32_t p2pa_node_stop_serving(p2pa_node node, const char* method, size_t method_size) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    std::string_view name;
    if (!read_name(method, method_size, name)) return P2PA_E_INVALID_ARGUMENT;
    return host.services.stop_serving(name);
  });
}

int32_t p2pa_node_call(p2pa_node node, const p2pa_peer* peer, const char* method, size_t method_size,
                       const uint8_t* data, size_t data_size, const p2pa_call_options* options,
                       p2pa_op* op) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    std::string_view name;
    ByteView bytes;
    CallOptions how;
    if (!who || op == nullptr || !read_name(method, method_size, name) ||
        !read_bytes(data, data_size, bytes)) {
      return P2PA_E_INVALID_ARGUMENT;
    }
    if (const Status status = read_call_options(options, how); status < 0) return status;
    if (bytes.size() > host.limits.message_bytes_max) return P2PA_E_MESSAGE_TOO_LARGE;
    return host.operations.begin(
        P2PA_EVENT_CALL_DONE, *who, bytes.size(), &op->v,
        [&host, who, how, name = std::string(name), request = Bytes(bytes.begin(), bytes.end())](
            Node& running, std::uint64_t id) {
          const CallId call = running.call(
              *who, name, request, how, [&host, id](const CallOutcome& outcome, ByteView answer) {
                host.in_turn([&] { tell_outcome(host, id, outcome, answer); });
              });
          host.operations.set_call(id, call);
        });
  });
}

int32_t p2pa_node_notify(p2pa_node node, const p2pa_peer* peer, const char* method,
                         size_t method_size, const uint8_t* data, size_t data_size,
                         p2pa_op* op) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    std::string_view name;
    ByteView bytes;
    if (!who || op == nullptr || !read_name(method, method_size, name) ||
        !read_bytes(data, data_size, bytes)) {
      return P2PA_E_INVALID_ARGUMENT;
    }
    if (bytes.size() > host.limits.message_bytes_max) return P2PA_E_MESSAGE_TOO_LARGE;
    return host.operations.begin(
        P2PA_EVENT_NOTIFY_DONE, *who, bytes.size(), &op->v,
        [&host, who, name = std::string(name), message = Bytes(bytes.begin(), bytes.end())](
            Node& running, std::uint64_t id) {
          running.notify(*who, name, message, [&host, id](const CallOutcome& outcome) {
            host.in_turn([&] { tell_outcome(host, id, outcome, {}); });
          });
        });
  });
}

int32_t p2pa_node_call_open(p2pa_node node, const p2pa_peer* peer, const char* method,
                            size_t method_size, const p2pa_call_options* options,
                            p2pa_call* call) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    std::string_view name;
    CallOptions how;
    if (!who || call == nullptr || !read_name(method, method_size, name)) return P2PA_E_INVALID_ARGUMENT;
    if (const Status status = read_call_options(options, how); status < 0) return status;
    return host.calls.open(*who, name, how, &call->v);
  });
}

int32_t p2pa_call_send(p2pa_call call, const uint8_t* data, size_t data_size) noexcept {
  return send(call, data, data_size, Calls::Last::kNo);
}

int32_t p2pa_call_send_take(p2pa_call call, const uint8_t* data, size_t data_size,
                            p2pa_drop_fn release, void* ctx) noexcept {
  return send_take(call, data, data_size, release, ctx, Calls::Last::kNo);
}

int32_t p2pa_call_finish(p2pa_call call) noexcept {
  return with_owner(call.v, [&](Host& host) { return host.calls.finish(call.v); });
}

int32_t p2pa_call_reply(p2pa_call call, const uint8_t* data, size_t data_size) noexcept {
  return send(call, data, data_size, Calls::Last::kYes);
}

int32_t p2pa_call_reply_take(p2pa_call call, const uint8_t* data, size_t data_size,
                             p2pa_drop_fn release, void* ctx) noexcept {
  return send_take(call, data, data_size, release, ctx, Calls::Last::kYes);
}

int32_t p2pa_call_fail(p2pa_call call, int32_t application_code, const char* text, size_t text_size,
                       const uint8_t* data, size_t data_size) noexcept {
  return with_owner(call.v, [&](Host& host) -> Status {
    std::string_view words;
    ByteView bytes;
    if (!read_text(text, text_size, words) || !read_bytes(data, data_size, bytes)) {
      return P2PA_E_INVALID_ARGUMENT;
    }
    const std::size_t most = host.limits.message_bytes_max;
    if (words.size() > most || bytes.size() > most - words.size()) return P2PA_E_MESSAGE_TOO_LARGE;
    return host.calls.fail(call.v, {application_code, std::string(words), Bytes(bytes.begin(), bytes.end())});
  });
}

int32_t p2pa_call_cancel(p2pa_call call) noexcept {
  return with_owner(call.v, [&](Host& host) { return host.calls.cancel(call.v); });
}

int32_t p2pa_call_set_priority(p2pa_call call, uint32_t priority) noexcept {
  return with_owner(call.v, [&](Host& host) -> Status {
    const auto value = read_priority(priority);
    return value ? host.calls.set_priority(call.v, *value) : P2PA_E_INVALID_ARGUMENT;
  });
}
