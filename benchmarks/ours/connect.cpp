#include <list>
#include <optional>
#include <sstream>

#include "cases.hpp"
#include "node.hpp"
#include "usage.hpp"

namespace bench {
namespace {

/// Dials and has one byte echoed on a new stream, and notes when each was there.
class FirstAnswer {
 public:
  FirstAnswer(p2pa::Node& node, const p2pa::Multiaddr& address) : start_(now()) {
    node.dial(address, [this, &node](p2pa::Result<p2pa::ConnectionInfo> dialed) {
      if (!dialed) die("dial: " + p2pa::describe(dialed.error()));
      handshake_ = now() - start_;
      node.open_stream(dialed->peer, kEchoProtocol, [this](p2pa::Result<p2pa::AgentStream*> stream) {
        if (!stream) die("no stream: " + p2pa::describe(stream.error()));
        exchange(**stream);
      });
    });
  }
  FirstAnswer(const FirstAnswer&) = delete;
  FirstAnswer& operator=(const FirstAnswer&) = delete;

  bool done() const { return over_; }
  p2pa::Duration handshake() const { return handshake_; }
  p2pa::Duration answer() const { return answer_; }

 private:
  void exchange(p2pa::AgentStream& stream) {
    stream.set_handler({.on_readable = [this](p2pa::AgentStream& s) {
                          if (s.peek().empty()) return;
                          answer_ = now() - start_;
                          s.consume(s.peek().size());
                        },
                        .on_writable = {},
                        .on_end = [this](p2pa::AgentStream&, const p2pa::Error& why) {
                          if (why.code != p2pa::Code::kOk) die("echo: " + p2pa::describe(why));
                          over_ = true;
                        }});
    const std::uint8_t byte = 7;
    static_cast<void>(stream.write({&byte, 1}));
    stream.finish();
  }

  p2pa::Instant start_;
  p2pa::Duration handshake_{}, answer_{};
  bool over_ = false;
};

p2pa::Multiaddr parse(const std::string& address) {
  const auto parsed = p2pa::Multiaddr::parse(address);
  if (!parsed || !parsed->peer_id()) die("not an address with /p2p/<id>: " + address);
  return *parsed;
}

/// One dial after the other by one of those that run side by side.
struct Lane {
  std::unique_ptr<p2pa::Node> node;
  std::optional<FirstAnswer> dialing;
  bool closing = false;
};

/// Each dial from a node of its own, made beforehand: nothing to resume, as of the peers beside us.
/// Or again and again from one node, which resumes.
class Dials {
 public:
  Dials(const Options& options)
      : address_(parse(options.address)),
        resume_(options.resume != 0),
        left_(options.count_or(500)),
        lanes_(static_cast<std::size_t>(options.parallel)) {
    for (std::int64_t i = 0; i < (resume_ ? options.parallel : left_); ++i) {
      nodes_.push_back(open_node(Listen::kNowhere));
      static_cast<void>(nodes_.back()->poll(p2pa::Duration{0}));
    }
    for (Lane& lane : lanes_) take_node(lane);
  }

  /// Moves every lane on; true when all is done.
  bool step() {
    bool busy = false;
    for (Lane& lane : lanes_) busy |= advance(lane);
    return !busy;
  }
  Loop& loop() { return loop_; }
  std::vector<p2pa::Duration>& handshakes() { return handshakes_; }
  std::vector<p2pa::Duration>& answers() { return answers_; }

 private:
  void take_node(Lane& lane) {
    if (nodes_.empty()) return;
    lane.node = std::move(nodes_.front());
    nodes_.pop_front();
    loop_.add(*lane.node);
  }

  bool advance(Lane& lane) {
    if (lane.closing && !lane.node->connections().empty()) return true;
    if (lane.closing) {
      lane.closing = false;
      if (!resume_ && !nodes_.empty()) retire(lane);
    }
    if (lane.dialing && lane.dialing->done()) {
      handshakes_.push_back(lane.dialing->handshake());
      answers_.push_back(lane.dialing->answer());
      lane.dialing.reset();
      lane.node->disconnect(*address_.peer_id());
      return lane.closing = true;
    }
    if (lane.dialing) return true;
    if (left_ == 0) return false;
    --left_;
    lane.dialing.emplace(*lane.node, address_);
    return true;
  }

  void retire(Lane& lane) {
    loop_.remove(*lane.node);
    retired_.push_back(std::move(lane.node));
    take_node(lane);
  }

  p2pa::Multiaddr address_;
  bool resume_;
  std::int64_t left_;
  Loop loop_;
  std::list<std::unique_ptr<p2pa::Node>> nodes_, retired_;
  std::vector<Lane> lanes_;
  std::vector<p2pa::Duration> handshakes_, answers_;
};

void first_answer(Loop& loop, p2pa::Node& node, const std::string& address) {
  const FirstAnswer dialing(node, parse(address));
  loop.await([&] { return dialing.done(); });
}

/// The addresses of so many nodes more, each in need of a connection of its own.
std::vector<std::string> more_addresses(Loop& loop, p2pa::Node& node, const p2pa::PeerId& peer,
                                        std::int64_t count) {
  std::optional<std::string> text;
  node.call(peer, kMoreMethod, p2pa::as_bytes(std::to_string(count)), {.deadline = {}},
            [&](const p2pa::CallOutcome& outcome, p2pa::ByteView answer) {
              if (!outcome.ok()) die("more: " + p2pa::describe(outcome.error));
              text = std::string(p2pa::as_text(answer));
            });
  loop.await([&] { return text.has_value(); });
  std::vector<std::string> addresses;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) addresses.push_back(line);
  return addresses;
}

}  // namespace

void connect(const Options& options) {
  Dials dials(options);
  const Meter meter;
  dials.loop().await([&] { return dials.step(); });
  const auto count = static_cast<std::int64_t>(dials.answers().size());
  Json line{{"peer", "ours"}, {"case", "connect"}, {"count", count},
            {"parallel", options.parallel}, {"resume", options.resume != 0}};
  meter.add_to(line, count);
  line.update(percentiles_us(dials.handshakes(), "handshake_"));
  line.update(percentiles_us(dials.answers()));
  print_line(line);
  dials.loop().run_until_stdin_ends();
}

/// One node here with a connection to each of many there, or many here with one each to the one there.
void idle(const Options& options) {
  const std::int64_t count = options.count_or(200);
  Loop loop;
  std::list<std::unique_ptr<p2pa::Node>> nodes;
  nodes.push_back(open_node(Listen::kNowhere));
  p2pa::Node& first = *nodes.front();
  loop.add(first);
  first_answer(loop, first, options.address);
  std::vector<std::string> addresses;
  if (options.outward != 0) {
    const p2pa::PeerId peer = *parse(options.address).peer_id();
    addresses = more_addresses(loop, first, peer, count + 1);
    first_answer(loop, first, addresses.back());
    addresses.pop_back();
  }
  const std::int64_t rss_before = rss_kib();
  for (std::int64_t i = 0; i < count; ++i) {
    if (options.outward == 0) {
      nodes.push_back(open_node(Listen::kNowhere));
      loop.add(*nodes.back());
    }
    first_answer(loop, *nodes.back(), options.outward != 0 ? addresses[static_cast<std::size_t>(i)] : options.address);
  }
  const std::int64_t rss_after = rss_kib();
  Json line{{"peer", "ours"}, {"case", "idle"}, {"count", count}, {"outward", options.outward != 0},
            {"rss_before_kib", rss_before}, {"rss_after_kib", rss_after}};
  line[options.outward != 0 ? "kib_each" : "kib_each_node"] =
      static_cast<double>(rss_after - rss_before) / static_cast<double>(count);
  print_line(line);
  loop.run_until_stdin_ends();
  for (const auto& node : nodes) close_node(loop, *node);
}

/// What a connection sends that nobody uses, both ends together.
void quiet(const Options& options) {
  const p2pa::Duration settle = p2pa::seconds(3);
  const auto node = open_node(Listen::kNowhere);
  Loop loop;
  loop.add(*node);
  first_answer(loop, *node, options.address);
  const auto packets = [&] {
    const p2pa::ConnectionInfo info = node->connections().at(0);
    return info.packets_sent + info.packets_received;
  };
  p2pa::Instant end = now() + settle;
  loop.run_until([&] { return now() >= end; });
  const std::uint64_t before = packets();
  end = now() + p2pa::seconds(options.seconds);
  loop.run_until([&] { return now() >= end; });
  const std::uint64_t count = packets() - before;
  print_line({{"peer", "ours"}, {"case", "quiet"}, {"seconds", options.seconds}, {"packets", count},
              {"per_s", static_cast<double>(count) / static_cast<double>(options.seconds)}});
  loop.run_until_stdin_ends();
}

}  // namespace bench
