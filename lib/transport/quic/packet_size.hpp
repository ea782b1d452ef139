#pragma once
// How large the packets of a connection are.

#include <cstddef>
#include <cstdint>

namespace p2pa::quic {

/// Across a network the engine decides, and probes up to what Ethernet carries (RFC 8899). Between two
/// processes of one host nothing is so small, and what a packet costs is most of what bulk costs: there a
/// connection with much in flight tries one large packet. Until that arrived all others have Ethernet's
/// size. When anything had to be repeated meanwhile, that was one attempt of a few, and the next one is made
/// when a window of bytes has arrived.
class PacketSize final {
 public:
  /// Ethernet's 1500 bytes less IPv6 and UDP headers: what path MTU discovery tries to reach.
  static constexpr std::size_t kEthernet = 1452;
  /// Of UDP payload on one host: two of them fill what the system takes in one call.
  static constexpr std::size_t kHost = 32'752;
  /// The peer acknowledges every few packets; with a smaller window it would wait to see them.
  static constexpr std::size_t kWindowMin = 16 * kHost;
  static constexpr int kAttemptsMax = 3;

  explicit PacketSize(bool same_host) : state_(same_host ? State::kUntried : State::kByEngine) {}

  /// Packets have the size that the engine finds out.
  bool by_engine() const { return state_ == State::kByEngine; }
  /// Of the next packet, with a congestion window of so many bytes. REQUIRES !by_engine().
  std::size_t limit(std::size_t window) const;

  /// A packet was made. `fresh`: bytes of payload in it that were never sent before, the last of which is
  /// before `end` of `stream`.
  void made(std::size_t size, std::size_t fresh, std::int64_t stream, std::uint64_t end);
  /// `size` bytes before `end` arrived.
  void acknowledged(std::int64_t stream, std::uint64_t end, std::uint64_t size);
  /// Nothing of it will be acknowledged any more.
  void stream_closed(std::int64_t stream);
  /// The peer was not heard of for long: large packets may be what does not arrive (RFC 8899 §4.3).
  void silence();
  /// The connection goes another way from now on.
  void path_changed(bool same_host);

 private:
  enum class State : std::uint8_t { kByEngine, kUntried, kTrying, kProven, kResting, kRefused };

  void attempt_failed();

  State state_;
  int attempts_left_ = kAttemptsMax;
  std::int64_t tried_stream_ = -1;
  std::uint64_t tried_end_ = 0;
  std::uint64_t rested_ = 0;  // bytes that arrived since an attempt failed
};

}  // namespace p2pa::quic
