#pragma once
// Two hosts on one connection in memory: just enough of a swarm to run real protocols over real streams
// in virtual time.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "p2pagents/key_pair.hpp"
#include "transport/memory/pair.hpp"
#include "transport/stream.hpp"

namespace p2pa::test {

KeyPair key_of(std::uint8_t seed);

/// One end of the connection with its protocols.
class Host final : public StreamOpener {
 public:
  Host(memory::Pair& pair, memory::Pair::Side side) : pair_(pair), side_(side) {}

  void add(Protocol& protocol);
  Connection& connection() { return pair_.end(side_); }
  void open_stream(const PeerId& peer, std::string_view protocol, StreamHandler& handler,
                   std::uint64_t tag, OpenStreamOptions options) override;

  /// A stream without a protocol of ours: what a peer of another make might do on it.
  Stream& open_raw(std::string_view protocol, StreamHandler& handler, std::uint64_t tag = 0);

  /// Hands out what happened; false when nothing had.
  bool turn(Instant now);
  Instant next_deadline() const;
  void on_deadline(Instant now);

  std::size_t streams_count() const { return streams_.size(); }
  std::size_t opens_count = 0;
  std::vector<OpenStreamOptions> opened_with;
  /// open_stream() fails with this when it is set.
  Error refuse_opens{Code::kOk, 0, ""};

 private:
  struct Open {
    std::string protocol;
    StreamHandler* handler;
    std::uint64_t tag;
  };
  void handle(Instant now, const ConnectionEvent& event);
  void on_readable(Instant now, Stream& stream);
  void end_stream(Instant now, Stream& stream, const Error& why);
  Stream& adopt(StreamId id);

  memory::Pair& pair_;
  const memory::Pair::Side side_;
  std::vector<Protocol*> protocols_;
  std::map<std::string, StreamHandler*, std::less<>> handlers_;
  std::map<StreamId, std::unique_ptr<Stream>> streams_;
  std::vector<Open> opens_;
  Bytes scratch_;
  Instant now_{};
};

/// The two hosts, their clock, and nothing else.
class TwoHosts final {
 public:
  explicit TwoHosts(memory::Config config = {});

  /// Works off what is due now, and then until `done` or `limit` of virtual time is over, whichever is
  /// first. Says whether it was `done`.
  bool run_until(const std::function<bool()>& done, Duration limit = seconds(60));
  void run_for(Duration duration);
  /// Until nothing moves any more but timers.
  void settle() { run_for(seconds(1)); }

  PeerId dialer_id, listener_id;
  Instant now{1'000'000'000};
  memory::Pair pair;
  Host dialer, listener;

 private:
  void work();
};

/// A handler that only remembers; what a hand-made peer writes is up to the test.
class RawPeer final : public StreamHandler {
 public:
  void on_stream_open(Instant, Stream& s) override { stream = &s; }
  void on_stream_failed(Instant, std::uint64_t, const Error& why) override { closed = why; }
  void on_readable(Instant now, Stream& s) override;
  void on_writable(Instant, Stream&) override { ++writable; }
  void on_stopped(Instant, Stream&, std::uint64_t code) override { stopped = code; }
  void on_stream_closed(Instant, Stream&, const Error& why) override {
    stream = nullptr;
    closed = why;
  }

  Stream* stream = nullptr;
  bool reads = true;
  Bytes received;
  bool at_end = false;
  int writable = 0;
  std::optional<std::uint64_t> stopped;
  std::optional<Error> closed;
};

}  // namespace p2pa::test
