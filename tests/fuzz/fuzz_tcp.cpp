// A TCP endpoint among sockets that do anything, and two that talk over a road that may change what they say.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/input.hpp"
#include "support/tcp_end.hpp"

using namespace p2pa;
using fuzz::Input;
using test::TcpEnd;
using test::TcpEnds;

namespace {

using Kind = ConnectionEvent::Kind;
using State = TcpEnd::Socket::State;

using enum Security;
const std::vector<Security> kSecurities[] = {{kNoise}, {kTls}, {kNoise, kTls}, {kTls, kNoise}};

/// What a peer may say at the begin to get further than noise would.
constexpr std::string_view kWords[] = {
    "\x13/multistream/1.0.0\n", "\x07/noise\n", "\x0b/tls/1.0.0\n", "\x03na\n", "\x0d/yamux/1.0.0\n",
    std::string_view("\x00\x20", 2), std::string_view("\x00\x00", 2), "\x16\x03\x03\x10\x01", "\x15\x03\x03"};

Limits small() {
  Limits limits;
  limits.handshakes_max = 6;
  limits.handshakes_per_ip_max = 4;
  limits.memory_max = limits.memory_per_peer_max = 1 << 20;
  return limits;
}

std::size_t size_of(Input& input) {
  const std::size_t n = input.byte();
  return n < 128 ? n + 1 : (n - 127) * 1024;
}

void check(const TcpEnd& end) {
  P2PA_ASSERT(end.resources.usage().memory <= end.resources.limits().memory_max);
  P2PA_ASSERT(end.resources.usage().handshakes <= end.resources.limits().handshakes_max);
}

/// Whatever sockets there are: after a while without a word from anybody nothing is left.
void wind_up(TcpEnd& end) {
  end.settle();
  end.run_for(minutes(2));
  P2PA_ASSERT(end.is_unused());
  P2PA_ASSERT(end.endpoint.next_deadline() == kNever && !end.endpoint.has_events());
  for (const auto& [id, socket] : end.sockets) {
    P2PA_ASSERT(socket.state != State::kOpen && socket.state != State::kConnecting);
  }
  P2PA_ASSERT(end.told.connections.empty());
}

class Sockets {
 public:
  explicit Sockets(Input& input) : input_(input), end_(1, input.choose(kSecurities), small()) {}

  void run() {
    for (int steps = 0; steps < 300 && !input_.empty(); ++steps) {
      step();
      check(end_);
    }
    wind_up(end_);
  }

 private:
  void step() {
    const std::uint8_t what = input_.byte();
    end_.eager = what % 3 != 0;
    switch (what / 16) {
      case 0: return static_cast<void>(end_.accept(what % 2 == 0 ? "192.0.2.8:1" : "[2001:db8::1]:1"));
      case 1:
        if (end_.endpoint.connections_count() < 8) end_.dial(KeyPair::from_seed(Bytes(32, 3)).peer_id());
        return;
      case 2: return on(State::kConnecting, [&](SocketId id) { end_.connected(id); });
      case 3: return on(State::kOpen, [&](SocketId id) { end_.end(id); });
      case 4:
        if (what % 4 != 0) return end_.settle();
        return on(State::kConnecting, [&](SocketId id) { end_.lost(id); });
      case 5: return on(State::kOpen, [&](SocketId id) { end_.lost(id); });
      case 6:
      case 7:
        end_.swift = what % 4 == 0;
        return on(State::kOpen, [&](SocketId id) {
          if (end_.sockets.at(id).writing) end_.written(id);
        });
      case 8: return end_.run_for(milliseconds(input_.byte() * 50));
      case 9:
        if (Connection* const connection = end_.told.connection()) connection->close(input_.byte(), "");
        return;
      case 10:
      case 11:
      case 12: {
        const std::string_view word = input_.choose(kWords);
        return on(State::kOpen, [&](SocketId id) { end_.bytes(id, as_bytes(word)); });
      }
      case 13: {
        const Bytes many(size_of(input_) * 2, input_.byte());
        return on(State::kOpen, [&](SocketId id) { end_.bytes(id, many); });
      }
      default: {
        const ByteView some = input_.take(input_.byte());
        return on(State::kOpen, [&](SocketId id) { end_.bytes(id, some); });
      }
    }
  }
  /// One of those in that state, if there is one.
  template <class Do>
  void on(State state, Do&& what) {
    std::vector<SocketId> fitting;
    for (const auto& [id, socket] : end_.sockets) {
      if (socket.state == state) fitting.push_back(id);
    }
    if (!fitting.empty()) what(input_.choose(fitting));
  }

  Input& input_;
  TcpEnd end_;
};

class Conversation {
 public:
  explicit Conversation(Input& input)
      : input_(input), ends_(input.choose(kSecurities), input.choose(kSecurities), small()) {
    ends_.b.told.echo = true;
  }

  void run() {
    ends_.a.dial(ends_.b.key.peer_id());
    ends_.a.settle();
    for (int steps = 0; steps < 200 && !input_.empty(); ++steps) {
      meet();
      step();
      check(ends_.a);
      check(ends_.b);
    }
    if (honest_) {
      meet();
      ends_.a.swift = ends_.b.swift = true;
      free_writes(ends_.a);
      free_writes(ends_.b);
      ends_.run();
      check_echoes(true);
    }
    for (TcpEnd* const end : {&ends_.a, &ends_.b}) {
      end->eager = true;
      if (Connection* const connection = end->told.connection()) connection->close(1, "");
      wind_up(*end);
    }
  }

 private:
  struct Said {
    StreamId id;
    std::string text;
    bool finished = false;
  };

  /// Connects the socket that was dialed last, once.
  void meet() {
    const SocketId dialed = ends_.a.dialed();
    if (dialed == ends_.at_a || ends_.a.state(dialed) != State::kConnecting) return;
    ends_.join(dialed);
  }
  void step() {
    const std::uint8_t what = input_.byte();
    TcpEnd& end = what % 2 == 0 ? ends_.a : ends_.b;
    switch (what / 2 % 10) {
      case 0:
      case 1: return ends_.run(size_of(input_));
      case 2: return tamper(end);
      case 3: return open();
      case 4:
      case 5: return write();
      case 6:
        if (!said_.empty()) finish(input_.choose(said_));
        return;
      case 7:
        end.swift = input_.byte() % 2 == 0;
        return free_writes(end);
      case 8:
        honest_ = honest_ && input_.byte() % 8 != 0;
        if (!honest_ && end.told.connection() != nullptr) end.told.connection()->close(2, "");
        return end.settle();
      default: {
        const Duration time = milliseconds(input_.byte());
        ends_.a.run_for(time);
        ends_.b.run_for(time);
      }
    }
  }
  static void free_writes(TcpEnd& end) {
    for (const auto& [id, socket] : end.sockets) {
      if (socket.writing && socket.state == State::kOpen) end.written(id);
    }
  }
  void tamper(TcpEnd& from) {
    if (ends_.at_a == 0) return;
    Bytes& bytes = from.sockets.at(&from == &ends_.a ? ends_.at_a : ends_.at_b).out;
    const std::uint8_t change = input_.byte();
    if (bytes.empty() || change % 16 != 1) return;
    bytes[input_.byte() % bytes.size()] ^= change;
    honest_ = false;
  }
  Connection* dialer() {
    Connection* const connection = ends_.a.told.connection();
    return connection != nullptr && connection->established() ? connection : nullptr;
  }
  void open() {
    Connection* const connection = dialer();
    if (connection == nullptr) return;
    if (const auto id = connection->open_stream(false)) said_.push_back({*id, {}});
  }
  void write() {
    Connection* const connection = dialer();
    if (connection == nullptr || said_.empty()) return;
    Said& said = input_.choose(said_);
    if (said.finished || said.text.size() > 60'000) return;
    std::string text(size_of(input_) % 30'000, '\0');
    const std::size_t begin = said.text.size() + said.id;
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>((begin + i) * 11);
    const auto taken = connection->write(said.id, as_bytes(text));
    if (taken) said.text += text.substr(0, *taken);
    ends_.a.settle();
    check_echoes(false);
  }
  void finish(Said& said) {
    Connection* const connection = dialer();
    if (connection == nullptr) return;
    connection->finish(said.id);
    said.finished = true;
    ends_.a.settle();
  }
  /// Nothing comes back that was not said, and in the end all of it does.
  void check_echoes(bool all) {
    for (const auto& [which, box] : ends_.a.told.inboxes) {
      const auto said = std::ranges::find(said_, which.second, &Said::id);
      P2PA_ASSERT(said != said_.end() && said->text.starts_with(box.text));
      P2PA_ASSERT(!all || !dialer() || box.text == said->text);
      P2PA_ASSERT(!all || !dialer() || box.ended == said->finished);
    }
  }

  Input& input_;
  TcpEnds ends_;
  std::vector<Said> said_;
  bool honest_ = true;  // so is the road, and nobody closes
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  if (input.byte() % 2 == 0) {
    Sockets(input).run();
  } else {
    Conversation(input).run();
  }
  return 0;
}
