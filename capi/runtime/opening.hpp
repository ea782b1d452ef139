#pragma once
// What the host opens and hears of when it is there: a stream, a channel of messages.

#include <cstdint>

#include "runtime/host.hpp"

namespace p2pa::capi {

/// Begins to open something, of which an event of `kind` tells. Under the host's lock `prepare` makes what stands
/// for it and says its handle, with all the events promised that it will ever need; 0: there is no room. In the
/// node's turn `start` has the node open it, and hands what comes of that to finish_opening(). `forget` takes the
/// handle back, under the lock, when nothing comes of it.
template <class Prepare, class Start, class Forget>
Status begin_opening(Host& host, std::uint32_t kind, const PeerId& peer, std::uint64_t* op, Prepare prepare,
                     Start start, Forget forget) {
  std::uint64_t handle = 0;
  {
    const Lock lock(host.mutex);
    if (const Status status = host.accepting(); status < 0) return status;
    handle = prepare();
    if (handle == 0) {
      host.events.note_refusal();
      return P2PA_E_WOULD_BLOCK;
    }
  }
  const auto take_back = [&]() noexcept {
    const Lock lock(host.mutex);
    forget(handle);
  };
  try {
    const auto begin = [start, handle](Node& node, std::uint64_t id) { start(node, id, handle); };
    const Status status = host.operations.begin(kind, peer, 0, op, begin);
    if (status < 0) take_back();
    return status;
  } catch (...) {
    take_back();
    throw;
  }
}

/// The operation has its answer. `attach` makes what was opened the host's, and fills the event; `drop` ends it when
/// the host does not want it any more. In the node's turn.
template <class Opened, class Attach, class Drop, class Forget>
void finish_opening(Host& host, std::uint64_t op, std::uint64_t handle, Result<Opened*> opened, Attach attach,
                    Drop drop, Forget forget) {
  bool wanted = false;
  if (opened) {
    host.operations.complete(op, {Code::kOk, 0, ""}, [&](Event& event) {
      wanted = true;
      attach(event, **opened);
    });
    if (wanted) return;
    drop(**opened);  // cancelled meanwhile
  }
  {
    const Lock lock(host.mutex);
    forget(handle);
  }
  if (!opened) host.operations.complete(op, opened.error());
}

}  // namespace p2pa::capi
