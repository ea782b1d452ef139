#include "soak.hpp"

#include <string>
#include <vector>

#include "exchange.hpp"
#include "protocols.hpp"

namespace interop {
namespace {

// A stream that lives longer is stuck: others need milliseconds, beside whom it waits for its share.
constexpr p2pa::Duration kStuck = p2pa::seconds(20);

struct Soaked {
  Exchanging exchange;
  std::uint64_t size = 0;
  bool to_reset = false;
  p2pa::Instant begun{};
};

class Soak {
 public:
  explicit Soak(Session& s) : s_(s), begin_(s.node.now()), end_(begin_ + duration(s.options.soak_s)) {}

  Outcome run() {
    if (auto waited = s_.wait([this] { return step(); }); !waited) return waited;
    if (!problem_.empty()) return failed(problem_);
    s_.report["streams"] = opened_;
    s_.report["resets"] = resets_;
    s_.report["seconds"] = (s_.node.now() - begin_).seconds();
    return ping_same_connection(s_);
  }

 private:
  /// True when all is over.
  bool step() {
    std::erase_if(running_, [this](const Soaked& one) { return over(one); });
    const bool more = s_.node.now() < end_ && problem_.empty();
    while (more && running_.size() < static_cast<std::size_t>(s_.options.parallel)) open();
    return !problem_.empty() || (!more && running_.empty());
  }

  void open() {
    const auto each = static_cast<std::uint64_t>(s_.options.reset_every);
    const bool to_reset = each != 0 && opened_ % each == each - 1;
    Soaked one{std::make_shared<Exchange>(), opened_ % 10 == 4 ? 64u << 10 : 1024u, to_reset, s_.node.now()};
    ++opened_;
    one.exchange->to_send = one.size;
    one.exchange->keep_open = one.to_reset;
    start(s_, kEcho, one.exchange);
    running_.push_back(std::move(one));
  }

  bool over(const Soaked& one) {
    Exchange& exchange = *one.exchange;
    if (one.to_reset && exchange.stream != nullptr && exchange.received == one.size) {
      exchange.stream->reset(kResetCode);
      ++resets_;
      return true;
    }
    if (!exchange.ended) {
      if (s_.node.now() - one.begun > kStuck) problem_ = stuck(one);
      return false;
    }
    if (exchange.ended->code != p2pa::Code::kOk) problem_ = p2pa::describe(*exchange.ended);
    if (exchange.received != one.size) problem_ = "not all came back";
    return true;
  }

  static std::string stuck(const Soaked& one) {
    const Exchange& exchange = *one.exchange;
    return "a stream is stuck: " + std::string(exchange.stream == nullptr ? "not open" : "open") + ", " +
           std::to_string(exchange.to_send + exchange.pending.size()) + " of " + std::to_string(one.size) +
           " bytes not sent, " + std::to_string(exchange.received) + " back" + (exchange.at_end ? ", ended" : "");
  }

  Session& s_;
  const p2pa::Instant begin_, end_;
  std::vector<Soaked> running_;
  std::uint64_t opened_ = 0, resets_ = 0;
  std::string problem_;
};

}  // namespace

Outcome soak(Session& s) { return Soak(s).run(); }

}  // namespace interop
