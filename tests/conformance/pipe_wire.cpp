// A wire that is no more than a queue: it keeps every promise of UDP and TCP, and none beyond them.

#include <algorithm>
#include <vector>

#include "conformance/wire.hpp"
#include "crypto/rng.hpp"

namespace p2pa::test {
namespace {

using Kind = SocketEvent::Kind;

class PipeWire final : public Wire {
 public:
  explicit PipeWire(bool rough) : rough_(rough), kind_(rough ? WireKind::kRough : WireKind::kSmooth) {}

  IpEndpoint address(std::size_t side) const override {
    IpEndpoint out;
    out.ip.bytes = {192, 0, 2, static_cast<std::uint8_t>(side + 1)};
    out.port = 4001;
    return out;
  }
  void silence(std::size_t side) override { silent_[side] = true; }

  void send(Instant now, std::size_t side, const Transmit& transmit, ByteView bytes) override {
    for (std::size_t at = 0; at < bytes.size(); at += transmit.segment_size) {
      if (rough_ && rng_.below(50) == 0) continue;
      const ByteView one = bytes.subspan(at, std::min(transmit.segment_size, bytes.size() - at));
      items_.push_back({now + delay(), 1 - side, Kind::kBytes, true, Bytes(one.begin(), one.end())});
    }
  }

  void request(Instant now, std::size_t side, const SocketRequest& request) override {
    switch (request.kind) {
      case SocketRequest::Kind::kConnect:
        sockets_[side] = request.socket;
        return launch(now, side, Kind::kAccepted, {});
      case SocketRequest::Kind::kFinish: return launch(now, side, Kind::kEnd, {});
      case SocketRequest::Kind::kAbort: return launch(now, side, Kind::kLost, {});
    }
  }

  void write(Instant now, std::size_t side, SocketId, ByteView bytes) override {
    launch(now, side, Kind::kBytes, bytes);
    // It fits the window of the system: at once. Every third time it does not.
    const Instant at = ++writes_ % 3 != 0 ? now : now + delay_of(kind_) * 2;
    items_.push_back({at, side, Kind::kWritten, false, {}});
  }

  Instant next() const override {
    Instant next = kNever;
    for (const Item& item : items_) next = std::min(next, item.at);
    return next;
  }

  void advance(Instant now) override {
    for (const Item& item : take_due(now)) item.datagram ? arrive_datagram(item) : arrive(now, item);
  }

 private:
  struct Item {
    Instant at;
    std::size_t to;
    Kind what;      ///< of a socket
    bool datagram;  ///< or this
    Bytes bytes;
  };

  /// Jitter that reorders what is sent one behind the other.
  Duration delay() {
    const Duration least = delay_of(kind_);
    return rough_ ? least + microseconds(static_cast<std::int64_t>(rng_.below(3000))) : least;
  }

  /// In the order of TCP, and in pieces.
  void launch(Instant now, std::size_t from, Kind what, ByteView bytes) {
    if (silent_[from]) return;
    Instant& last = last_arrival_[from];
    do {
      std::size_t n = bytes.size();
      if (rough_) n = std::min<std::size_t>(n, 1 + rng_.below(1500));
      last = std::max(last, now + delay());
      const ByteView piece = bytes.first(n);
      items_.push_back({last, 1 - from, what, false, Bytes(piece.begin(), piece.end())});
      bytes = bytes.subspan(n);
    } while (!bytes.empty());
  }

  /// What is due, the soonest first; what is due at once in the order in which it was sent.
  std::vector<Item> take_due(Instant now) {
    std::vector<Item> due;
    std::erase_if(items_, [&](Item& item) {
      if (item.at > now) return false;
      const auto later = std::ranges::find_if(due, [&](const Item& other) { return other.at > item.at; });
      due.insert(later, std::move(item));
      return true;
    });
    return due;
  }

  void arrive_datagram(const Item& item) {
    if (silent_[0] || silent_[1]) return;
    on_datagram(item.to, {.socket = kUdpSocket,
                          .local = address(item.to),
                          .remote = address(1 - item.to),
                          .segment_size = item.bytes.size(),
                          .bytes = item.bytes});
  }

  void arrive(Instant now, const Item& item) {
    if (silent_[item.to]) return;
    SocketEvent event{.kind = item.what, .socket = sockets_[item.to]};
    event.local = address(item.to);
    event.remote = address(1 - item.to);
    event.bytes = item.bytes;
    if (item.what == Kind::kAccepted) {
      event.listener = kListener;
      event.socket = sockets_[item.to] = kAcceptedSockets + 1;
      launch(now, item.to, Kind::kConnected, {});
    }
    if (item.what == Kind::kLost) event.error = {Code::kConnectionLost, 0, "reset"};
    on_socket(item.to, event);
  }

  const bool rough_;
  const WireKind kind_;
  const std::array<std::uint8_t, 32> seed_{3, 3};
  Rng rng_{seed_};
  std::array<bool, 2> silent_{};
  std::array<SocketId, 2> sockets_{};
  std::array<Instant, 2> last_arrival_{};
  std::vector<Item> items_;
  std::size_t writes_ = 0;
};

}  // namespace

std::unique_ptr<Wire> make_pipe_wire(bool rough) { return std::make_unique<PipeWire>(rough); }

}  // namespace p2pa::test
