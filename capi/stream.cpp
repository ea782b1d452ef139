#include "entry.hpp"

using namespace p2pa;
using namespace p2pa::capi;

namespace {

/// The name of a protocol of the author's own.
bool read_protocol(const char* text, std::size_t size, std::string_view& out) {
  return read_name(text, size, out) && out.front() == '/' && out.find('\n') == std::string_view::npos;
}

}  // namespace

int32_t p2pa_node_handle_protocol(p2pa_node node, const char* protocol,
                                  size_t protocol_size) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    std::string_view name;
    if (!read_protocol(protocol, protocol_size, name)) return P2PA_E_INVALID_ARGUMENT;
    return host.services.handle_protocol(name);
  });
}

int32_t p2pa_node_open_stream(p2pa_node node, const p2pa_peer* peer, const char* protocol,
                              size_t protocol_size, p2pa_op* op) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    std::string_view name;
    if (!who || op == nullptr || !read_protocol(protocol, protocol_size, name)) {
      return P2PA_E_INVALID_ARGUMENT;
    }
    return host.streams.open(*who, name, &op->v);
  });
}

int32_t p2pa_stream_write(p2pa_stream stream, const uint8_t* data, size_t data_size,
                          size_t* taken) noexcept {
  return with_owner(stream.v, [&](Host& host) -> Status {
    ByteView bytes;
    if (taken == nullptr || !read_bytes(data, data_size, bytes)) return P2PA_E_INVALID_ARGUMENT;
    return host.streams.write(stream.v, bytes, taken);
  });
}

int32_t p2pa_stream_write_take(p2pa_stream stream, const uint8_t* data, size_t data_size,
                               p2pa_drop_fn release, void* ctx) noexcept {
  Payload payload({data, data == nullptr ? 0 : data_size}, release, ctx);
  Outbox::Payloads bytes;  // out here: what is refused is released when the node is not pinned any more
  return with_owner(stream.v, [&](Host& host) -> Status {
    if (data == nullptr && data_size != 0) return P2PA_E_INVALID_ARGUMENT;
    bytes.push_back(std::move(payload));
    return host.streams.write_take(stream.v, bytes);
  });
}

int32_t p2pa_stream_finish(p2pa_stream stream) noexcept {
  return with_owner(stream.v, [&](Host& host) { return host.streams.finish(stream.v); });
}

int32_t p2pa_stream_reset(p2pa_stream stream, uint64_t code) noexcept {
  return with_owner(stream.v, [&](Host& host) { return host.streams.reset(stream.v, code); });
}

int32_t p2pa_stream_set_priority(p2pa_stream stream, uint32_t priority) noexcept {
  return with_owner(stream.v, [&](Host& host) -> Status {
    const auto value = read_priority(priority);
    return value ? host.streams.set_priority(stream.v, *value) : P2PA_E_INVALID_ARGUMENT;
  });
}

int32_t p2pa_node_send_datagram(p2pa_node node, const p2pa_peer* peer, const uint8_t* data,
                                size_t data_size) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    constexpr std::size_t kDatagramBytesMax = 65'535;
    const auto who = read_peer(peer);
    ByteView bytes;
    if (!who || !read_bytes(data, data_size, bytes)) return P2PA_E_INVALID_ARGUMENT;
    if (bytes.size() > kDatagramBytesMax) return P2PA_E_MESSAGE_TOO_LARGE;
    const Lock lock(host.mutex);
    if (const Status status = host.accepting(); status < 0) return status;
    return host.enqueue(bytes.size(), [who, payload = Bytes(bytes.begin(), bytes.end())](Node& running) {
      (void)running.send_datagram(*who, payload);  // unreliable: what does not go is lost
    });
  });
}

int32_t p2pa_node_send_session_message(p2pa_node node, const p2pa_peer* peer, const uint8_t* data, size_t data_size,
                                       const p2pa_session_message_options* options) noexcept {
  return with_node(node, [&](Host& host) -> Status {
    const auto who = read_peer(peer);
    ByteView bytes;
    p2pa_session_message_options in;
    if (const Status status = read_struct(options, in); status < 0) return status;
    if (!who || !read_bytes(data, data_size, bytes) || in.delivery > P2PA_DELIVERY_ORDERED ||
        in.channel >= kSessionChannels || in.priority < INT8_MIN || in.priority > INT8_MAX || in.lifetime_us < 0 ||
        in.correction > 1) {
      return P2PA_E_INVALID_ARGUMENT;
    }
    if (bytes.size() > kSessionMessageBytesMax) return P2PA_E_MESSAGE_TOO_LARGE;
    SessionMessageOptions out;
    if (in.delivery != 0) out.delivery = static_cast<Delivery>(in.delivery - P2PA_DELIVERY_UNRELIABLE);
    out.channel = static_cast<std::uint8_t>(in.channel);
    out.priority = static_cast<std::int8_t>(in.priority);
    out.lifetime = microseconds(std::min<std::int64_t>(in.lifetime_us, hours(24).us()));
    out.correction = in.correction == 1;
    if (out.correction && out.delivery >= Delivery::kReliable && out.lifetime.ns == 0) return P2PA_E_INVALID_ARGUMENT;
    const Lock lock(host.mutex);
    if (const Status status = host.accepting(); status < 0) return status;
    return host.enqueue(bytes.size(), [who, out, payload = Bytes(bytes.begin(), bytes.end())](Node& running) {
      (void)running.send_session_message(*who, payload, out);  // what does not go is lost
    });
  });
}
