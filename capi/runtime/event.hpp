#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/dial_report.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa::capi {

/// What p2pa_event shows, with the memory behind its pointers. One object serves an event from the
/// moment it is promised until the host releases it; EventPool owns and recycles all of them.
struct Event {
  enum class Place : std::uint8_t {
    kFree,
    kPromised,  ///< held by an operation, call or stream until there is something to tell
    kQueued,
    kLent,      ///< taken by the host, to be released by it
    kShown,     ///< in the hands of the event callback, released when it returns
  };

  // The pool's own.
  Place place = Place::kFree;
  bool notification = false;
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  std::size_t charged = 0;
  Event* next = nullptr;

  std::uint32_t kind = 0;
  std::uint32_t flags = 0;
  std::uint64_t op = 0, call = 0, stream = 0, channel = 0;  ///< handles
  std::uint64_t connection = 0, count = 0;
  std::uint32_t delivery = 0, session_channel = 0;  ///< of a session's message
  PeerId peer;
  Error error{Code::kOk, 0, ""};
  std::int32_t application_code = 0;
  std::string text;  ///< the application's; otherwise error.why is shown
  Bytes data;
  std::string name;
  std::string address;
  std::int64_t duration_ns = 0;
  std::uint64_t bytes_up = 0, bytes_down = 0;
  std::int64_t upload_ns = 0, download_ns = 0;
  struct Attempt {
    DialAttempt told;
    std::string address;  ///< of `told`, as the host sees it
  };
  std::vector<Attempt> attempts;  ///< of a dial

  std::uint64_t token() const { return std::uint64_t{generation} << 32 | (index + 1); }
};

}  // namespace p2pa::capi
