#include "node/agent_streams.hpp"

#include <utility>

namespace p2pa {

class AgentStreams::Face final : public AgentStream {
 public:
  Face(std::uint64_t id, Stream& stream) : id_(id), stream_(stream) {}

  std::uint64_t id() const override { return id_; }
  const PeerId& peer() const override { return stream_.peer(); }
  std::string_view protocol() const override { return stream_.protocol(); }
  ByteView peek() const override { return stream_.peek(); }
  void consume(std::size_t n) override { stream_.consume(n); }
  bool at_end() const override { return stream_.at_end(); }
  Result<std::size_t> write(ByteView bytes) override { return stream_.write(bytes); }
  std::size_t writable() const override { return stream_.writable(); }
  void finish() override { stream_.finish(); }
  void reset(std::uint64_t code) override { stream_.reset(code); }
  void set_priority(Priority priority) override { stream_.set_priority(priority); }
  void set_handler(AgentStreamHandler handler) override {
    // A function that replaces itself must live until it returns.
    if (running_) {
      replacement_ = std::move(handler);
    } else {
      handler_ = std::move(handler);
    }
  }

  void readable() { run(handler_.on_readable, *this); }
  void writable_again() { run(handler_.on_writable, *this); }
  void end(const Error& why) { run(handler_.on_end, *this, why); }

 private:
  template <class Function, class... Arguments>
  void run(Function& function, Arguments&&... arguments) {
    if (!function) return;
    running_ = true;
    function(arguments...);
    running_ = false;
    if (replacement_) handler_ = std::move(*std::exchange(replacement_, std::nullopt));
  }

  std::uint64_t id_;
  Stream& stream_;
  AgentStreamHandler handler_;
  std::optional<AgentStreamHandler> replacement_;
  bool running_ = false;
};

AgentStreams::AgentStreams(StreamOpener& opener) : opener_(opener) {}

AgentStreams::~AgentStreams() = default;

void AgentStreams::serve(std::string protocol, StreamAccepted accepted) {
  accepting_.insert_or_assign(std::move(protocol), std::move(accepted));
}

void AgentStreams::open(const PeerId& peer, std::string_view protocol, StreamOpened opened) {
  const std::uint64_t id = next_++;
  opening_.emplace(id, std::move(opened));
  opener_.open_stream(peer, protocol, *this, id, {});
}

AgentStream* AgentStreams::find(std::uint64_t id) {
  const auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second.get();
}

void AgentStreams::on_stream_open(Instant, Stream& stream) {
  const std::uint64_t id = stream.outbound() ? stream.tag() : next_++;
  stream.set_tag(id);
  Face& face = *streams_.emplace(id, std::make_unique<Face>(id, stream)).first->second;
  if (!stream.outbound()) {
    accepting_.find(stream.protocol())->second(face);
    return;
  }
  auto opening = opening_.extract(id);
  opening.mapped()(&face);
}

void AgentStreams::on_stream_failed(Instant, std::uint64_t tag, const Error& why) {
  auto opening = opening_.extract(tag);
  if (opening) opening.mapped()(std::unexpected(why));
}

void AgentStreams::on_readable(Instant, Stream& stream) {
  streams_.at(stream.tag())->readable();
}

void AgentStreams::on_writable(Instant, Stream& stream) {
  streams_.at(stream.tag())->writable_again();
}

void AgentStreams::on_stream_closed(Instant, Stream& stream, const Error& why) {
  auto face = streams_.extract(stream.tag());
  face.mapped()->end(why);
}

}  // namespace p2pa
