#include "support.hpp"

using namespace p2pa::test;

namespace {

constexpr std::string_view kProtocol = "/capi-test/1";

/// A stream that both ends know.
struct OpenStream {
  p2pa_stream client{}, server{};
  explicit OpenStream(Pair& pair) {
    REQUIRE(p2pa_node_handle_protocol(*pair.server, kProtocol.data(), kProtocol.size()) == P2PA_OK);
    pair.server.run();
    p2pa_op op{};
    REQUIRE(p2pa_node_open_stream(*pair.client, pair.server.peer(), kProtocol.data(), kProtocol.size(),
                                  &op) == P2PA_OK);
    const Seen& done = pair.finish(op);
    REQUIRE(done.event.kind == P2PA_EVENT_STREAM_OPEN_DONE);
    REQUIRE(done.event.status == P2PA_OK);
    client = done.event.stream;
    REQUIRE(client.v != 0);
    write(client, "hi");
    REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_STREAM_DATA) > 0; }));
    const Seen incoming = pair.server.of(P2PA_EVENT_STREAM_INCOMING).at(0);
    CHECK(incoming.name == kProtocol);
    server = incoming.event.stream;
  }
  static void write(p2pa_stream stream, std::string_view text) {
    std::size_t taken = 0;
    REQUIRE(p2pa_stream_write(stream, bytes(text), text.size(), &taken) == P2PA_OK);
    REQUIRE(taken == text.size());
  }
};

std::string all_data(const Node& node) {
  std::string out;
  for (const Seen& s : node.of(P2PA_EVENT_STREAM_DATA)) out += s.data;
  return out;
}

void count(void* counter) { ++*static_cast<int*>(counter); }

}  // namespace

TEST_CASE("bytes go both ways, and both ends hear the end") {
  Pair pair;
  OpenStream stream(pair);
  stream.write(stream.server, "hello yourself");
  stream.write(stream.client, ", there");
  REQUIRE(p2pa_stream_finish(stream.client) == P2PA_OK);
  CHECK(p2pa_stream_finish(stream.client) == P2PA_E_STREAM_FINISHED);
  std::size_t taken = 0;
  CHECK(p2pa_stream_write(stream.client, bytes("x"), 1, &taken) == P2PA_E_STREAM_FINISHED);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_STREAM_FINISHED) == 1; }));
  CHECK(all_data(pair.server) == "hi, there");
  REQUIRE(p2pa_stream_finish(stream.server) == P2PA_OK);
  REQUIRE(pair.run_until([&] {
    return pair.client.count(P2PA_EVENT_STREAM_ENDED) == 1 && pair.server.count(P2PA_EVENT_STREAM_ENDED) == 1;
  }));
  CHECK(all_data(pair.client) == "hello yourself");
  CHECK(pair.client.of(P2PA_EVENT_STREAM_ENDED).at(0).event.status == P2PA_OK);
  CHECK(p2pa_stream_finish(stream.client) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("bytes that come with the end are told before it, even when nothing was released") {
  Pair pair;
  OpenStream stream(pair);
  pair.server.keep(P2PA_EVENT_STREAM_DATA);
  std::string sent = "hi";
  std::size_t taken = 0;
  REQUIRE(pair.run_until([&] {
    const std::string piece(16 * 1024, static_cast<char>('a' + sent.size() % 23));
    if (sent.size() < 2'000'000 && p2pa_stream_write(stream.client, bytes(piece), piece.size(), &taken) == P2PA_OK) {
      sent += piece.substr(0, taken);
    }
    return sent.size() >= 2'000'000;
  }));
  REQUIRE(p2pa_stream_finish(stream.client) == P2PA_OK);
  REQUIRE(p2pa_stream_finish(stream.server) == P2PA_OK);
  REQUIRE(pair.run_until([&] {
    pair.server.release_kept();
    return pair.server.count(P2PA_EVENT_STREAM_ENDED) == 1;
  }));
  pair.server.release_kept();
  CHECK(all_data(pair.server) == sent);
  CHECK(pair.server.seen.back().event.kind == P2PA_EVENT_STREAM_ENDED);
}

TEST_CASE("a reader that releases nothing stops the writer, and loses nothing") {
  Pair pair;
  OpenStream stream(pair);
  pair.server.keep(P2PA_EVENT_STREAM_DATA);
  const std::string piece(64 * 1024, 'p');
  std::size_t sent = 2, before = 0, quiet = 0;
  std::int32_t status = P2PA_OK;
  const auto write = [&](std::size_t total) {
    std::size_t taken = 0;
    while (sent < total) {
      const std::size_t size = std::min(piece.size(), total - sent);
      status = p2pa_stream_write(stream.client, bytes(piece), size, &taken);
      if (status != P2PA_OK) return;
      sent += taken;
      if (taken < size) return;
    }
  };
  constexpr std::size_t kFarTooMuch = std::size_t{64} << 20;
  REQUIRE(pair.run_until([&] {
    write(kFarTooMuch);
    quiet = sent == before ? quiet + 1 : 0;
    before = sent;
    return quiet > 200;
  }));
  CHECK(status == P2PA_E_WOULD_BLOCK);
  CHECK(sent < std::size_t{16} << 20);
  const std::size_t total = sent + 3'000'000;
  REQUIRE(pair.run_until([&] {
    pair.server.release_kept();
    write(total);
    return all_data(pair.server).size() == total;
  }));
  CHECK(pair.client.count(P2PA_EVENT_STREAM_WRITABLE) > 0);
  pair.server.release_kept();
}

TEST_CASE("a reset reaches the other end with its code") {
  Pair pair;
  OpenStream stream(pair);
  REQUIRE(p2pa_stream_reset(stream.client, 4711) == P2PA_OK);
  REQUIRE(pair.run_until([&] {
    return pair.client.count(P2PA_EVENT_STREAM_ENDED) == 1 && pair.server.count(P2PA_EVENT_STREAM_ENDED) == 1;
  }));
  CHECK(pair.client.of(P2PA_EVENT_STREAM_ENDED).at(0).event.status == P2PA_E_CANCELLED);
  const Seen ended = pair.server.of(P2PA_EVENT_STREAM_ENDED).at(0);
  CHECK(ended.event.status == P2PA_E_STREAM_RESET);
  CHECK(ended.event.detail == 4711);
  CHECK(p2pa_stream_reset(stream.client, 1) == P2PA_E_STALE_HANDLE);
}

TEST_CASE("a protocol that the peer does not speak is refused") {
  Pair pair;
  p2pa_op op{};
  REQUIRE(p2pa_node_open_stream(*pair.client, pair.server.peer(), "/nobody/1", 9, &op) == P2PA_OK);
  const Seen& done = pair.finish(op);
  // The proposal travels with the first bytes, so the refusal may come as the end of the stream.
  if (done.event.status == P2PA_OK) {
    REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_STREAM_ENDED) == 1; }));
    CHECK(pair.client.of(P2PA_EVENT_STREAM_ENDED).at(0).event.status == P2PA_E_PROTOCOL_UNSUPPORTED);
  } else {
    CHECK(done.event.status == P2PA_E_PROTOCOL_UNSUPPORTED);
    CHECK(done.event.stream.v == 0);
  }
}

TEST_CASE("a stream whose opening is cancelled is told once") {
  Pair pair;
  REQUIRE(p2pa_node_handle_protocol(*pair.server, kProtocol.data(), kProtocol.size()) == P2PA_OK);
  p2pa_op op{};
  REQUIRE(p2pa_node_open_stream(*pair.client, pair.server.peer(), kProtocol.data(), kProtocol.size(), &op) ==
          P2PA_OK);
  REQUIRE(p2pa_op_cancel(op) == P2PA_OK);
  CHECK(pair.finish(op).event.status == P2PA_E_CANCELLED);
  // The connection that it began comes up all the same; the stream is given up behind the scenes.
  REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_IDENTIFIED) == 1; }));
  CHECK(pair.client.count(P2PA_EVENT_STREAM_OPEN_DONE) == 1);
  CHECK(pair.client.count(P2PA_EVENT_STREAM_ENDED) == 0);
}

TEST_CASE("protocol names that can never work are refused") {
  Node node;
  CHECK(p2pa_node_handle_protocol(*node, "no-slash", 8) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_handle_protocol(*node, "/a\nb", 4) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_handle_protocol(*node, "", 0) == P2PA_E_INVALID_ARGUMENT);
  CHECK(p2pa_node_handle_protocol(*node, "/a", 2) == P2PA_OK);
  CHECK(p2pa_node_handle_protocol(*node, "/a", 2) == P2PA_E_INVALID_STATE);
}

TEST_CASE("lent bytes of a stream are released exactly once") {
  int released = 0, lent = 0;
  const std::string piece(512 * 1024, 'z');
  {
    Pair pair;
    OpenStream stream(pair);
    const auto take = [&](p2pa_stream s) {
      ++lent;
      return p2pa_stream_write_take(s, bytes(piece), piece.size(), count, &released);
    };
    REQUIRE(take(stream.client) == P2PA_OK);
    REQUIRE(pair.run_until([&] { return all_data(pair.server).size() == piece.size() + 2; }));
    CHECK(released == 1);
    CHECK(take(p2pa_stream{1}) == P2PA_E_STALE_HANDLE);
    CHECK(released == 2);
    std::int32_t status = P2PA_OK;
    while ((status = take(stream.client)) == P2PA_OK) {}
    CHECK(status == P2PA_E_WOULD_BLOCK);
    CHECK(released == 3);
    REQUIRE(p2pa_stream_reset(stream.client, 0) == P2PA_OK);
    REQUIRE(pair.run_until([&] { return pair.client.count(P2PA_EVENT_STREAM_ENDED) == 1; }));
    CHECK(released == lent);
  }
  {
    Pair pair;
    OpenStream stream(pair);
    ++lent;
    REQUIRE(p2pa_stream_write_take(stream.server, bytes(piece), piece.size(), count, &released) == P2PA_OK);
    CHECK(released == lent - 1);
    // The node is freed here, before it takes the bytes up.
  }
  CHECK(released == lent);
}

TEST_CASE("a datagram arrives at a connected peer") {
  Pair pair;
  p2pa_op op{};
  REQUIRE(p2pa_node_dial_peer(*pair.client, pair.server.peer(), &op) == P2PA_OK);
  REQUIRE(pair.finish(op).event.status == P2PA_OK);
  REQUIRE(pair.run_until([&] { return pair.server.count(P2PA_EVENT_CONNECTED) == 1; }));
  const std::string payload(1000, 'd');
  // Unreliable, so it is repeated until one is through.
  REQUIRE(pair.run_until([&] {
    REQUIRE(p2pa_node_send_datagram(*pair.client, pair.server.peer(), bytes(payload), payload.size()) ==
            P2PA_OK);
    return pair.server.count(P2PA_EVENT_DATAGRAM) > 0;
  }));
  CHECK(pair.server.of(P2PA_EVENT_DATAGRAM).at(0).data == payload);
  CHECK(std::memcmp(&pair.server.of(P2PA_EVENT_DATAGRAM).at(0).event.peer, pair.client.peer(),
                    sizeof(p2pa_peer)) == 0);
}

TEST_CASE("a datagram that is too large is refused, one to nobody is lost") {
  Node node;
  const std::string large(65'536, 'd');
  CHECK(p2pa_node_send_datagram(*node, node.peer(), bytes(large), large.size()) == P2PA_E_MESSAGE_TOO_LARGE);
  CHECK(p2pa_node_send_datagram(*node, node.peer(), bytes(large), 100) == P2PA_OK);
  node.run();
  CHECK(node.count(P2PA_EVENT_DATAGRAM) == 0);
}
