#include "sim/tcp_receiver.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace p2pa;
using namespace p2pa::sim;

namespace {

constexpr std::uint64_t kFirst = 1000;

TcpSegment segment(ByteView stream, std::size_t begin, std::size_t end) {
  TcpSegment out;
  out.sequence = kFirst + begin;
  out.bytes.assign(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                   stream.begin() + static_cast<std::ptrdiff_t>(end));
  out.fin = end == stream.size();
  return out;
}

struct Numbers {
  std::uint64_t state;
  std::size_t below(std::size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % bound;
  }
};

}  // namespace

TEST_CASE("pieces that overlap, in any order and again, make the stream once") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Numbers numbers{seed};
    Bytes stream(200);
    for (std::size_t i = 0; i < stream.size(); ++i) stream[i] = static_cast<std::uint8_t>(i);
    TcpReceiver receiver(kFirst);
    Bytes out;
    std::vector<bool> arrived(stream.size());
    while (!receiver.ended()) {
      const std::size_t begin = numbers.below(stream.size());
      const std::size_t end = begin + 1 + numbers.below(std::min<std::size_t>(30, stream.size() - begin));
      receiver.receive(segment(stream, begin, end), out);
      std::fill(arrived.begin() + static_cast<std::ptrdiff_t>(begin),
                arrived.begin() + static_cast<std::ptrdiff_t>(end), true);
      const auto first_gap = std::find(arrived.begin(), arrived.end(), false);
      REQUIRE(out.size() == static_cast<std::size_t>(first_gap - arrived.begin()));
      TcpSegment answer;
      receiver.acknowledge(answer);
      for (std::size_t i = 0; i < answer.blocks_count; ++i) {
        const auto at = [&](std::uint64_t sequence) {
          return arrived.begin() + static_cast<std::ptrdiff_t>(sequence - kFirst);
        };
        REQUIRE(std::count(at(answer.blocks[i].begin), at(answer.blocks[i].end), false) == 0);
        REQUIRE(answer.blocks[i].begin > receiver.next());
      }
    }
    CHECK(out == stream);
    CHECK(receiver.next() == kFirst + stream.size() + 1);  // the end counts as one
    CHECK_FALSE(receiver.has_gaps());
  }
}

TEST_CASE("what arrived last is told first, and no more than a header holds") {
  const Bytes stream(100, 7);
  TcpReceiver receiver(kFirst);
  Bytes out;
  for (const std::size_t begin : {90u, 30u, 50u, 70u, 10u, 32u}) {
    receiver.receive(segment(stream, begin, begin + 2), out);
  }
  TcpSegment answer;
  receiver.acknowledge(answer);
  CHECK(answer.acknowledged == kFirst);
  REQUIRE(answer.blocks_count == TcpSegment::kBlocksMax);
  CHECK(answer.blocks[0].begin == kFirst + 30);
  CHECK(answer.blocks[0].end == kFirst + 34);
  CHECK(answer.blocks[1].begin == kFirst + 90);
  CHECK(out.empty());
}

TEST_CASE("what ends one byte beyond the window is dropped") {
  TcpReceiver receiver(kFirst);
  Bytes out;
  TcpSegment one;
  one.sequence = kFirst + kTcpWindow;
  one.bytes = {1};
  receiver.receive(one, out);
  CHECK_FALSE(receiver.has_gaps());
  one.sequence -= 1;
  receiver.receive(one, out);
  CHECK(receiver.has_gaps());
}
