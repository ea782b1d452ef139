#include "shaping/shaper.hpp"

#include <catch2/catch.hpp>

#include <deque>
#include <memory>
#include <string>

using namespace p2pa;
using namespace p2pa::shaping;

namespace {

constexpr Instant kBegin{1'000'000'000};
constexpr Direction kOut = Direction::kOutbound, kIn = Direction::kInbound;

PeerId peer(std::uint8_t n) {
  const Bytes key(36, n);
  return PeerId::from_public_key(key);
}

/// A flow that always has more to move, or as much as it is given.
class Flow final : public Claimant {
 public:
  Flow(Shaper& shaper, Priority priority, const PeerId& to = peer(1), std::string_view protocol = "/a",
       Direction way = kOut)
      : claim(*this, nullptr, way), shaper_(shaper), peer_(to), protocol_(key_of(protocol)) {
    shaper_.set_priority(claim, priority);
  }
  ~Flow() override { shaper_.cancel(claim); }

  void want(std::size_t bytes) {
    left += bytes;
    if (!claim.waiting()) return move();
    shaper_.wait(claim, left);
  }
  void on_tokens(Claim&) override {
    ++calls;
    move();
  }
  void move() {
    shaper_.place(claim, peer_, protocol_);
    const std::size_t n = shaper_.available(claim, left);
    left -= n;
    moved += n;
    if (n > 0) shaper_.take(claim, n);
    if (left > 0) shaper_.wait(claim, left);
  }

  Claim claim;
  std::size_t left = 0, moved = 0;
  int calls = 0;

 private:
  Shaper& shaper_;
  PeerId peer_;
  ProtocolKey protocol_;
};

/// Runs the shaper's own deadlines for that long.
void run(Shaper& shaper, Instant& now, Duration duration) {
  const Instant end = now + duration;
  for (int steps = 0; shaper.next_deadline() <= end; ++steps) {
    REQUIRE(steps < 100'000);
    now = std::max(now, shaper.next_deadline());
    shaper.on_deadline(now);
  }
  now = end;
  shaper.advance(now);
}

constexpr std::size_t kEndless = std::size_t{1} << 40;

}  // namespace

TEST_CASE("where nothing is limited nobody waits") {
  Shaper shaper;
  CHECK_FALSE(shaper.limits(kOut));
  Flow flow(shaper, Priority::kBulk);
  flow.want(kEndless);
  CHECK(flow.moved == kEndless);
  CHECK(shaper.next_deadline() == kNever);
}

TEST_CASE("each scope and direction holds what falls under it, to the byte, and nothing else") {
  const std::string name = peer(1).to_string();
  for (const std::string& scope : {std::string(), name, std::string("/a")}) {
    for (const Direction way : {kOut, kIn}) {
      Shaper shaper;
      Instant now = kBegin;
      shaper.advance(now);
      REQUIRE(shaper.set(*parse_scope(scope), way, {.bytes_per_second = 10'000, .burst_bytes = 5'000}));
      Flow held(shaper, Priority::kBulk, peer(1), "/a", way);
      Flow other(shaper, Priority::kBulk, peer(2), "/b", way);
      Flow back(shaper, Priority::kBulk, peer(1), "/a", way == kOut ? kIn : kOut);
      held.want(kEndless);
      back.want(kEndless);
      if (!scope.empty()) other.want(kEndless);
      run(shaper, now, seconds(10));
      // Of the burst and of ten seconds; what makes no whole piece of 1 KiB waits.
      CHECK(held.moved <= 105'000);
      CHECK(held.moved > 105'000 - TokenBucket::kPieceBytesMin);
      CHECK(back.moved == kEndless);
      CHECK(other.moved == (scope.empty() ? 0 : kEndless));
    }
  }
}

TEST_CASE("who falls under several limits obeys the narrowest") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 100'000, .burst_bytes = 2000}));
  REQUIRE(shaper.set(peer(1), kOut, {.bytes_per_second = 50'000, .burst_bytes = 2000}));
  REQUIRE(shaper.set(key_of("/a"), kOut, {.bytes_per_second = 10'000, .burst_bytes = 2000}));
  Flow a(shaper, Priority::kBulk, peer(1), "/a"), b(shaper, Priority::kBulk, peer(1), "/b"),
      c(shaper, Priority::kBulk, peer(2), "/b");
  for (Flow* flow : {&a, &b, &c}) flow->want(kEndless);
  run(shaper, now, seconds(10));
  CHECK(a.moved + b.moved + c.moved <= 1'002'000);
  CHECK(a.moved + b.moved + c.moved >= 990'000);
  CHECK(a.moved + b.moved <= 502'000);
  CHECK(a.moved <= 102'000);
  CHECK(a.moved >= 80'000);
  CHECK(b.moved >= 350'000);
  CHECK(c.moved >= 450'000);
}

TEST_CASE("of those who wait the more urgent class is first, and none starves") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 1'000'000}));
  Flow bulk(shaper, Priority::kBulk), interactive(shaper, Priority::kInteractive), control(shaper, Priority::kControl);
  bulk.want(kEndless);
  interactive.want(kEndless);
  run(shaper, now, seconds(10));
  CHECK(interactive.moved > 8'000'000);
  CHECK(bulk.moved > 10'000'000 / 10);
  const std::size_t before = interactive.moved;
  control.want(kEndless);
  run(shaper, now, seconds(10));
  CHECK(control.moved > 7'000'000);
  CHECK(interactive.moved - before > 10'000'000 / 12);
  CHECK(bulk.moved > 2 * (10'000'000 / 12));
}

TEST_CASE("flows of one class share alike, whoever came first") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kIn, {.bytes_per_second = 1'000'000}));
  std::deque<Flow> flows;
  for (std::uint8_t i = 0; i < 10; ++i) flows.emplace_back(shaper, Priority::kBulk, peer(i), "/a", kIn).want(kEndless);
  run(shaper, now, seconds(10));
  for (const Flow& flow : flows) {
    CHECK(flow.moved > 900'000);
    CHECK(flow.moved < 1'100'000);
  }
}

TEST_CASE("who wants much is not overtaken for ever by those who want little") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 100'000, .burst_bytes = 50'000}));
  Flow big(shaper, Priority::kInteractive), small(shaper, Priority::kInteractive);
  big.want(kEndless);  // takes the burst, and waits
  for (int i = 0; i < 1000; ++i) {
    small.want(100);
    run(shaper, now, milliseconds(1));
  }
  CHECK(big.moved - 50'000 > 30'000);
  CHECK(small.moved > 30'000);
}

TEST_CASE("a newcomer does not pass those who wait for the same tokens") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 1000, .burst_bytes = 1000}));
  Flow first(shaper, Priority::kBulk), second(shaper, Priority::kBulk);
  first.want(2000);
  now = now + milliseconds(900);
  shaper.advance(now);
  second.want(100);
  CHECK(second.moved == 0);
  run(shaper, now, milliseconds(100));
  CHECK(first.moved == 2000);
  CHECK(second.moved == 0);
  run(shaper, now, milliseconds(100));
  CHECK(second.moved == 100);
}

TEST_CASE("a limit that is changed or cleared counts at once for who waits") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 1, .burst_bytes = 1}));
  Flow flow(shaper, Priority::kBulk);
  flow.want(1'000'000);
  run(shaper, now, seconds(10));
  CHECK(flow.moved == 11);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 10'000, .burst_bytes = 1024}));
  CHECK(shaper.limit({}, kOut) == RateLimit{.bytes_per_second = 10'000, .burst_bytes = 1024});
  run(shaper, now, seconds(10));
  CHECK(flow.moved > 98'000);
  CHECK(flow.moved <= 100'011);
  CHECK(shaper.clear({}, kOut));
  CHECK(flow.moved == 1'000'000);
  CHECK_FALSE(shaper.clear({}, kOut));
  CHECK_FALSE(shaper.limit({}, kOut));
  CHECK(shaper.next_deadline() == kNever);
}

TEST_CASE("a changed class and an end while waiting leave the line in order") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 1000, .burst_bytes = 1000}));
  Flow head(shaper, Priority::kBulk), last(shaper, Priority::kBulk);
  head.want(1100);
  auto gone = std::make_unique<Flow>(shaper, Priority::kBulk);
  gone->want(100);
  last.want(100);
  gone.reset();
  shaper.set_priority(last.claim, Priority::kControl);
  run(shaper, now, milliseconds(100));
  CHECK(last.moved == 100);
  CHECK(head.moved == 1000);
  run(shaper, now, milliseconds(100));
  CHECK(head.moved == 1100);
}

TEST_CASE("who waits is called when there are tokens, and not before") {
  Shaper shaper;
  Instant now = kBegin;
  shaper.advance(now);
  REQUIRE(shaper.set({}, kOut, {.bytes_per_second = 1'000'000}));
  Flow flow(shaper, Priority::kBulk);
  flow.want(kEndless);
  run(shaper, now, seconds(1));
  CHECK(flow.calls <= 101);  // a piece is a hundredth of a second's
  CHECK(shaper.next_deadline() > now);
}

TEST_CASE("a scope is the node, a peer or a protocol") {
  CHECK(*parse_scope("") == Scope{});
  CHECK(*parse_scope("/x/1.0.0") == Scope(key_of("/x/1.0.0")));
  CHECK(*parse_scope(peer(3).to_string()) == Scope(peer(3)));
  for (const char* bad : {"x", "10.0.0.1", " ", "Qm"}) CHECK(parse_scope(bad).error().code == Code::kInvalidArgument);
}
