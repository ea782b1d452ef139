// The demo's work, without its processes: what a word is, how text is split, and a coordinator in the
// simulated world.

#include "wordcount.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "coordinator.hpp"
#include "p2pagents/sim.hpp"

using namespace wordcount;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

/// Splitting and counting piece by piece, as agents do.
Counts count_in_pieces(std::string_view text, std::size_t size) {
  Counts counts;
  for (const auto piece : split(text, size)) merge(counts, count_words(piece));
  return counts;
}

}  // namespace

TEST_CASE("a run of letters over the bound is several words") {
  CHECK(count_words(std::string(kWordBytesMax, 'a')) == Counts{{std::string(kWordBytesMax, 'a'), 1}});
  CHECK(count_words(std::string(kWordBytesMax + 1, 'a')) ==
        Counts{{std::string(kWordBytesMax, 'a'), 1}, {"a", 1}});
}

TEST_CASE("a long word does not end within a UTF-8 character") {
  const std::string sign = "\xe8\xaa\x9e";  // three bytes: 64 is no multiple
  const Counts counts = count_words(repeated(sign, 22));
  CHECK(counts == Counts{{repeated(sign, 21), 1}, {sign, 1}});
}

TEST_CASE("what is counted does not depend on where a text is split") {
  const std::string texts[] = {
      repeated("\xe8\xaa\x9e", 2000),                 // no separator at all
      repeated("Word \xc3\xbc" "ber, ", 300),            // many
      std::string(1000, '\x80'),                       // not UTF-8
      "a" + std::string(1000, '\xbf') + std::string(200, 'Z') + "\xf0\x9f\x98\x80" + std::string(70, 'b'),
      std::string(100, ' '), ""};
  for (const std::string& text : texts) {
    const Counts whole = count_words(text);
    for (const std::size_t size : {1, 7, 63, 64, 65, 100, 4096}) {
      CAPTURE(text.substr(0, 10), text.size(), size);
      CHECK(count_in_pieces(text, size) == whole);
      std::string joined;
      for (const auto piece : split(text, size)) {
        CHECK(piece.size() <= std::max(size, kWordBytesMax));
        joined += piece;
      }
      CHECK(joined == text);
    }
  }
}

TEST_CASE("a task that no message carries is the coordinator's failure and no agent's") {
  p2pa::sim::World world(1);
  p2pa::Node& node = world.node(world.add_node({}));
  const std::string text(kTaskBytesMax + 1, ' ');
  Coordinator coordinator(node, {text});
  coordinator.start(p2pa::Multiaddr::parse("/ip4/127.0.0.1/udp/1/quic-v1").value());
  CHECK(coordinator.stuck());
  CHECK(coordinator.failure() == "a task is larger than a message may be");
  CHECK(coordinator.agents().empty());
}
