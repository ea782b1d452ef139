#include "convert.hpp"

#include <algorithm>
#include <new>

#include "base/utf8.hpp"
#include "runtime/host.hpp"

namespace p2pa::capi {

Status status_of_exception() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return P2PA_E_OUT_OF_MEMORY;
  } catch (...) {
    return P2PA_E_INTERNAL;
  }
}

Status explain(const Error& error, p2pa_error_info* info) noexcept {
  if (!writable(info)) return status_of(error);
  info->code = status_of(error);
  info->detail = error.detail;
  const std::string_view text = error.why;
  const std::size_t size = std::min(text.size(), sizeof info->text - 1);
  std::memcpy(info->text, text.data(), size);
  info->text[size] = '\0';
  return info->code;
}

bool read_name(const char* text, std::size_t size, std::string_view& out) {
  return read_text(text, size, out) && !out.empty() && out.size() <= 255 && is_utf8(out);
}

std::optional<Priority> read_priority(std::uint32_t priority) {
  switch (priority) {
    case P2PA_PRIORITY_CONTROL: return Priority::kControl;
    case 0:
    case P2PA_PRIORITY_INTERACTIVE: return Priority::kInteractive;
    case P2PA_PRIORITY_BULK: return Priority::kBulk;
    default: return std::nullopt;
  }
}

std::optional<PeerId> read_peer(const p2pa_peer* peer) {
  if (peer == nullptr || peer->size > sizeof peer->bytes) return std::nullopt;
  const auto id = PeerId::from_bytes({peer->bytes, peer->size});
  return id ? std::optional(*id) : std::nullopt;
}

void write_peer(const PeerId& id, p2pa_peer* peer) {
  static_assert(PeerId::kSizeMax <= sizeof peer->bytes);
  std::memset(peer, 0, sizeof *peer);
  peer->size = static_cast<std::uint8_t>(id.bytes().size());
  std::ranges::copy(id.bytes(), peer->bytes);
}

Status write_text(std::string_view text, char* buffer, std::size_t* size) {
  if (size == nullptr) return P2PA_E_INVALID_ARGUMENT;
  if (buffer == nullptr || *size < text.size() + 1) {
    *size = text.size() + 1;
    return P2PA_E_BUFFER_TOO_SMALL;
  }
  std::ranges::copy(text, buffer);
  buffer[text.size()] = '\0';
  *size = text.size();
  return P2PA_OK;
}

Status write_bytes(ByteView bytes, std::uint8_t* buffer, std::size_t* size) {
  if (size == nullptr) return P2PA_E_INVALID_ARGUMENT;
  const bool fits = buffer != nullptr && *size >= bytes.size();
  *size = bytes.size();
  if (!fits) return P2PA_E_BUFFER_TOO_SMALL;
  std::ranges::copy(bytes, buffer);
  return P2PA_OK;
}

void show(const Event& event, Host& host, p2pa_event& out) noexcept {
  const std::string_view text = event.text.empty() ? std::string_view(event.error.why) : event.text;
  p2pa_event_init(&out);
  out.kind = event.kind;
  out.node.v = host.handle;
  out.token = event.token();
  out.op.v = event.op;
  out.call.v = event.call;
  out.stream.v = event.stream;
  out.channel.v = event.channel;
  out.delivery = event.delivery;
  out.session_channel = event.session_channel;
  out.connection = event.connection;
  out.count = event.count;
  write_peer(event.peer, &out.peer);
  out.status = status_of(event.error);
  out.application_code = event.application_code;
  out.detail = event.error.detail;
  out.text = {text.data(), text.size()};
  out.data = {event.data.data(), event.data.size()};
  out.name = {event.name.c_str(), event.name.size()};
  out.address = {event.address.c_str(), event.address.size()};
  out.duration_ns = event.duration_ns;
  out.bytes_up = event.bytes_up;
  out.bytes_down = event.bytes_down;
  out.upload_ns = event.upload_ns;
  out.download_ns = event.download_ns;
  out.flags = event.flags;
  out.dropped = host.events.take_dropped();
}

}  // namespace p2pa::capi
