#include "transport/quic/packet_size.hpp"

#include <catch2/catch.hpp>

using p2pa::quic::PacketSize;

namespace {

constexpr std::size_t kWindow = PacketSize::kWindowMin;

/// Makes a packet as large as may be, of bytes that are new and end at `end`.
void make_fresh(PacketSize& size, std::uint64_t end) {
  const std::size_t n = size.limit(kWindow);
  size.made(n, n - 40, 0, end);
}

void make_repetition(PacketSize& size) { size.made(PacketSize::kEthernet, 0, 0, 0); }

bool large(const PacketSize& size) { return size.limit(kWindow) == PacketSize::kHost; }

}  // namespace

TEST_CASE("across a network the engine decides") {
  PacketSize size(false);
  CHECK(size.by_engine());
  size.path_changed(true);
  CHECK(size.by_engine());
}

TEST_CASE("on one host one large packet is tried, and then all are") {
  PacketSize size(true);
  REQUIRE_FALSE(size.by_engine());
  REQUIRE(size.limit(kWindow - 1) == PacketSize::kEthernet);
  make_fresh(size, 50'000);
  CHECK(size.limit(kWindow) == PacketSize::kEthernet);
  size.acknowledged(4, 99'999, 1000);
  size.acknowledged(0, 49'999, 1000);
  CHECK_FALSE(large(size));
  size.acknowledged(0, 50'000, 1000);
  CHECK(large(size));
  CHECK(size.limit(kWindow - 1) == PacketSize::kEthernet);
}

TEST_CASE("what had to be repeated proves nothing, and a few attempts are all") {
  PacketSize size(true);
  for (int i = 0; i < PacketSize::kAttemptsMax; ++i) {
    REQUIRE(large(size));
    make_fresh(size, 50'000);
    make_fresh(size, 51'000);
    CHECK_FALSE(large(size));
    make_repetition(size);
    CHECK_FALSE(large(size));
    size.acknowledged(0, 50'000, kWindow - 1);
    CHECK_FALSE(large(size));
    size.acknowledged(0, 50'001, 1);
  }
  CHECK_FALSE(large(size));
  size.silence();
  size.acknowledged(0, 90'000, kWindow);
  CHECK_FALSE(large(size));
}

TEST_CASE("a large repetition is an attempt that failed") {
  PacketSize size(true);
  size.made(PacketSize::kHost, 0, 0, 0);
  CHECK_FALSE(large(size));
  size.acknowledged(0, 90'000, kWindow);
  CHECK(large(size));
}

TEST_CASE("an attempt ends with its stream") {
  PacketSize size(true);
  make_fresh(size, 50'000);
  size.stream_closed(4);
  CHECK_FALSE(large(size));
  size.stream_closed(0);
  CHECK_FALSE(large(size));
  size.acknowledged(4, kWindow, kWindow);
  CHECK(large(size));
}

TEST_CASE("after a silence, and on another path, it is proven again") {
  PacketSize size(true);
  make_fresh(size, 50'000);
  size.acknowledged(0, 50'000, 1000);
  SECTION("silence") { size.silence(); }
  SECTION("another port") { size.path_changed(true); }
  make_fresh(size, 90'000);
  CHECK_FALSE(large(size));
  size.acknowledged(0, 90'000, 1000);
  CHECK(large(size));
  size.path_changed(false);
  CHECK_FALSE(large(size));
}
