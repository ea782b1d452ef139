#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "transport/websocket/frames.hpp"
#include "transport/http/http_head.hpp"
#include "transport/websocket/layer.hpp"
#include "transport/websocket/upgrade.hpp"

using namespace p2pa;
using http::HttpHead;
using websocket::Layer;

namespace {

void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

/// One end, and its caller.
struct End {
  explicit End(bool client) : layer(client ? Layer::client("h", "/", rng) : Layer::server()) {
    P2PA_ASSERT(layer->begin(down));
  }

  void feed(ByteView bytes, std::size_t piece) {
    while (!bytes.empty() && error.code == Code::kOk) {
      const ByteView part = bytes.first(std::min(piece, bytes.size()));
      const bool was_open = layer->open();
      const std::size_t up_before = up.size(), down_before = down.size();
      if (const auto done = layer->receive(part, up, down); !done) error = done.error();
      P2PA_ASSERT(layer->open() || !was_open);
      P2PA_ASSERT(up.size() - up_before <= part.size());
      P2PA_ASSERT(down.size() - down_before <= 512);  // an answer to the greeting, one pong, one close
      bytes = bytes.subspan(part.size());
    }
  }
  void say(ByteView words) {
    if (error.code != Code::kOk || !layer->open()) return;
    layer->send(words, down);
    append(said, words);
  }

  Rng rng{Bytes(32, 1)};
  std::unique_ptr<Layer> layer;
  Bytes up, down, said;
  Error error{Code::kOk};
};

/// Both ends of a greeting that went well.
struct Greeted {
  Greeted() {
    server.feed(std::exchange(client.down, {}), 1 << 16);
    client.feed(std::exchange(server.down, {}), 1 << 16);
    P2PA_ASSERT(client.layer->open() && server.layer->open());
  }
  End client{true}, server{false};
};

/// It does not matter how a stream is cut.
void same_in_pieces(End& whole, End& cut, ByteView stream, std::size_t piece) {
  whole.feed(stream, 1 << 20);
  cut.feed(stream, piece);
  P2PA_ASSERT(whole.up == cut.up && whole.error == cut.error);
  P2PA_ASSERT(whole.layer->open() == cut.layer->open());
  for (End* end : {&whole, &cut}) end->layer->finish(end->down);
}

void greeting(bool client, ByteView stream, std::size_t piece) {
  End whole(client), cut(client);
  same_in_pieces(whole, cut, stream, piece);
  P2PA_ASSERT(!client || !whole.layer->open());  // nobody guesses what proves that the key was read
}

void frames(bool client, ByteView stream, std::size_t piece) {
  Greeted first, second;
  same_in_pieces(client ? first.client : first.server, client ? second.client : second.server, stream, piece);
}

/// What somebody in between may do.
bool tamper(fuzz::Input& script, Bytes& flight) {
  if (flight.empty()) return false;
  const std::size_t at = (script.byte() << 8 | script.byte()) % flight.size();
  const auto place = flight.begin() + static_cast<std::ptrdiff_t>(at);
  switch (script.byte() % 3) {
    case 0: *place ^= script.byte(); return true;
    case 1: flight.erase(place); return true;
    default: flight.insert(place, script.byte()); return true;
  }
}

/// All is heard that is said, unless somebody in between is at work.
void conversation(fuzz::Input& script, std::size_t piece) {
  End client(true), server(false);
  bool changed = false, closed = false;
  for (int round = 0; round < 12; ++round) {
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      const std::uint8_t what = script.byte();
      if ((what & 3) == 1 && !closed) from->say(Bytes(std::size_t{script.byte()} * (what >> 2), what));
      if ((what & 31) == 2) from->layer->finish(from->down), closed |= from->layer->open();
      Bytes flight = std::exchange(from->down, {});
      if ((what & 31) == 3) changed |= tamper(script, flight);
      to->feed(flight, piece);
    }
  }
  if (changed) return;
  for (int round = 0; round < 2; ++round) {
    server.feed(std::exchange(client.down, {}), piece);
    client.feed(std::exchange(server.down, {}), piece);
  }
  P2PA_ASSERT(client.layer->open() && server.layer->open());
  P2PA_ASSERT(server.up == client.said && client.up == server.said);
  P2PA_ASSERT(client.error.code == (closed ? Code::kConnectionClosed : Code::kOk));
  P2PA_ASSERT(server.error.code == client.error.code);
}

void head(ByteView bytes) {
  const auto parsed = HttpHead::parse(as_text(bytes));
  if (!parsed) return;
  P2PA_ASSERT(!parsed->start_line().contains('\n'));
  static_cast<void>(websocket::answer(*parsed));
  static_cast<void>(websocket::check_response(*parsed, "key"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input({data, size});
  const std::uint8_t what = input.byte();
  const std::size_t piece = std::size_t{1} + what / 8;
  switch (what % 6) {
    case 0: greeting(true, input.take(size), piece); break;
    case 1: greeting(false, input.take(size), piece); break;
    case 2: frames(true, input.take(size), piece); break;
    case 3: frames(false, input.take(size), piece); break;
    case 4: head(input.take(size)); break;
    default: conversation(input, piece);
  }
  return 0;
}
