#pragma once
// One end of a connection in memory.

#include <cstdint>
#include <deque>
#include <map>

#include "transport/connection.hpp"
#include "transport/memory/link.hpp"

namespace p2pa::memory {

/// What bounds a connection in memory.
struct Config {
  Duration delay = milliseconds(1);                       ///< one way
  std::size_t stream_bytes_max = std::size_t{2} << 20;    ///< from write() to consume(), one direction
  std::size_t segment_bytes_max = 64 * 1024;              ///< bytes arrive in pieces of this
  std::uint32_t streams_max = 1024;                       ///< that each end may have opened at once
  std::size_t datagram_size_max = 1200;
};

struct EndInfo {
  ConnectionId id = 0;
  PeerId peer;  ///< who the other end is, by fiat
  Multiaddr local, remote;
  bool outbound = false;
};

class End final : public Connection {
 public:
  /// What it sends goes into `out`, which outlives it.
  End(EndInfo info, const Config& config, Link& out);

  // Its owner
  void handle(Item item);
  bool poll_event(ConnectionEvent& out);
  /// The connection is gone without a word from the other end.
  void lose();

  ConnectionId id() const override { return info_.id; }
  const PeerId& peer() const override { return info_.peer; }
  const Multiaddr& remote_address() const override { return info_.remote; }
  const Multiaddr& local_address() const override { return info_.local; }
  bool outbound() const override { return info_.outbound; }
  bool established() const override { return !closed_; }
  bool early_data_possible() const override { return false; }

  Result<StreamId> open_stream(bool replay_safe) override;
  void set_context(StreamId stream, void* context) override;
  ByteView peek(StreamId stream) const override;
  void consume(StreamId stream, std::size_t n) override;
  bool at_end(StreamId stream) const override;
  Result<std::size_t> write(StreamId stream, ByteView bytes) override;
  bool await_room(StreamId stream, std::size_t bytes) override;
  std::size_t writable(StreamId stream) const override;
  void finish(StreamId stream) override;
  void reset(StreamId stream, std::uint64_t code) override;
  void stop(StreamId stream, std::uint64_t code) override;

  /// The link keeps the order: what was written arrives before a close does.
  std::size_t undelivered() const override { return 0; }

  Result<void> send_datagram(ByteView payload) override;
  std::size_t datagram_size_max() const override { return config_.datagram_size_max; }
  void close(std::uint64_t code, std::string_view reason) override;
  ConnectionStats stats(Instant now) const override;

 private:
  enum class Sending : std::uint8_t { kOpen, kEnding, kEnded };  // kEnding: its end is on the way
  enum class Receiving : std::uint8_t { kOpen, kFinished, kDropped };
  struct State {
    void* context = nullptr;
    Sending sending = Sending::kOpen;
    Receiving receiving = Receiving::kOpen;
    std::size_t on_the_way = 0;  // written here and not consumed there
    bool short_write = false;
    bool over = false;           // kStreamClosed was said
    std::deque<Bytes> arrived;
    std::size_t taken = 0;       // of arrived.front()
  };

  State* find(StreamId stream);
  const State* find(StreamId stream) const;
  void emit(ConnectionEvent::Kind kind, StreamId stream, std::uint64_t code = 0);
  static void drop_received(State& state);
  void abort_sending(StreamId stream, State& state, std::uint64_t code);
  void close_if_over(StreamId stream, State& state);
  void end(const Error& why);
  bool opened_here(StreamId stream) const { return (stream & 1) == (info_.outbound ? 0 : 1); }

  const EndInfo info_;
  const Config config_;
  Link& out_;
  std::map<StreamId, State> streams_;
  std::deque<ConnectionEvent> events_;
  std::deque<Bytes> datagrams_;  // of the kDatagram events, in order
  Bytes shown_datagram_;
  StreamId next_stream_;
  std::uint32_t opened_now_ = 0;
  bool refused_stream_ = false;
  bool closed_ = false;
  ConnectionStats stats_;
};

}  // namespace p2pa::memory
