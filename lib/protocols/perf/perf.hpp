#pragma once
// /perf/1.0.0 (spec: perf/perf.md): the client says how many bytes it wants as a big-endian u64, sends
// as many as it likes and ends; then the server sends what was asked for and ends.

#include <array>
#include <map>
#include <vector>

#include "base/timer_queue.hpp"
#include "p2pagents/node.hpp"
#include "transport/stream.hpp"

namespace p2pa::perf {

inline constexpr std::string_view kProtocolId = "/perf/1.0.0";
/// Measurements served at once; the next stream is reset.
inline constexpr std::size_t kServedMax = 32;
/// Of those, for one peer.
inline constexpr std::uint32_t kServedPerPeerMax = 8;
/// Measurements of our own at once; the next fails with kRateLimited.
inline constexpr std::size_t kMeasuredMax = 32;
/// Without a byte for this long a measurement is given up.
inline constexpr Duration kStallTimeout = seconds(30);

/// Both ends; the server only when it is wanted, since anybody may make it send.
class Perf final : public Protocol {
 public:
  /// REQUIRES that the opener outlives it.
  Perf(StreamOpener& opener, bool serve) : opener_(opener), serve_(serve) {}

  /// Sends `upload` bytes, then takes `download` bytes. The upload lasts until the first sign of the
  /// answer, which says that all of it arrived; the download from there on, or, without an upload, from
  /// the beginning. kTruncated, kProtocolViolation: fewer or more came than asked for. kTimeout,
  /// kRateLimited, or why there is no stream. `done` comes exactly once, never inside this call.
  void measure(Instant now, const PeerId& peer, std::uint64_t upload, std::uint64_t download,
               PerfCallback done);

  std::vector<std::string> protocol_ids() const override;
  Priority priority() const override { return Priority::kBulk; }
  void on_stream_open(Instant now, Stream& stream) override;
  void on_stream_failed(Instant now, std::uint64_t tag, const Error& why) override;
  void on_readable(Instant now, Stream& stream) override;
  void on_writable(Instant now, Stream& stream) override;
  void on_stream_closed(Instant now, Stream& stream, const Error& why) override;
  Instant next_deadline() const override { return timers_.next(); }
  void on_deadline(Instant now) override;
  bool has_work() const override { return !refused_.empty(); }
  void on_turn(Instant now) override;

 private:
  // Client: in this order. Server: kUploading, kDownloading, kSaidAll.
  enum class Phase : std::uint8_t { kOpening, kUploading, kSaidAll, kDownloading };

  /// Either end of one measurement; the stream's tag is its key. A server's upload is what it receives.
  struct Transfer {
    bool served = false;
    PeerId peer;  ///< server only: whose places it counts against
    Stream* stream = nullptr;
    Phase phase = Phase::kOpening;
    std::uint64_t to_send = 0;   ///< bytes of payload not yet written
    std::uint64_t expected = 0;  ///< client: bytes to download
    std::uint64_t received = 0;
    std::array<std::uint8_t, 8> wanted{};  ///< server: the request
    Instant started{}, answered{};
    std::uint64_t upload = 0;
    PerfCallback done;  ///< client only
  };
  using Transfers = std::map<std::uint64_t, Transfer>;

  void touch(Instant now, std::uint64_t tag) { timers_.set(tag, now + kStallTimeout); }
  /// True when everything was written.
  static bool send_zeros(Transfer& transfer);
  void pump(Instant now, Transfers::iterator it);
  void receive_answer(Instant now, Transfers::iterator it);
  void receive_upload(Instant now, Transfers::iterator it);
  /// Counts one more measurement served to this peer. False: over a bound.
  bool take_place(const PeerId& peer);
  void leave_place(const PeerId& peer);
  void finish(Transfers::iterator it, Result<PerfResult> result);
  void give_up(Transfers::iterator it, const Error& why, std::uint64_t code);

  StreamOpener& opener_;
  const bool serve_;
  std::uint64_t next_tag_ = 1;
  std::size_t served_ = 0;
  std::map<PeerId, std::uint32_t> served_to_;  // only peers that are served
  Transfers transfers_;
  TimerQueue<std::uint64_t> timers_;
  std::vector<PerfCallback> refused_;
};

}  // namespace p2pa::perf
