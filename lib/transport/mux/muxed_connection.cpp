#include "transport/mux/muxed_connection.hpp"

#include "transport/mux/shared.hpp"

namespace p2pa::mux {

MuxedConnection::MuxedConnection(Shared& shared, ConnectionId id, bool outbound, const Multiaddr& remote,
                                 const Multiaddr& local)
    : id_(id), outbound_(outbound), remote_address_(remote), local_address_(local), streams_(shared, *this) {}

void MuxedConnection::identified(const PeerId& peer) {
  peer_ = peer;
  streams_.set_peer(peer);
}

bool MuxedConnection::take(const QueuedEvent& event, ConnectionEvent& out) {
  if (event.stream != nullptr) return streams_.take(event, out);
  out = {event.kind, 0, nullptr, event.code, {}, {}};
  if (event.kind == ConnectionEvent::Kind::kClosed) out.error = why_;
  describe(out);
  return true;
}

}  // namespace p2pa::mux
