#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>

#include "crypto/rng.hpp"
#include "support/hex.hpp"
#include "wire/framing.hpp"

using namespace p2pa;
using wire::append_frame;
using wire::FrameReader;
using test::from_hex;

namespace {

Bytes copy(ByteView view) { return {view.begin(), view.end()}; }

/// Feeds a stream in the pieces given and collects its frames.
std::vector<Bytes> frames_of(FrameReader& reader, const std::vector<ByteView>& pieces) {
  std::vector<Bytes> frames;
  for (ByteView in : pieces) {
    for (;;) {
      const auto step = reader.next(in);
      REQUIRE(step);
      REQUIRE(step->consumed <= in.size());
      in = in.subspan(step->consumed);
      if (!step->frame) break;
      frames.push_back(copy(*step->frame));
    }
    REQUIRE(in.empty());
  }
  return frames;
}

}  // namespace

TEST_CASE("a frame that lies whole in the input is a view into it") {
  Bytes stream;
  append_frame(stream, as_bytes("hello"));
  append_frame(stream, as_bytes("world"));
  FrameReader reader(100);
  const auto step = reader.next(stream);
  REQUIRE(step->frame);
  CHECK(step->frame->data() == stream.data() + 1);
  CHECK(as_text(*step->frame) == "hello");
  CHECK(step->consumed == 6);
  CHECK_FALSE(reader.partial());
}

TEST_CASE("frames come out the same however the stream is cut") {
  Rng rng(Bytes(32, 20));
  for (int round = 0; round < 200; ++round) {
    std::vector<Bytes> sent(1 + rng.below(6));
    Bytes stream;
    for (Bytes& frame : sent) {
      frame.resize(rng.below(rng.below(2) ? 5 : 400));
      rng.fill(frame);
      append_frame(stream, frame);
    }
    std::vector<ByteView> pieces;
    for (ByteView rest = stream; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(1 + rng.below(rng.below(2) ? 3 : 300), rest.size());
      pieces.push_back(rest.first(size));
      rest = rest.subspan(size);
    }
    FrameReader reader(400);
    CHECK(frames_of(reader, pieces) == sent);
    CHECK_FALSE(reader.partial());
  }
}

TEST_CASE("an empty frame is a frame, also in pieces with its neighbours") {
  FrameReader reader(10);
  const Bytes stream = from_hex("00000141");
  CHECK(frames_of(reader, {stream}).size() == 3);
  CHECK(frames_of(reader, {ByteView{}}).empty());
}

TEST_CASE("a frame of the bound passes, and one byte more is too large before any of it is taken") {
  Bytes stream;
  append_frame(stream, Bytes(300));
  FrameReader exact(300);
  CHECK(exact.next(stream)->frame->size() == 300);
  FrameReader tight(299);
  CHECK(tight.next(ByteView(stream).first(1))->consumed == 1);
  CHECK(tight.next(ByteView(stream).subspan(1)).error() == Error{Code::kMessageTooLarge, 299, ""});
}

TEST_CASE("a length that no memory could hold is too large, not a number that wraps") {
  FrameReader reader(std::numeric_limits<std::size_t>::max() / 4);
  CHECK(reader.next(from_hex("ffffffffffffffff7f00")).error().code == Code::kMessageTooLarge);
}

TEST_CASE("a length that is no varint ends the stream for good") {
  for (const char* hex : {"8000", "80808080808080808001"}) {
    FrameReader whole(100), pieces(100);
    const Bytes bad = from_hex(hex);
    CHECK(whole.next(bad).error().code == Code::kMalformed);
    Result<FrameReader::Step> step;
    for (const std::uint8_t& byte : bad) {
      step = pieces.next({&byte, 1});
      if (!step) break;
    }
    CHECK(step.error().code == Code::kMalformed);
    CHECK(pieces.next(from_hex("0141")).error().code == Code::kMalformed);
  }
}

TEST_CASE("a frame half arrived is partial, and the promise of bytes costs no memory") {
  FrameReader reader(std::size_t{1} << 40);
  const auto step = reader.next(from_hex("80808080800141"));  // 32 GiB promised, one byte sent
  CHECK(step->consumed == 7);
  CHECK_FALSE(step->frame);
  CHECK(reader.partial());
}
