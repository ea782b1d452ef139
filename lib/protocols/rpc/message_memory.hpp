#pragma once
// Memory for the messages that a call keeps.

#include <utility>

#include "resource/manager.hpp"

namespace p2pa::rpc {

/// kLimitMemory, whichever bound was met: the other codes of a limit speak of calls (docs/wire/rpc.md).
/// Detail: the bound in bytes.
inline Result<resource::Reservation> message_memory(resource::Manager& resources, const PeerId& peer,
                                                    std::size_t bytes) {
  auto granted = resources.memory(peer, bytes);
  if (!granted) return fail(Code::kLimitMemory, granted.error().why, granted.error().detail);
  return granted;
}

}  // namespace p2pa::rpc
