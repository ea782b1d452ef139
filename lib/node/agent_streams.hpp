#pragma once
// Raw streams on protocols of the author's own: the public AgentStream over the swarm's streams.

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "p2pagents/node.hpp"
#include "transport/stream.hpp"

namespace p2pa {

using StreamAccepted = std::move_only_function<void(AgentStream&)>;
using StreamOpened = std::move_only_function<void(Result<AgentStream*>)>;

class AgentStreams final : public StreamHandler {
 public:
  explicit AgentStreams(StreamOpener& opener);
  ~AgentStreams() override;

  /// Inbound streams of this protocol are given to `accepted`, which sets their handler.
  void serve(std::string protocol, StreamAccepted accepted);
  void open(const PeerId& peer, std::string_view protocol, StreamOpened opened);
  AgentStream* find(std::uint64_t id);
  std::size_t size() const { return streams_.size(); }

  void on_stream_open(Instant now, Stream& stream) override;
  void on_stream_failed(Instant now, std::uint64_t tag, const Error& why) override;
  void on_readable(Instant now, Stream& stream) override;
  void on_writable(Instant now, Stream& stream) override;
  void on_stream_closed(Instant now, Stream& stream, const Error& why) override;

 private:
  class Face;
  StreamOpener& opener_;
  std::map<std::string, StreamAccepted, std::less<>> accepting_;
  std::unordered_map<std::uint64_t, StreamOpened> opening_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Face>> streams_;
  std::uint64_t next_ = 1;
};

}  // namespace p2pa
