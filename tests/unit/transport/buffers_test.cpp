#include <catch2/catch.hpp>
#include <deque>
#include <string>

#include "crypto/rng.hpp"
#include "transport/mux/datagram_queue.hpp"
#include "transport/mux/memory_budget.hpp"
#include "transport/mux/receive_buffer.hpp"
#include "transport/mux/send_buffer.hpp"
#include "transport/mux/stream_table.hpp"

using namespace p2pa;
using namespace p2pa::mux;
using mux::DatagramQueue;

namespace {

std::array<std::uint8_t, 32> seed(std::uint8_t n) {
  std::array<std::uint8_t, 32> out{};
  out.fill(n);
  return out;
}

Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes out(size);
  rng.fill(out);
  return out;
}

std::string unsent_text(const SendBuffer& buffer) {
  std::array<ByteView, 64> pieces;
  const std::size_t count = buffer.unsent(pieces);
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += as_text(pieces[i]);
  return out;
}

}  // namespace

TEST_CASE("a send buffer agrees with a string under any order of operations") {
  ChunkPool pool;
  for (std::uint8_t run = 0; run < 20; ++run) {
    Rng rng(seed(run));
    SendBuffer buffer;
    std::string all;
    std::size_t acked = 0, sent = 0;
    for (int step = 0; step < 400; ++step) {
      switch (rng.below(4)) {
        case 0:
        case 1: {
          const Bytes bytes = random_bytes(rng, rng.below(9000));
          const std::size_t before = buffer.chunks(), needed = buffer.chunks_needed(bytes.size());
          buffer.append(pool, bytes);
          CHECK(buffer.chunks() == before + needed);
          all += as_text(bytes);
          break;
        }
        case 2: {
          const std::size_t n = rng.below(buffer.unsent_size() + 1);
          buffer.mark_sent(n);
          sent += n;
          break;
        }
        case 3:
          acked += rng.below(sent - acked + 1);
          buffer.acknowledge(pool, acked);
          break;
      }
      REQUIRE(buffer.size() == all.size() - acked);
      REQUIRE(buffer.unsent_size() == all.size() - sent);
      REQUIRE(unsent_text(buffer) == all.substr(sent, unsent_text(buffer).size()));
      REQUIRE(buffer.chunks() == pool.lent());
    }
    if (rng.below(2) == 0) {
      buffer.drop_unsent(pool);
      CHECK(buffer.unsent_size() == 0);
      CHECK(buffer.size() == sent - acked);
      buffer.acknowledge(pool, sent);
      CHECK(buffer.chunks() == 0);
    }
    buffer.clear(pool);
    CHECK(pool.lent() == 0);
  }
}

TEST_CASE("bytes that were sent stay where they are until they are acknowledged") {
  ChunkPool pool;
  SendBuffer buffer;
  buffer.append(pool, Bytes(10'000, 7));
  std::array<ByteView, 8> pieces;
  REQUIRE(buffer.unsent(pieces) == 3);
  buffer.mark_sent(10'000);
  buffer.append(pool, Bytes(100'000, 8));
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::ranges::all_of(pieces[i], [](auto b) { return b == 7; }));
  buffer.clear(pool);
}

TEST_CASE("any part of what was sent and not acknowledged can be had again, in pieces") {
  ChunkPool pool;
  SendBuffer buffer;
  Rng rng(seed(1));
  const Bytes all = random_bytes(rng, 30'000);
  buffer.append(pool, all);
  buffer.mark_sent(25'000);
  buffer.acknowledge(pool, 7'000);
  for (int i = 0; i < 500; ++i) {
    const std::size_t begin = 7'000 + rng.below(18'000), end = begin + 1 + rng.below(25'000 - begin);
    Bytes again;
    while (begin + again.size() < end) {
      const ByteView piece = buffer.sent_piece(begin + again.size(), end - begin - again.size());
      REQUIRE_FALSE(piece.empty());
      again.insert(again.end(), piece.begin(), piece.end());
    }
    REQUIRE(std::ranges::equal(again, ByteView(all).subspan(begin, end - begin)));
  }
  CHECK(buffer.sent_piece(24'990, 1'000).size() <= 10);
  buffer.clear(pool);
}

TEST_CASE("a send buffer starts over until something was acknowledged") {
  ChunkPool pool;
  SendBuffer buffer;
  CHECK(buffer.rewind());
  buffer.append(pool, Bytes(5000, 1));
  buffer.mark_sent(5000);
  CHECK(buffer.rewind());
  CHECK(buffer.unsent_size() == 5000);
  buffer.mark_sent(4500);
  buffer.acknowledge(pool, 1);
  CHECK_FALSE(buffer.rewind());
  CHECK(buffer.unsent_size() == 500);
  buffer.clear(pool);
}

TEST_CASE("a receive buffer agrees with a string under any order of operations") {
  ChunkPool pool;
  Rng rng(seed(4));
  ReceiveBuffer buffer;
  std::string model;
  for (int step = 0; step < 5000; ++step) {
    if (rng.below(2) == 0) {
      const Bytes bytes = random_bytes(rng, rng.below(6000));
      buffer.append(pool, bytes);
      model += as_text(bytes);
    } else {
      const std::size_t n = rng.below(std::min<std::size_t>(model.size(), 9000) + 1);
      buffer.consume(pool, n);
      model.erase(0, n);
    }
    REQUIRE(buffer.size() == model.size());
    REQUIRE(buffer.front().empty() == model.empty());
    REQUIRE(model.starts_with(as_text(buffer.front())));
  }
  buffer.clear(pool);
  CHECK(pool.lent() == 0);
}

TEST_CASE("a pool keeps a bounded number of spare chunks, and no more") {
  ChunkPool pool;
  std::vector<Chunk*> chunks;
  for (std::size_t i = 0; i < ChunkPool::kSpareMax + 1; ++i) chunks.push_back(pool.take());
  for (Chunk* chunk : chunks) pool.give_back(chunk);
  CHECK(pool.spare() == ChunkPool::kSpareMax);
  CHECK(pool.lent() == 0);
  Chunk* again = pool.take();
  CHECK(pool.spare() == ChunkPool::kSpareMax - 1);
  CHECK(again->filled().empty());
  pool.give_back(again);
}

TEST_CASE("a datagram queue keeps the order and its bound") {
  ChunkPool pool;
  DatagramQueue queue(3 * Chunk::kSize);
  CHECK_FALSE(queue.push(pool, Bytes(DatagramQueue::kMessageMax + 1)));
  std::deque<Bytes> model;
  Rng rng(seed(5));
  for (int step = 0; step < 3000; ++step) {
    const Bytes message = random_bytes(rng, rng.below(1500));
    if (rng.below(2) == 0 && queue.push(pool, message)) model.push_back(message);
    if (rng.below(2) == 0 && !queue.empty()) {
      REQUIRE(std::ranges::equal(queue.front(), model.front()));
      queue.pop(pool);
      model.pop_front();
    }
    REQUIRE(queue.count() == model.size());
    REQUIRE(pool.lent() <= 3);
  }
  queue.clear(pool);
  for (int i = 0; i < 3; ++i) CHECK(queue.push(pool, Bytes(DatagramQueue::kMessageMax)));
  CHECK_FALSE(queue.push(pool, {}));
  queue.clear(pool);
  CHECK(pool.lent() == 0);
}

TEST_CASE("a memory budget reserves what is used and little more, and nothing after a trim") {
  Limits limits;
  limits.memory_max = 8 * MemoryBudget::kStep;
  resource::Manager resources(limits);
  MemoryBudget budget(resources);
  Rng rng(seed(6));
  std::size_t used = 0;
  for (int step = 0; step < 2000; ++step) {
    const std::size_t n = rng.below(3 * MemoryBudget::kStep);
    if (rng.below(2) == 0) {
      if (budget.take(n)) used += n;
    } else {
      budget.give_back(std::min(n, used));
      used -= std::min(n, used);
    }
    REQUIRE(budget.used() == used);
    REQUIRE(resources.usage().memory >= used);
    REQUIRE(resources.usage().memory <= used + 3 * MemoryBudget::kStep);
    if (rng.below(4) == 0) budget.trim();
  }
  budget.give_back(used);
  budget.trim();
  CHECK(resources.usage().memory == 0);
  REQUIRE(budget.take(limits.memory_max));
  CHECK(budget.take(1).error().code == Code::kLimitMemory);
  CHECK(budget.used() == limits.memory_max);
  budget.give_back(limits.memory_max);
}

TEST_CASE("a dead stream's id finds nothing, whoever has its place") {
  StreamTable table;
  CHECK(table.find(0) == nullptr);
  CHECK(table.find(12345) == nullptr);
  std::vector<StreamId> dead;
  std::vector<StreamState*> live;
  Rng rng(seed(7));
  for (int step = 0; step < 2000; ++step) {
    if (live.empty() || rng.below(3) != 0) {
      StreamState& stream = table.open();
      REQUIRE(table.find(stream.id) == &stream);
      live.push_back(&stream);
    } else {
      const std::size_t i = rng.below(live.size());
      dead.push_back(live[i]->id);
      table.release(*live[i]);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
    }
    REQUIRE(table.size() == live.size());
  }
  for (const StreamId id : dead) REQUIRE(table.find(id) == nullptr);
  std::size_t seen = 0;
  table.for_each([&](StreamState&) { ++seen; });
  CHECK(seen == live.size());
  for (StreamState* stream : live) table.release(*stream);
  CHECK(table.size() == 0);
}
