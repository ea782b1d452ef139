#pragma once
// Between the C face's values and the library's.

#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include "p2pagents/error.hpp"
#include "p2pagents/p2pagents.h"
#include "p2pagents/peer_id.hpp"
#include "p2pagents/shaping.hpp"

namespace p2pa::capi {

using Status = std::int32_t;
struct Event;
struct Host;

inline Status status_of(const Error& error) { return static_cast<Status>(error.code); }
inline Status status_of(const Result<void>& result) { return result ? P2PA_OK : status_of(result.error()); }
/// REQUIRES: inside a catch clause.
Status status_of_exception() noexcept;
/// Tells the caller what went wrong, if it wants to know; answers the status.
Status explain(const Error& error, p2pa_error_info* info) noexcept;

/// False: the pointer is missing.
inline bool read_text(const char* text, std::size_t size, std::string_view& out) {
  if (text == nullptr && size != 0) return false;
  out = {text, size};
  return true;
}
inline bool read_bytes(const std::uint8_t* data, std::size_t size, ByteView& out) {
  if (data == nullptr && size != 0) return false;
  out = {data, size};
  return true;
}
/// A method name or protocol id: 1 to 255 bytes of UTF-8.
bool read_name(const char* text, std::size_t size, std::string_view& out);
/// P2PA_PRIORITY_*, where 0 is the usual one. Empty: no such.
std::optional<Priority> read_priority(std::uint32_t priority);
/// Empty: not a peer id.
std::optional<PeerId> read_peer(const p2pa_peer* peer);
void write_peer(const PeerId& id, p2pa_peer* peer);

/// The rule of "Strings and bytes": text with a NUL, bytes without.
Status write_text(std::string_view text, char* buffer, std::size_t* size);
Status write_bytes(ByteView bytes, std::uint8_t* buffer, std::size_t* size);

/// The largest struct that is read. A size over it is one that nobody set, and no library after this one
/// has such a struct.
inline constexpr std::size_t kStructSizeMax = 4096;

/// Copies the caller's struct, of an older or newer header, into one of ours. P2PA_E_INVALID_ARGUMENT:
/// its size cannot be true. P2PA_E_UNSUPPORTED: it is newer and uses what we do not know.
template <class Struct>
Status read_struct(const Struct* in, Struct& out) {
  std::memset(&out, 0, sizeof out);
  if (in == nullptr) return P2PA_OK;
  const std::size_t size = in->struct_size;
  if (size < 2 * sizeof(std::uint32_t) || size > kStructSizeMax) return P2PA_E_INVALID_ARGUMENT;
  std::memcpy(&out, in, size < sizeof out ? size : sizeof out);
  const auto* bytes = reinterpret_cast<const unsigned char*>(in);
  for (std::size_t i = sizeof out; i < size; ++i) {
    if (bytes[i] != 0) return P2PA_E_UNSUPPORTED;
  }
  return P2PA_OK;
}
/// What a struct that we fill had in its first version, by its last member then. A caller's header may be as
/// old as that, whatever was appended since.
template <class Struct>
inline constexpr std::size_t kFirstSize = 0;
template <>
inline constexpr std::size_t kFirstSize<p2pa_error_info> =
    offsetof(p2pa_error_info, text) + sizeof(p2pa_error_info::text);
template <>
inline constexpr std::size_t kFirstSize<p2pa_event> = offsetof(p2pa_event, dropped) + sizeof(p2pa_event::dropped);
template <>
inline constexpr std::size_t kFirstSize<p2pa_connection_info> =
    offsetof(p2pa_connection_info, reserved) + sizeof(p2pa_connection_info::reserved);
template <>
inline constexpr std::size_t kFirstSize<p2pa_dial_attempt> =
    offsetof(p2pa_dial_attempt, text) + sizeof(p2pa_dial_attempt::text);
template <>
inline constexpr std::size_t kFirstSize<p2pa_channel_stats> =
    offsetof(p2pa_channel_stats, burst) + sizeof(p2pa_channel_stats::burst);
template <>
inline constexpr std::size_t kFirstSize<p2pa_usage> =
    offsetof(p2pa_usage, event_bytes) + sizeof(p2pa_usage::event_bytes);

/// Can the caller's struct hold what the first version had?
template <class Struct>
bool writable(const Struct* out) {
  static_assert(kFirstSize<Struct> > 0);
  return out != nullptr && out->struct_size >= kFirstSize<Struct>;
}
/// Fills the caller's struct as far as the caller's header knows it.
template <class Struct>
void write_struct(const Struct& in, Struct* out) {
  const std::uint32_t size = out->struct_size;
  std::memcpy(out, &in, size < sizeof in ? size : sizeof in);
  out->struct_size = size;
}

/// What the host sees of an event; its pointers lead into the event. REQUIRES the host's lock.
void show(const Event& event, Host& host, p2pa_event& out) noexcept;

}  // namespace p2pa::capi
