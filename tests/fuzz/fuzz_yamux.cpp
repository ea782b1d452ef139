// One session fed with anything between an application's calls, and two that talk through cuts of any size.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "fuzz/input.hpp"
#include "support/yamux_end.hpp"

using namespace p2pa;
using namespace p2pa::yamux;
using fuzz::Input;
using test::YamuxEnd;
using test::YamuxFrame;

namespace {

using Kind = ConnectionEvent::Kind;

Limits limits_of(Input& input) {
  Limits limits;
  limits.memory_max = (1 + input.byte() % 8) * 64 * 1024;
  limits.send_buffer_max = (1 + input.byte() % 32) * 4096;
  limits.streams_inbound_per_connection_max = 1 + input.byte() % 8;
  limits.stream_window = std::size_t{input.byte()} << 14;
  limits.connection_window = std::size_t{input.byte()} << 15;
  return limits;
}

std::size_t size_of(Input& input) {
  const std::size_t n = input.byte();
  return n < 128 ? n : (n - 127) * 2048;
}

/// What an end may send, read off everything that came for it, in whatever pieces.
class Ledger {
 public:
  void hear(ByteView bytes) {
    while (!bytes.empty()) {
      if (body_ > 0) {
        const std::size_t n = std::min<std::size_t>(body_, bytes.size());
        body_ -= static_cast<std::uint32_t>(n);
        bytes = bytes.subspan(n);
        continue;
      }
      header_.push_back(bytes.front());
      bytes = bytes.subspan(1);
      if (header_.size() < kFrameHeaderSize) continue;
      const auto frame = decode_frame(ByteView(header_).first<kFrameHeaderSize>());
      header_.clear();
      if (!frame) continue;  // and the session has ended
      if (frame->type == FrameType::kData) body_ = frame->length;
      if (frame->has(kSyn)) credit_[frame->stream] += kWindowInitial;
      if (frame->type == FrameType::kWindowUpdate) credit_[frame->stream] += frame->length;
    }
  }
  void say(const std::vector<YamuxFrame>& frames) {
    std::size_t answers = 0;
    for (const auto& [head, body] : frames) {
      if (head.has(kSyn)) credit_[head.stream] += kWindowInitial;
      if (head.type != FrameType::kData) ++answers;
      P2PA_ASSERT(body.size() <= credit_[head.stream]);
      credit_[head.stream] -= body.size();
    }
    // Ours come on top: a ping for each frame of data at most, and of each stream what it owes.
    P2PA_ASSERT(answers <= kAnswersMax + kPingsMax + 2 * kOutboundStreamsMax + 64);
  }

 private:
  Bytes header_;
  std::uint32_t body_ = 0;
  std::map<std::uint32_t, std::uint64_t> credit_;
};

/// An application that does what the input says.
class Alone {
 public:
  explicit Alone(Input& input) : input_(input), end_({.dialer = input.byte() % 2 == 1}, limits_of(input)) {}

  void run() {
    for (int steps = 0; alive_ && steps < 2000 && !input_.empty(); ++steps) {
      step();
      P2PA_ASSERT(end_.resources.usage().memory <= end_.resources.limits().memory_max);
      P2PA_ASSERT(end_.session.next_deadline() > end_.now || !alive_);
    }
    if (input_.byte() % 2 == 0) end_.session.go_away(1);
    end_.detach();
    fill(65'536);
    tell();
    for (const StreamId id : streams_) {
      while (!end_.peek(id).empty()) end_.consume(id, end_.peek(id).size());
      end_.finish(id);
      end_.reset(id, 1);
    }
    tell();
    end_.tidy();
    P2PA_ASSERT(end_.resources.usage() == LimitUsage{} && end_.fill().empty());
  }

 private:
  void step() {
    switch (input_.byte() % 16) {
      case 0: return hear(input_.take(input_.byte()));
      case 1:
      case 2:
      case 3: return hear_frame();
      case 4:
        if (const auto id = end_.open_stream(false)) streams_.push_back(*id);
        return;
      case 5:
      case 6: return write();
      case 7: return consume();
      case 8: return end_.finish(any());
      case 9: return end_.reset(any(), input_.byte());
      case 10: return end_.stop(any(), input_.byte());
      case 11: return fill(kFrameRoomMin + size_of(input_) % 65'000);
      case 12: return pass_time();
      case 13: return tell();
      case 14: return end_.ask_delivery();
      default: static_cast<void>(end_.await_room(any(), size_of(input_)));
    }
  }
  StreamId any() { return streams_.empty() ? 1 : streams_[input_.byte() % streams_.size()]; }
  void hear(ByteView bytes) {
    ledger_.hear(bytes);
    alive_ = end_.receive(bytes).has_value();
  }
  /// Mostly of a stream that there is, and in pieces.
  void hear_frame() {
    Frame frame;
    frame.type = static_cast<FrameType>(input_.byte() % 4);
    frame.flags = input_.byte() % 16;
    frame.stream = frame.type >= FrameType::kPing ? 0 : 1 + input_.byte() % 12;
    frame.length = static_cast<std::uint32_t>(size_of(input_));
    const bool data = frame.type == FrameType::kData;
    const Bytes bytes = test::bytes_of(frame, Bytes(data ? frame.length : 0, 0x55));
    const std::size_t cut = std::max<std::size_t>(size_of(input_), 1);
    for (std::size_t at = 0; alive_ && at < bytes.size(); at += cut) {
      hear(ByteView(bytes).subspan(at, std::min(cut, bytes.size() - at)));
      if (input_.byte() % 4 == 0) tell();
      if (input_.byte() % 4 == 0) consume();
    }
  }
  void write() {
    const StreamId id = any();
    const Bytes bytes(size_of(input_), 0xaa);
    const std::size_t room = end_.writable(id);
    const auto taken = end_.write(id, bytes);
    P2PA_ASSERT(!taken || *taken == std::min(room, bytes.size()));
  }
  void consume() {
    const StreamId id = any();
    end_.consume(id, std::min(end_.peek(id).size(), size_of(input_)));
  }
  void fill(std::size_t room) { ledger_.say(end_.sent(room)); }
  void pass_time() {
    end_.now = end_.now + milliseconds(input_.byte() * 100);
    alive_ = end_.session.on_deadline(end_.now).has_value();
  }
  void tell() {
    ConnectionEvent event;
    while (end_.poll_event(event)) {
      if (event.kind == Kind::kStreamOpened) streams_.push_back(event.stream);
      if (event.kind == Kind::kStreamClosed) {
        P2PA_ASSERT(std::erase(streams_, event.stream) == 1);
        P2PA_ASSERT(end_.peek(event.stream).empty());
      } else if (event.stream != 0) {
        P2PA_ASSERT(std::ranges::count(streams_, event.stream) == 1);
      }
    }
  }

  Input& input_;
  YamuxEnd end_;
  Ledger ledger_;
  std::vector<StreamId> streams_;
  bool alive_ = true;
};

/// A stream of a conversation: the first byte that its opener says is its index.
struct Talk {
  std::array<StreamId, 2> id{};  // at either end; the acceptor's is known when it has read the first byte
  std::array<std::size_t, 2> written{}, read{};
  std::array<bool, 2> finished{}, ended{};
  bool given_up = false;
};

class Two {
 public:
  explicit Two(Input& input)
      : input_(input),
        window_(kWindowInitial << input.byte() % 3),
        ends_{YamuxEnd({.dialer = true}, limits(window_)), YamuxEnd({}, limits(window_))} {}

  void run() {
    for (int steps = 0; steps < 500 && !input_.empty(); ++steps) step();
    for (bool moved = true; moved;) {
      moved = carry(0, SIZE_MAX);
      moved |= carry(1, SIZE_MAX);
      for (std::size_t side : {0, 1}) {
        for (std::size_t i = 0; i < talks_.size(); ++i) moved |= read(side, i, SIZE_MAX);
      }
    }
    for (const Talk& talk : talks_) {
      for (std::size_t side : {0, 1}) {
        P2PA_ASSERT(talk.given_up || talk.read[1 - side] == talk.written[side]);
        P2PA_ASSERT(talk.given_up || talk.ended[1 - side] == talk.finished[side]);
      }
    }
  }

 private:
  static Limits limits(std::size_t window) {
    Limits limits;
    limits.stream_window = window;
    limits.send_buffer_max = 1 << 20;
    return limits;
  }
  static std::uint8_t byte_at(std::size_t talk, std::size_t side, std::size_t offset) {
    if (offset == 0) return static_cast<std::uint8_t>(talk);
    return static_cast<std::uint8_t>(offset * 13 + (offset >> 8) + talk * 5 + side);
  }

  void step() {
    const std::uint8_t what = input_.byte();
    const std::size_t side = what / 16 % 2;
    switch (what % 16) {
      case 0:
      case 1: return open(side);
      case 2:
      case 3:
      case 4:
      case 5: return write(side);
      case 6:
      case 7:
        if (!talks_.empty()) read(side, input_.byte() % talks_.size(), size_of(input_));
        return;
      case 8: return finish(side);
      case 9: return give_up(side);
      case 10: {
        const Duration time = milliseconds(input_.byte());
        for (YamuxEnd& end : ends_) end.now = end.now + time;
        return;
      }
      case 11: return ends_[side].ask_delivery();
      default: carry(side, size_of(input_));
    }
  }
  void open(std::size_t side) {
    if (talks_.size() == 255) return;
    const auto id = ends_[side].open_stream(false);
    if (!id) return;
    Talk talk;
    talk.id[side] = *id;
    const std::uint8_t name = byte_at(talks_.size(), side, 0);
    talk.written[side] = ends_[side].write(*id, ByteView(&name, 1)).value();
    P2PA_ASSERT(talk.written[side] == 1);
    talks_.push_back(talk);
  }
  void write(std::size_t side) {
    if (talks_.empty()) return;
    const std::size_t index = input_.byte() % talks_.size();
    Talk& talk = talks_[index];
    if (talk.id[side] == 0 || talk.finished[side] || talk.given_up) return;
    Bytes bytes(size_of(input_));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(index, side, talk.written[side] + i);
    talk.written[side] += ends_[side].write(talk.id[side], bytes).value();
  }
  void finish(std::size_t side) {
    if (talks_.empty()) return;
    Talk& talk = input_.choose(talks_);
    if (talk.id[side] == 0 || talk.given_up) return;
    ends_[side].finish(talk.id[side]);
    talk.finished[side] = true;
  }
  void give_up(std::size_t side) {
    if (talks_.empty()) return;
    Talk& talk = input_.choose(talks_);
    if (talk.id[side] == 0) return;
    talk.given_up = true;
    input_.byte() % 2 == 0 ? ends_[side].reset(talk.id[side], 1) : ends_[side].stop(talk.id[side], 1);
  }
  bool read(std::size_t side, std::size_t index, std::size_t most) {
    Talk& talk = talks_[index];
    if (talk.id[side] == 0) return false;
    YamuxEnd& end = ends_[side];
    bool moved = false;
    while (most > 0 && !end.peek(talk.id[side]).empty()) {
      const ByteView bytes = end.peek(talk.id[side]).first(std::min(most, end.peek(talk.id[side]).size()));
      for (const std::uint8_t byte : bytes) P2PA_ASSERT(byte == byte_at(index, 1 - side, talk.read[side]++));
      most -= bytes.size();
      end.consume(talk.id[side], bytes.size());
      moved = true;
    }
    talk.ended[side] |= end.at_end(talk.id[side]);
    tell(side);
    return moved;
  }
  /// What an end has to say, and the first `most` bytes of what has not arrived.
  bool carry(std::size_t from, std::size_t most) {
    const Bytes said = ends_[from].fill(300'000);  // a frame may be as large as a window
    check_credit(from, test::frames_of(said));
    Bytes& way = ways_[from];
    way.insert(way.end(), said.begin(), said.end());
    const std::size_t n = std::min(most, way.size());
    P2PA_ASSERT(ends_[1 - from].receive(ByteView(way).first(n)).has_value());
    way.erase(way.begin(), way.begin() + static_cast<std::ptrdiff_t>(n));
    tell(1 - from);
    return n > 0;
  }
  /// Nobody says more than was granted, and nobody grants more than a window beyond what was read.
  void check_credit(std::size_t from, const std::vector<YamuxFrame>& frames) {
    for (const auto& [head, body] : frames) {
      if (head.stream == 0) continue;
      if (head.has(kSyn)) wires_[head.stream] = {body.at(0), {}, {kWindowInitial, kWindowInitial}};
      Wire& wire = wires_.at(head.stream);
      wire.sent[from] += body.size();
      P2PA_ASSERT(wire.sent[from] <= wire.granted[from]);
      if (head.type != FrameType::kWindowUpdate || head.has(kRst)) continue;
      wire.granted[1 - from] += head.length;
      const Talk& talk = talks_[wire.talk];
      P2PA_ASSERT(talk.given_up || wire.granted[1 - from] <= talk.read[from] + window_);
    }
  }
  void tell(std::size_t side) {
    ConnectionEvent event;
    YamuxEnd& end = ends_[side];
    while (end.poll_event(event)) {
      if (event.kind == Kind::kStreamOpened) fresh_[side].push_back(event.stream);
      for (Talk& talk : talks_) {
        if (talk.id[side] != event.stream) continue;
        const bool aborted = event.kind == Kind::kStreamReset || event.kind == Kind::kStreamStopped;
        P2PA_ASSERT(!aborted || talk.given_up);
        if (event.kind == Kind::kStreamClosed) talk.ended[side] |= talk.finished[1 - side];
      }
    }
    std::erase_if(fresh_[side], [&](StreamId id) {
      if (end.peek(id).empty()) return false;
      const std::size_t index = end.peek(id).front();
      P2PA_ASSERT(index < talks_.size() && talks_[index].id[side] == 0);
      talks_[index].id[side] = id;
      return true;
    });
  }

  struct Wire {
    std::size_t talk;
    std::array<std::size_t, 2> sent, granted;  // by and to either end
  };

  Input& input_;
  const std::size_t window_;
  std::array<YamuxEnd, 2> ends_;
  std::array<Bytes, 2> ways_;
  std::vector<Talk> talks_;
  std::array<std::vector<StreamId>, 2> fresh_;
  std::map<std::uint32_t, Wire> wires_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  if (input.byte() % 2 == 0) {
    Alone(input).run();
  } else {
    Two(input).run();
  }
  return 0;
}
