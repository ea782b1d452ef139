#pragma once
// The client's raw streams: an upload, and messages that come back.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "node.hpp"
#include "p2pagents/node.hpp"

namespace bench {

/// Opens a stream to the peer and waits for it.
p2pa::AgentStream& open_stream(Loop& loop, p2pa::Node& node, const p2pa::PeerId& peer,
                               std::string_view protocol);

/// An upload in writes of 64 KiB; the other end answers with its count. Lives as long as the stream.
class Upload {
 public:
  explicit Upload(p2pa::AgentStream& stream);
  /// May be called again for more.
  void send(std::int64_t bytes);
  void finish() { stream_.finish(); }
  /// All is handed to the library.
  bool taken() const { return left_ == 0; }
  const std::optional<std::int64_t>& counted() const { return counted_; }

 private:
  void pump();
  p2pa::AgentStream& stream_;
  std::int64_t left_ = 0;
  std::vector<std::uint8_t> piece_, answer_;
  std::optional<std::int64_t> counted_;
};

/// Messages of one size on one stream, so many in flight. Lives as long as the stream.
class PingPong {
 public:
  PingPong(p2pa::AgentStream& stream, std::int64_t size, std::int64_t depth);
  /// Starts so many; over when done(). No heap allocation after the first time with as many.
  void start(std::int64_t rounds);
  bool done() const { return received_ == rounds_; }
  std::vector<p2pa::Duration>& times() { return times_; }

 private:
  void send();
  void receive();
  p2pa::AgentStream& stream_;
  std::vector<std::uint8_t> message_;
  std::vector<p2pa::Instant> starts_;  // a ring, one place for each in flight
  std::vector<p2pa::Duration> times_;
  std::int64_t rounds_ = 0, sent_ = 0, received_ = 0;
  std::size_t partial_ = 0;  // bytes of the next message that are here
};

}  // namespace bench
