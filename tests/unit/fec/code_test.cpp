// An encoder and a decoder, with a channel between them that loses what the test says.
#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "crypto/rng.hpp"
#include "fec/decoder.hpp"
#include "fec/encoder.hpp"
#include "fec/packet_codec.hpp"

using namespace p2pa;
using namespace p2pa::fec;

namespace {

Bytes body_of(std::uint64_t number) {
  Bytes out(1 + number * 37 % 200);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(number * 31 + i * 7 + 1);
  return out;
}

/// Its own arithmetic, so that encoder and decoder cannot be wrong in the same way.
Bytes repair_packet(std::uint64_t first, std::size_t count, std::uint8_t number) {
  Bytes sum;
  for (std::uint64_t n = first; n < first + count; ++n) {
    Bytes symbol = body_of(n);
    const auto size = static_cast<std::uint16_t>(symbol.size());
    symbol.insert(symbol.begin(), {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
    if (sum.size() < symbol.size()) sum.resize(symbol.size());
    const auto x = static_cast<std::uint8_t>(n % 128 ^ (128 + number));
    for (std::size_t i = 0; i < symbol.size(); ++i) sum[i] ^= gf256::multiply(gf256::inverse(x), symbol[i]);
  }
  Bytes out;
  append_packet(out, Repair{static_cast<std::uint32_t>(first), static_cast<std::uint8_t>(count), number, sum});
  return out;
}

Bytes source_packet(std::uint64_t number) {
  Bytes out;
  append_packet(out, Source{static_cast<std::uint32_t>(number), body_of(number)});
  return out;
}

struct Receiver {
  Decoder decoder;
  std::set<std::uint64_t> known;

  void take(const Bytes& packet) {
    REQUIRE(decoder.receive(packet));
    while (const auto body = decoder.poll()) {
      REQUIRE(known.insert(body->number).second);
      REQUIRE(std::ranges::equal(body->body, body_of(body->number)));
    }
  }
};

}  // namespace

TEST_CASE("every loss of up to as many bodies as there are repairs is repaired") {
  constexpr unsigned kBodies = 10, kRepairs = 4;
  for (unsigned lost = 0; lost < 1u << kBodies; ++lost) {
    if (std::popcount(lost) > static_cast<int>(kRepairs)) continue;
    Receiver receiver;
    for (unsigned n = 0; n < kBodies; ++n) {
      if ((lost >> n & 1) == 0) receiver.take(source_packet(n));
    }
    REQUIRE(receiver.known.size() == kBodies - static_cast<unsigned>(std::popcount(lost)));
    // Any of them, as many as are missing, and no fewer.
    for (int r = 0; r < std::popcount(lost); ++r) {
      REQUIRE(receiver.known.size() < kBodies);
      receiver.take(repair_packet(0, kBodies, static_cast<std::uint8_t>(127 - r * 31)));
    }
    REQUIRE(receiver.known.size() == kBodies);
  }
}

TEST_CASE("a whole window that was lost comes back from as many repairs") {
  Receiver receiver;
  for (std::size_t r = 0; r < Decoder::kEquationsMax; ++r) {
    receiver.take(repair_packet(0, Decoder::kEquationsMax, static_cast<std::uint8_t>(r)));
  }
  CHECK(receiver.known.size() == Decoder::kEquationsMax);
  CHECK(receiver.decoder.recovered() == Decoder::kEquationsMax);
  CHECK(receiver.decoder.equations() == 0);
}

TEST_CASE("repairs before, between and behind what they repair are worth the same") {
  std::vector<Bytes> packets;
  for (std::uint64_t n = 0; n < 8; ++n) {
    if (n != 2 && n != 5) packets.push_back(source_packet(n));
  }
  packets.push_back(repair_packet(0, 8, 3));
  packets.push_back(repair_packet(1, 6, 4));
  const std::uint8_t seed[32] = {3};
  Rng rng(seed);
  for (int round = 0; round < 500; ++round) {
    for (std::size_t i = packets.size() - 1; i > 0; --i) std::swap(packets[i], packets[rng.below(i + 1)]);
    Receiver receiver;
    for (const Bytes& packet : packets) receiver.take(packet);
    REQUIRE(receiver.known.size() == 8);
  }
}

TEST_CASE("what comes late though it was recovered is not given out again") {
  Receiver receiver;
  receiver.take(source_packet(0));
  receiver.take(repair_packet(0, 2, 0));
  CHECK(receiver.known.size() == 2);
  receiver.take(source_packet(1));
  receiver.take(source_packet(1));
  CHECK(receiver.known.size() == 2);
}

namespace {

/// What linear algebra alone says of the packets that arrived, with everything kept.
class BruteForce {
 public:
  void source(std::uint64_t n) { add(n, 1, [](std::uint64_t) { return std::uint8_t{1}; }); }
  void repair(const Repair& r) {
    add(r.first, r.count, [&](std::uint64_t n) { return factor(n, r.number); });
  }
  std::set<std::uint64_t> known() const {
    std::set<std::uint64_t> out;
    for (const auto& [pivot, row] : rows_) {
      if (row.size() == 1) out.insert(pivot);
    }
    return out;
  }

 private:
  using Row = std::map<std::uint64_t, std::uint8_t>;
  static void subtract(Row& from, std::uint8_t by, const Row& row) {
    for (const auto& [n, f] : row) {
      std::uint8_t& there = from[n];
      there ^= gf256::multiply(by, f);
      if (there == 0) from.erase(n);
    }
  }
  template <class Factor>
  void add(std::uint64_t first, std::size_t count, Factor factor_of) {
    Row row;
    for (std::uint64_t n = first; n < first + count; ++n) row[n] = factor_of(n);
    for (const auto& [pivot, other] : rows_) {
      if (const auto it = row.find(pivot); it != row.end()) subtract(row, std::uint8_t{it->second}, other);
    }
    if (row.empty()) return;
    const std::uint64_t pivot = row.begin()->first;
    const std::uint8_t by = gf256::inverse(row.begin()->second);
    for (auto& [n, f] : row) f = gf256::multiply(f, by);
    for (auto& [n, other] : rows_) {
      if (const auto it = other.find(pivot); it != other.end()) subtract(other, std::uint8_t{it->second}, row);
    }
    rows_[pivot] = row;
  }

  std::map<std::uint64_t, Row> rows_;
};

}  // namespace

TEST_CASE("encoder and decoder recover what linear algebra says can be, on any channel") {
  for (std::uint8_t round = 0; round < 60; ++round) {
    const std::uint8_t seed[32] = {4, round};
    Rng rng(seed);
    Encoder encoder({.ratio_max = 0.5});
    encoder.on_report({1000, 100 + 10u * round, 50u + round});
    Receiver receiver;
    BruteForce truth;
    Instant now{seconds(1).ns};
    const double loss = 0.005 * round;
    // Fewer than the decoder's span: then nothing is given up.
    for (std::uint64_t n = 0; n < 200; ++n) {
      Bytes packet;
      const Bytes body = body_of(n);
      encoder.append_source(packet, body);
      encoder.sent(now, body);
      if (rng.unit() >= loss) {
        receiver.take(packet);
        truth.source(n);
      }
      for (Bytes repair; encoder.poll_repair(now, repair); repair.clear()) {
        if (rng.unit() < loss) continue;
        receiver.take(repair);
        truth.repair(std::get<Repair>(*decode_packet(repair)));
      }
      REQUIRE(receiver.known == truth.known());
      now = now + milliseconds(1);
    }
    CHECK(encoder.repairs() > 10);
  }
}

TEST_CASE("numbers go on behind their end") {
  Receiver receiver;
  // Jumps of a half of all numbers are believed.
  for (const std::uint64_t n : {std::uint64_t{0x7fff'ffff}, std::uint64_t{0xffff'fffe}, std::uint64_t{0xffff'ffff}}) {
    receiver.take(source_packet(n));
  }
  Bytes wrapped;
  append_packet(wrapped, Source{1, body_of(0x1'0000'0001)});
  receiver.take(wrapped);
  CHECK(receiver.known.contains(0x1'0000'0001));
  Bytes repair = repair_packet(0xffff'fffe, 4, 9);
  receiver.take(repair);
  CHECK(receiver.known.contains(0x1'0000'0000));
}

TEST_CASE("what is older than the span is given up, and its equations with it") {
  Receiver receiver;
  receiver.take(repair_packet(0, 2, 0));
  CHECK(receiver.decoder.equations() == 1);
  for (std::uint64_t n = 2; n < Decoder::kSpan; ++n) receiver.take(source_packet(n));
  CHECK(receiver.decoder.equations() == 1);
  receiver.take(source_packet(Decoder::kSpan));
  CHECK(receiver.decoder.equations() == 0);
  const std::size_t known = receiver.known.size();
  receiver.take(source_packet(0));
  CHECK(receiver.known.size() == known);
  receiver.take(source_packet(1));
  CHECK(receiver.known.size() == known + 1);
}

TEST_CASE("one repair over the bound drops the one that waits for the oldest") {
  Receiver receiver;
  for (std::size_t n = 0; n <= Decoder::kEquationsMax; ++n) {
    receiver.take(repair_packet(2 * n, 2, 1));
    CHECK(receiver.decoder.equations() == std::min(n + 1, Decoder::kEquationsMax));
  }
  receiver.take(source_packet(0));
  CHECK_FALSE(receiver.known.contains(1));
  receiver.take(source_packet(2));
  CHECK(receiver.known.contains(3));
}

TEST_CASE("nonsense is refused, or repairs nothing, and holds no more than the bounds") {
  const std::uint8_t seed[32] = {5};
  Rng rng(seed);
  Decoder decoder;
  for (int i = 0; i < 30'000; ++i) {
    Bytes packet(rng.below(60));
    rng.fill(packet);
    if (!packet.empty()) packet[0] &= 1;
    if (packet.size() > 3) packet[1] = packet[2] = packet[3] = 0;
    const auto result = decoder.receive(packet);
    while (decoder.poll()) {
    }
    REQUIRE(decoder.equations() <= Decoder::kEquationsMax);
    if (packet.size() < kSourceHeaderBytes) REQUIRE_FALSE(result);
  }
}

TEST_CASE("a repair that is shorter than a body it holds is passed over") {
  Receiver receiver;
  for (const std::uint64_t n : {1, 2, 3}) receiver.take(source_packet(n));
  const Bytes whole = repair_packet(0, 4, 0);
  const std::size_t longest = kLengthBytes + body_of(3).size();
  REQUIRE(whole.size() == kRepairHeaderBytes + longest);
  // It would say all of body 0, which is short.
  receiver.take(Bytes(whole.begin(), whole.end() - 1));
  CHECK_FALSE(receiver.known.contains(0));
  receiver.take(whole);
  CHECK(receiver.known.contains(0));
}

TEST_CASE("a recovered body that is longer than its symbol is none") {
  Decoder decoder;
  Bytes packet;
  const std::uint8_t symbol[] = {0xff, 0xff, 1, 2, 3};
  append_packet(packet, Repair{0, 1, 0, symbol});
  REQUIRE(decoder.receive(packet));
  CHECK_FALSE(decoder.poll());
  CHECK(decoder.equations() == 0);
  CHECK(decoder.recovered() == 0);
}

TEST_CASE("packets that are none") {
  const auto code = [](Bytes packet) { return decode_packet(packet).error().code; };
  CHECK(code({}) == Code::kTruncated);
  CHECK(code({2, 0, 0, 0, 0, 0}) == Code::kMalformed);
  CHECK(code({0, 0, 0, 0}) == Code::kTruncated);
  CHECK(code({1, 0, 0, 0, 0}) == Code::kTruncated);
  CHECK(code({1, 0, 0, 0, 0, 1}) == Code::kTruncated);
  CHECK(code({1, 0, 0, 0, 0, 1, 0}) == Code::kTruncated);
  CHECK(code({1, 0, 0, 0, 0, 1, 0, 9}) == Code::kTruncated);
  CHECK(code({1, 0, 0, 0, 0, 0, 0, 9, 9}) == Code::kMalformed);
  CHECK(code({1, 0, 0, 0, 0, 129, 0, 9, 9}) == Code::kMalformed);
  CHECK(decode_packet(Bytes{1, 0, 0, 0, 0, 128, 0, 9, 9}));
  Bytes source(kSourceHeaderBytes + kBodyBytesMax);
  CHECK(decode_packet(source));
  source.push_back(0);
  CHECK(code(source) == Code::kMessageTooLarge);
  Bytes repair(kRepairHeaderBytes + kSymbolBytesMax);
  repair[0] = repair[5] = 1;
  CHECK(decode_packet(repair));
  repair.push_back(0);
  CHECK(code(repair) == Code::kMessageTooLarge);
}

TEST_CASE("the format's bytes are these") {
  Bytes out;
  append_packet(out, Source{0x01020304, Bytes{0xaa, 0xbb}});
  CHECK(out == Bytes{0, 1, 2, 3, 4, 0xaa, 0xbb});
  out.clear();
  append_packet(out, Repair{0x01020304, 5, 6, Bytes{0xcc, 0xdd}});
  CHECK(out == Bytes{1, 1, 2, 3, 4, 5, 6, 0xcc, 0xdd});
  // 1 / (0 + 128), 1 / (1 + 129) and so on: the field's and the matrix's definition.
  CHECK(gf256::multiply(factor(0, 0), 128) == 1);
  CHECK(gf256::multiply(factor(1, 0), 129) == 1);
  CHECK(gf256::multiply(factor(128 + 5, 128 + 3), (128 + 3) ^ 5) == 1);
}

// --- when repairs leave

namespace {

void send(Encoder& encoder, Instant now, std::uint64_t number) {
  Bytes packet;
  encoder.append_source(packet, body_of(number));
  encoder.sent(now, body_of(number));
}

}  // namespace

TEST_CASE("a pause brings one repair for the last bodies, and no more") {
  Encoder encoder({});
  encoder.set_repair_time(milliseconds(30));
  Bytes out;
  const Instant now{seconds(1).ns};
  CHECK(encoder.next_deadline() == kNever);
  send(encoder, now, 0);
  CHECK_FALSE(encoder.poll_repair(now, out));
  const Instant due = encoder.next_deadline();
  CHECK(due == now + milliseconds(15));
  CHECK(encoder.poll_repair(due, out));
  CHECK_FALSE(encoder.poll_repair(due, out));
  CHECK(encoder.next_deadline() == kNever);
}

TEST_CASE("without a bound on repairs there are none") {
  Encoder encoder({.ratio_max = 0});
  Bytes out;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    send(encoder, Instant{static_cast<std::int64_t>(n) * 1'000'000'000}, n);
    REQUIRE_FALSE(encoder.poll_repair(kNever, out));
  }
  CHECK(encoder.next_deadline() == kNever);
}

TEST_CASE("repairs of a steady flow keep to the bound, whatever the loss") {
  for (const double bound : {0.05, 0.1, 0.25}) {
    Encoder encoder({.ratio_max = bound});
    encoder.on_report({100'000, 50'000, 1000});
    Instant now{seconds(1).ns};
    for (std::uint64_t n = 0; n < 2000; ++n) {
      send(encoder, now, n);
      for (Bytes out; encoder.poll_repair(now, out);) {
      }
      now = now + milliseconds(1);
    }
    CHECK(encoder.repairs() == Approx(2000 * bound).margin(1.01));
  }
}

TEST_CASE("a repair does not hold what nobody waits for any more") {
  Encoder encoder({});
  encoder.set_repair_time(milliseconds(10));
  const Instant now{seconds(1).ns};
  send(encoder, now, 0);
  const Instant later = now + milliseconds(10) * Encoder::kRepairTimesKept + nanoseconds(1);
  send(encoder, later, 1);
  Bytes out;
  REQUIRE(encoder.poll_repair(later + milliseconds(5), out));
  const Repair repair = std::get<Repair>(*decode_packet(out));
  CHECK(repair.first == 1);
  CHECK(repair.count == 1);
}
