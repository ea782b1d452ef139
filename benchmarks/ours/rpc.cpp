#include <algorithm>
#include <optional>

#include "cases.hpp"
#include "node.hpp"
#include "usage.hpp"

namespace bench {
namespace {

constexpr std::int64_t kWarmUpRounds = 200;

/// Unary calls, each on a stream of its own, so many in flight.
class Calls {
 public:
  Calls(p2pa::Node& node, const p2pa::PeerId& peer, const Options& options)
      : node_(node), peer_(peer), depth_(options.depth), request_(static_cast<std::size_t>(options.size), 7) {}

  void start(std::int64_t rounds) {
    times_.clear();
    times_.reserve(static_cast<std::size_t>(rounds));
    rounds_ = rounds;
    sent_ = 0;
    while (sent_ < std::min(rounds_, depth_)) send();
  }
  bool done() const { return static_cast<std::int64_t>(times_.size()) == rounds_; }
  std::vector<p2pa::Duration>& times() { return times_; }

 private:
  void send() {
    ++sent_;
    node_.call(peer_, kEchoMethod, request_, {},
               [this, start = now()](const p2pa::CallOutcome& outcome, p2pa::ByteView answer) {
                 if (!outcome.ok()) die("call: " + p2pa::describe(outcome.error));
                 if (answer.size() != request_.size()) die("another answer came back");
                 times_.push_back(now() - start);
                 if (sent_ < rounds_) send();
               });
  }

  p2pa::Node& node_;
  p2pa::PeerId peer_;
  std::int64_t depth_, rounds_ = 0, sent_ = 0;
  p2pa::Bytes request_;
  std::vector<p2pa::Duration> times_;
};

/// Messages on one open two-way call, so many in flight.
class Messages {
 public:
  Messages(p2pa::Node& node, const p2pa::PeerId& peer, const Options& options)
      : depth_(options.depth),
        message_(static_cast<std::size_t>(options.size), 7),
        starts_(static_cast<std::size_t>(options.depth)) {
    p2pa::CallHandler handler;
    handler.on_message = [this](p2pa::Call&, p2pa::ByteView) { receive(); };
    handler.on_end = [](p2pa::Call&, const p2pa::CallOutcome& outcome) {
      if (!outcome.ok()) die("call: " + p2pa::describe(outcome.error));
    };
    call_ = node.open_call(peer, kRelayMethod, {.deadline = {}}, std::move(handler));
  }

  void start(std::int64_t rounds) {
    times_.clear();
    times_.reserve(static_cast<std::size_t>(rounds));
    rounds_ = rounds;
    sent_ = 0;
    while (sent_ < std::min(rounds_, depth_)) send();
  }
  bool done() const { return static_cast<std::int64_t>(times_.size()) == rounds_; }
  std::vector<p2pa::Duration>& times() { return times_; }

 private:
  void send() {
    starts_[static_cast<std::size_t>(sent_++ % depth_)] = now();
    if (const auto sent = call_->send(message_); !sent) die("send: " + p2pa::describe(sent.error()));
  }
  void receive() {
    times_.push_back(now() - starts_[times_.size() % starts_.size()]);
    if (sent_ < rounds_) send();
  }

  std::int64_t depth_, rounds_ = 0, sent_ = 0;
  p2pa::Bytes message_;
  std::vector<p2pa::Instant> starts_;
  std::vector<p2pa::Duration> times_;
  p2pa::Call* call_ = nullptr;
};

template <class Exchange>
void run(const Options& options) {
  const auto node = open_node(Listen::kNowhere);
  Loop loop;
  loop.add(*node);
  const auto connection = dial(loop, *node, options.address);
  Exchange exchange(*node, connection.peer, options);
  exchange.start(kWarmUpRounds);
  loop.await([&] { return exchange.done(); });

  const Meter meter;
  exchange.start(options.rounds);
  loop.await([&] { return exchange.done(); });
  Json line{{"peer", "ours"}, {"case", options.case_name}, {"size", options.size},
            {"rounds", options.rounds}, {"depth", options.depth}};
  meter.add_to(line, options.rounds);
  line.update(percentiles_us(exchange.times()));
  print_line(line);
  loop.run_until_stdin_ends();
}

}  // namespace

void rpc(const Options& options) { run<Calls>(options); }
void messages(const Options& options) { run<Messages>(options); }

}  // namespace bench
