#pragma once
// One end of a Yamux session with the streams of a real connection on it, and nothing below: bytes go in
// and out as the test likes.

#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "transport/mux/muxed_connection.hpp"
#include "transport/mux/shared.hpp"
#include "transport/mux/streams.hpp"
#include "transport/yamux/session.hpp"

namespace p2pa::test {

/// A frame and what it carries.
struct YamuxFrame {
  yamux::Frame head;
  Bytes body{};

  bool operator==(const YamuxFrame&) const = default;
};

inline Bytes bytes_of(const yamux::Frame& head, ByteView body = {}) {
  Bytes out(yamux::kFrameHeaderSize + body.size());
  std::ranges::copy(yamux::encode_frame(head), out.begin());
  std::ranges::copy(body, out.begin() + yamux::kFrameHeaderSize);
  return out;
}

/// What an end of ours sends is whole frames, and these. P2PA_ASSERTs that.
inline std::vector<YamuxFrame> frames_of(ByteView bytes) {
  std::vector<YamuxFrame> out;
  while (!bytes.empty()) {
    P2PA_ASSERT(bytes.size() >= yamux::kFrameHeaderSize);
    const auto head = yamux::decode_frame(bytes.first<yamux::kFrameHeaderSize>());
    P2PA_ASSERT(head.has_value());
    bytes = bytes.subspan(yamux::kFrameHeaderSize);
    const std::size_t size = head->type == yamux::FrameType::kData ? head->length : 0;
    P2PA_ASSERT(bytes.size() >= size);
    out.push_back({*head, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))});
    bytes = bytes.subspan(size);
  }
  return out;
}

/// What a connection finds around it.
struct YamuxNode {
  YamuxNode(const Limits& limits, Instant start) : now(start), resources(limits), shared(resources) {}

  Instant now;
  resource::Manager resources;
  mux::Shared shared;
};

class YamuxEnd final : public YamuxNode, public mux::MuxedConnection, private yamux::Session::Owner {
 public:
  explicit YamuxEnd(const yamux::Config& config, const Limits& limits = {}, Instant start = {1'000'000'000})
      : YamuxNode(limits, start),
        MuxedConnection(shared, config.dialer ? 1 : 2, config.dialer, {}, {}),
        session(config, streams_, resources.limits(), static_cast<yamux::Session::Owner&>(*this), start) {
    streams_.attach(&session);
  }

  Result<void> receive(ByteView bytes) { return session.receive(now, bytes); }
  /// All that it has to send now, filled into pieces of `room`.
  Bytes fill(std::size_t room = 65'536) {
    Bytes out, piece(room);
    while (const std::size_t n = session.fill(now, piece)) {
      out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
    }
    woken = false;
    return out;
  }
  std::vector<YamuxFrame> sent(std::size_t room = 65'536) { return frames_of(fill(room)); }
  /// As a connection does it that is no more.
  void detach() {
    open_ = false;
    streams_.attach(nullptr);
  }
  bool poll_event(ConnectionEvent& out) {
    while (!shared.events.empty() || feed()) {
      if (shared.events.empty()) continue;
      if (take(shared.events.pop(), out)) return true;
    }
    return false;
  }

  // p2pa::Connection
  bool established() const override { return open_; }
  bool early_data_possible() const override { return false; }
  Result<StreamId> open_stream(bool) override { return streams_.open(); }
  std::size_t undelivered() const override { return streams_.undelivered() + session.unconfirmed(); }
  void ask_delivery() override { session.ask_confirmation(); }
  Result<void> send_datagram(ByteView) override { return fail(Code::kUnsupported, "no datagrams"); }
  std::size_t datagram_size_max() const override { return 0; }
  void close(std::uint64_t, std::string_view) override { detach(); }
  ConnectionStats stats(Instant) const override { return {}; }

  bool woken = false;  ///< since the last fill()

 private:
  void describe(ConnectionEvent&) override {}
  void on_session_wakes() override { woken = true; }
  bool feed() {
    bool fed = false;
    std::erase_if(shared.starved, [&](mux::Streams* streams) {
      if (!streams->can_feed()) return false;
      fed = true;
      return streams->feed();
    });
    return fed;
  }

  bool open_ = true;

 public:
  yamux::Session session;
};

}  // namespace p2pa::test
