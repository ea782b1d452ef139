#include <catch2/catch.hpp>

#include "transport/quic/lingering.hpp"

using namespace p2pa;
using namespace p2pa::quic;

namespace {

Cid cid(std::uint16_t n) {
  const std::array<std::uint8_t, 8> raw{static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8)};
  return Cid(raw);
}

Farewell farewell(std::uint16_t n) {
  Farewell out;
  out.cids = {cid(n)};
  out.packet = Bytes(20, static_cast<std::uint8_t>(n));
  out.linger = seconds(1);
  return out;
}

int drain(Outbox& outbox) {
  Bytes buffer(2000);
  Transmit to;
  int count = 0;
  while (outbox.pop(buffer, to)) ++count;
  return count;
}

}  // namespace

TEST_CASE("what is over the outbox's bound is lost, the oldest is kept") {
  Outbox outbox;
  for (std::size_t n = 0; n <= Outbox::kDatagramsMax; ++n) {
    const std::uint8_t byte = n == 0 ? 1 : 2;
    outbox.push({}, ByteView(&byte, 1));
  }
  Bytes buffer(2000);
  Transmit to;
  REQUIRE(outbox.pop(buffer, to));
  CHECK(buffer[0] == 1);
  CHECK(to.size == 1);
  CHECK(drain(outbox) == static_cast<int>(Outbox::kDatagramsMax) - 1);
}

TEST_CASE("of the connections that have closed, one over the bound makes the oldest be forgotten") {
  Outbox outbox;
  Lingering lingering(outbox);
  for (std::uint16_t n = 0; n < Lingering::kEntriesMax; ++n) lingering.add({}, farewell(n));
  CHECK(lingering.handle(cid(0), {}));
  lingering.add({}, farewell(Lingering::kEntriesMax));
  CHECK(lingering.size() == Lingering::kEntriesMax);
  CHECK_FALSE(lingering.handle(cid(0), {}));
  CHECK(lingering.handle(cid(1), {}));
  CHECK(lingering.handle(cid(Lingering::kEntriesMax), {}));
  lingering.expire(Instant{} + seconds(1));
  CHECK(lingering.size() == 0);
  CHECK_FALSE(lingering.handle(cid(1), {}));
}
