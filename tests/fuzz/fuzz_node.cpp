// Events in any order for a whole node: datagrams of its partner, lost, repeated, reordered, mutilated and
// invented; effects that end well, badly, late, twice or were never asked for; deadlines early and late;
// and commands, at both ends. The input is the script.
#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "input.hpp"
#include "resource/manager.hpp"
#include "support/lan.hpp"

using namespace p2pa;
using fuzz::Input;
using test::Flight;
using test::Lan;
using test::LanHost;

namespace {

constexpr int kOperationsMax = 150;
constexpr const char* kProtocols[] = {"/raw/1",         "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0",
                                      "/ipfs/ping/1.0.0", "/perf/1.0.0",    "/p2pagents/rpc/1.0.0", "/none/1"};

Limits small_limits() {
  Limits limits;
  limits.connections_max = 4;
  limits.handshakes_max = 4;
  limits.streams_max = 24;
  limits.streams_inbound_per_connection_max = 16;
  limits.calls_max = 8;
  limits.memory_max = 64 * 1024;
  limits.message_bytes_max = 2000;
  limits.stream_window = limits.send_buffer_max = 16 * 1024;
  limits.connection_window = 32 * 1024;
  return limits;
}

/// A node on a machine, and the account of what was asked of it.
class Agent final {
 public:
  Agent(Lan& lan, Input& input, std::uint8_t number) : input_(input), number_(number) {
    NodeOptions options;
    options.key = KeyPair::from_seed(seed(number));
    options.listen = {listen_address()};
    options.limits = small_limits();
    options.serve_perf = true;
    auto core = std::make_unique<NodeCore>(std::move(options), seed(number + 100), 1'750'000'000, lan.now);
    node = std::make_unique<Node>(std::move(core), nullptr);
    host = std::make_unique<LanHost>(lan, node->core(), number);
    node->on_event([this](const NodeEvent& event) {
      P2PA_ASSERT(closed_ == 0);
      closed_ += event.kind == NodeEvent::Kind::kClosed ? 1 : 0;
    });
    node->on_datagram([](const PeerId&, ByteView) {});
    serve();
  }
  ~Agent() {
    host.reset();
    node.reset();
  }

  Multiaddr listen_address() const { return quic_multiaddr({address(number_), 4001, 0}); }
  static IpAddress address(std::uint8_t number) {
    IpAddress ip;
    ip.bytes = {192, 0, 2, number};
    return ip;
  }

  void command(const Agent& other) {
    const std::uint8_t how = input_.byte();
    const PeerId peer = how < 240 ? other.node->id() : node->id();
    switch (how % 20) {
      case 0: return node->dial(other.listen_address(), ended<Result<ConnectionInfo>>());
      case 1: return node->dial(peer, ended<Result<ConnectionInfo>>());
      case 2: return node->dial(quic_multiaddr({address(200), 9, 0}), ended<Result<ConnectionInfo>>());
      case 3:
      case 4: return call(peer);
      case 5: return open_call(peer);
      case 6:
      case 7: return act_on_call();
      case 8: {
        const ByteView message = input_.take(input_.byte());
        ++begun_;
        return node->notify(peer, "echo", message, [this](const CallOutcome&) { ++ended_; });
      }
      case 9:
      case 10: return open_stream(peer);
      case 11:
      case 12: return act_on_stream();
      case 13: return static_cast<void>(node->send_datagram(peer, input_.take(input_.byte())));
      case 14: return node->ping(peer, ended<Result<Duration>>());
      case 15: return node->perf(peer, input_.byte() * 100u, input_.byte() * 100u, ended<Result<PerfResult>>());
      case 16: return node->disconnect(peer);
      case 17: return static_cast<void>(node->listen(quic_multiaddr({address(number_), input_.byte(), 0})));
      case 18:
        node->stop_serving("echo");
        return how < 128 ? serve() : static_cast<void>(node->handle_protocol("/raw/2", {}));
      default:
        if (how == 59) node->close();
        return static_cast<void>(node->add_address(peer, how < 128 ? other.listen_address() : listen_address()));
    }
  }

  void check_bounds() {
    const Limits limits = small_limits();
    const auto& usage = node->core().resources().usage();
    P2PA_ASSERT(usage.connections <= limits.connections_max && usage.handshakes <= limits.handshakes_max);
    P2PA_ASSERT(usage.streams <= limits.streams_max && usage.calls <= limits.calls_max);
    P2PA_ASSERT(usage.memory <= limits.memory_max);
    P2PA_ASSERT(ended_ <= begun_);
  }

  /// A node that was closed has answered everything, once, and holds nothing.
  void check_end() {
    P2PA_ASSERT(node->closed() && closed_ == 1);
    P2PA_ASSERT(begun_ == ended_);
    const auto& usage = node->core().resources().usage();
    P2PA_ASSERT(usage.connections == 0 && usage.handshakes == 0 && usage.streams == 0);
    P2PA_ASSERT(usage.calls == 0 && usage.memory == 0);
    P2PA_ASSERT(node->connections().empty());
  }

  std::unique_ptr<Node> node;
  std::unique_ptr<LanHost> host;

 private:
  static std::array<std::uint8_t, 32> seed(int number) {
    std::array<std::uint8_t, 32> out{};
    out.fill(static_cast<std::uint8_t>(number));
    return out;
  }

  /// A completion, which comes once.
  template <class Answer>
  std::move_only_function<void(Answer)> ended() {
    ++begun_;
    return [this](Answer) {
      ++ended_;
      if (input_.byte() % 16 == 0) static_cast<void>(node->connections());
    };
  }

  void serve() {
    static_cast<void>(node->serve("echo", UnaryMethod([](const PeerId&, ByteView request) {
      return std::expected<Bytes, ApplicationError>(Bytes(request.begin(), request.end()));
    })));
    static_cast<void>(node->serve("talk", Method([this](Call& call) {
      ++begun_;
      calls_.push_back(call.id());
      call.set_handler(handler());
    })));
    static_cast<void>(node->handle_protocol("/raw/1", [this](AgentStream& stream) {
      ++begun_;
      own(stream);
    }));
  }

  CallHandler handler() {
    CallHandler handler;
    handler.on_message = [this](Call& call, ByteView) {
      if (input_.byte() % 4 == 0) act(call);
    };
    handler.on_finished = [](Call& call) { call.finish(); };
    handler.on_end = [this](Call&, const CallOutcome&) { ++ended_; };
    return handler;
  }

  void call(const PeerId& peer) {
    const std::uint8_t how = input_.byte();
    ++begun_;
    node->call(peer, how % 2 == 0 ? "echo" : "none", input_.take(how),
               {.deadline = milliseconds(how * 20), .replay_safe = how % 3 == 0},
               [this](const CallOutcome&, ByteView) { ++ended_; });
  }
  void open_call(const PeerId& peer) {
    ++begun_;
    calls_.push_back(node->open_call(peer, "talk", {.deadline = seconds(20)}, handler())->id());
  }
  void act_on_call() {
    if (calls_.empty()) return;
    if (Call* call = node->find_call(input_.choose(calls_))) act(*call);
  }
  void act(Call& call) {
    const std::uint8_t how = input_.byte();
    switch (how % 8) {
      case 0: return call.finish();
      case 1: return call.fail({how, "why", {}});
      case 2: return call.cancel();
      case 3: return call.pause();
      case 4: return call.resume();
      default: static_cast<void>(call.send(Bytes(how * 9u, 7)));
    }
  }

  void open_stream(const PeerId& peer) {
    ++begun_;
    node->open_stream(peer, input_.choose(kProtocols), [this](Result<AgentStream*> stream) {
      if (!stream) return static_cast<void>(++ended_);
      own(**stream);
    });
  }
  /// From now on its end is what completes it.
  void own(AgentStream& stream) {
    streams_.push_back(stream.id());
    AgentStreamHandler handler;
    handler.on_readable = [this](AgentStream& s) {
      if (input_.byte() % 4 == 3) return;  // this one is slow
      while (!s.peek().empty()) s.consume(s.peek().size());
    };
    handler.on_end = [this](AgentStream&, const Error&) { ++ended_; };
    stream.set_handler(std::move(handler));
  }
  void act_on_stream() {
    if (streams_.empty()) return;
    AgentStream* stream = node->find_stream(input_.choose(streams_));
    if (stream == nullptr) return;
    const std::uint8_t how = input_.byte();
    if (how == 0) return stream->finish();
    if (how == 1) return stream->reset(input_.byte());
    if (how == 2) return static_cast<void>(stream->write(Bytes(10'000, how)));
    static_cast<void>(stream->write(input_.take(how)));
  }

  Input& input_;
  const std::uint8_t number_;
  std::vector<CallId> calls_;
  std::vector<std::uint64_t> streams_;
  std::uint64_t begun_ = 0, ended_ = 0;
  int closed_ = 0;
};

class Run final {
 public:
  explicit Run(Input& input) : input_(input) {
    if (input_.byte() % 4 == 0) return;  // begins with nothing bound and nobody known
    settle(milliseconds(10));
    for (const auto& [from, to] : {std::pair(&a_, &b_), std::pair(&b_, &a_)}) {
      P2PA_ASSERT(from->node->add_address(to->node->id(), to->listen_address()).has_value());
    }
    a_.node->dial(b_.node->id(), [](Result<ConnectionInfo>) {});
    for (int i = 0; i < 6; ++i) settle(milliseconds(5));
    P2PA_ASSERT(a_.node->connections().size() == 1);
  }

  void operator()() {
    for (int i = 0; i < kOperationsMax && !input_.empty(); ++i) {
      operation();
      a_.check_bounds();
      b_.check_bounds();
    }
    // Whatever was done: a node that is closed comes to its end.
    a_.node->close();
    b_.node->close();
    for (int i = 0; i < 60; ++i) settle(milliseconds(500));
    a_.check_end();
    b_.check_end();
  }

 private:
  Agent& agent(std::uint8_t which) { return which < 170 ? a_ : b_; }

  void settle(Duration duration) {
    lan_.now = lan_.now + duration;
    for (int i = 0; i < 3; ++i) {
      a_.host->run();
      b_.host->run();
    }
  }

  void operation() {
    const std::uint8_t what = input_.byte();
    Agent& subject = agent(input_.byte());
    Agent& other = &subject == &a_ ? b_ : a_;
    LanHost& host = *subject.host;
    switch (what % 16) {
      case 0:
      case 1: return settle(milliseconds(what));
      case 2:
      case 3: return host.run();
      case 4:  // early, or late by as much as nobody ever slept
        if (what >= 128) lan_.now = lan_.now + milliseconds(what * 40);
        subject.node->core().on_deadline(lan_.now);
        return;
      case 5: return with_flight(host, Fate::kDeliver);
      case 6: return with_flight(host, Fate::kLose);
      case 7: return with_flight(host, Fate::kRepeat);
      case 8: return with_flight(host, Fate::kMutilate);
      case 9: return invent(subject, other);
      case 10: return effect(subject);
      case 11: return static_cast<void>(host.turn());
      default: return subject.command(other);
    }
  }

  enum class Fate : std::uint8_t { kDeliver, kLose, kRepeat, kMutilate };
  void with_flight(LanHost& host, Fate fate) {
    // Those that wait can be had in any order; without one, some that came before come again.
    auto& from = host.inbox.empty() ? host.recent : host.inbox;
    if (from.empty()) return;
    const std::size_t which = input_.byte() % from.size();
    Flight flight = from[which];
    if (!host.inbox.empty() && fate != Fate::kRepeat) {
      host.inbox.erase(host.inbox.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (fate == Fate::kLose) return;
    if (fate == Fate::kMutilate) mutilate(flight);
    std::size_t segment = flight.bytes.size();
    if (segment > 40 && input_.byte() % 8 == 7) segment /= 3;  // the system says it were several
    if (host.has(flight.to)) host.deliver(flight, segment);
  }
  void mutilate(Flight& flight) {
    const std::uint8_t cut = input_.byte();
    for (int flips = input_.byte() % 8; flips > 0; --flips) {
      flight.bytes[(input_.byte() * 7u) % flight.bytes.size()] ^= input_.byte();
    }
    if (cut < 64) flight.bytes.resize(1 + cut % flight.bytes.size());
    if (cut > 224) flight.from.port ^= cut;
    if (cut > 240) flight.from.ip.bytes[3] ^= cut;
  }
  void invent(Agent& subject, const Agent& other) {
    const std::uint8_t how = input_.byte();
    const ByteView bytes = input_.take(how);
    Flight flight{{how % 2 == 0 ? other.host->ip() : Agent::address(how), 4001, 0},
                  {subject.host->ip(), 4001, 0}, Ecn::kCe, Bytes(bytes.begin(), bytes.end())};
    if (how >= 192) flight.bytes.resize(1200);
    if (!flight.bytes.empty()) subject.host->deliver(flight, flight.bytes.size());
  }
  void effect(Agent& subject) {
    auto& waiting = subject.host->effects;
    const std::uint8_t how = input_.byte();
    if (how % 4 == 3 || waiting.empty()) {  // one that nobody asked for
      constexpr std::uint64_t kInterfaces = ~std::uint64_t{0};
      EffectDone done{.id = how < 64 ? kInterfaces : 1000u + how, .result = {}, .local = {}, .addresses = {}};
      done.local = {subject.host->ip(), how, 0};
      if (how >= 128) done.result = fail(Code::kIo, "on a whim");
      return subject.node->core().handle(lan_.now, std::move(done));
    }
    const Effect asked = std::move(waiting.front());
    waiting.pop_front();
    subject.host->complete(asked, how % 4 != 0);
    if (how % 4 == 2) {
      EffectDone again{.id = asked.id, .result = fail(Code::kIo, "again"), .local = {}, .addresses = {}};
      subject.node->core().handle(lan_.now, std::move(again));
    }
  }

  Input& input_;
  Lan lan_;
  Agent a_{lan_, input_, 1}, b_{lan_, input_, 2};
};

}  // namespace

/// Whatever happens to a node, it stays within its bounds, answers everything that it accepted exactly once,
/// and comes to its end with nothing left.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  Input input(ByteView(data, size));
  Run run(input);
  run();
  return 0;
}
