// Two UDP endpoints whose road does anything, and a peer with good keys that sends any frames.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "fuzz/input.hpp"
#include "support/udp_hand.hpp"
#include "support/udp_pair.hpp"

using namespace p2pa;
using fuzz::Input;
using test::UdpPair;

namespace {

Limits small() {
  Limits limits;
  limits.handshakes_max = 4;
  limits.memory_max = limits.memory_per_peer_max = 1 << 20;
  limits.streams_inbound_per_connection_max = 8;
  return limits;
}

void check(const test::UdpSide& side) {
  P2PA_ASSERT(side.resources.usage().memory <= side.resources.limits().memory_max);
  P2PA_ASSERT(side.resources.usage().handshakes <= side.resources.limits().handshakes_max);
}

void act(UdpPair& pair, Input& input) {
  Connection* const any = pair.a.told.connection();
  if (any == nullptr || !any->established()) return;
  udp::Connection& c = pair.ours();
  const std::uint8_t what = input.byte();
  const Bytes bytes(std::size_t{input.byte()} * 40, what);
  switch (what % 4) {
    case 0:
      if (const auto stream = c.open_stream(false)) {
        static_cast<void>(c.write(*stream, bytes));
        if (what % 8 != 0) c.finish(*stream);
        if (what % 16 == 4) c.reset(*stream, what);
      }
      return;
    case 1: return static_cast<void>(c.send_datagram(ByteView(bytes).first(std::min<std::size_t>(bytes.size(), 1000))));
    case 2: {
      SessionMessageOptions options;
      options.delivery = static_cast<Delivery>(what / 4 % 4);
      options.channel = what / 16 % 4;
      options.lifetime = milliseconds(what / 32);
      options.correction = what % 64 < 32;
      return static_cast<void>(c.send_message(bytes, options));
    }
    default:
      if (what == 255) c.close(what, "");
  }
}

/// Loses, repeats, delays, damages and moves.
void road(Input& input) {
  UdpPair pair({}, small());
  bool once = false;
  pair.filter = [&](UdpPair::Flight& flight) {
    if (once || input.empty()) return true;
    const std::uint8_t what = input.byte();
    switch (what % 8) {
      case 0: return false;
      case 1: flight.bytes[input.byte() * 7U % flight.bytes.size()] ^= what; return true;
      case 2: flight.bytes.resize(std::max<std::size_t>(1, flight.bytes.size() - what / 8)); return true;
      case 3: flight.at = flight.at + milliseconds(what); return true;
      case 4: flight.from.port = static_cast<std::uint16_t>(what / 64 + 1); return true;
      case 5: pair.flights.push_back(flight); return true;
      default: return true;
    }
  };
  pair.a.told.echo = pair.b.told.echo = true;
  pair.dial(pair.b.key.peer_id());
  for (int steps = 0; steps < 100 && !input.empty(); ++steps) {
    pair.run_for(milliseconds(input.byte()));
    act(pair, input);
    check(pair.a);
    check(pair.b);
  }
  once = true;  // the rest of the road is honest
  if (Connection* const c = pair.a.told.connection()) c->close(1, "");
  pair.run_for(minutes(2));
  for (test::UdpSide* side : {&pair.a, &pair.b}) {
    P2PA_ASSERT(side->endpoint.connections_count() == 0);
    P2PA_ASSERT(side->endpoint.next_deadline() == kNever);
    P2PA_ASSERT(side->resources.usage() == LimitUsage{});
  }
}

/// A peer with good keys, and frames of the input's.
void frames(Input& input) {
  UdpPair pair({}, small());
  pair.b.told.echo = true;
  udp::Parameters parameters;
  parameters.data = parameters.stream_data = std::uint64_t{input.byte()} << 8;
  parameters.streams = 2;
  parameters.fec = true;
  test::UdpHand hand(pair, parameters);
  for (int steps = 0; steps < 200 && !input.empty(); ++steps) {
    const ByteView taken = input.take(input.byte());
    hand.send(Bytes(taken.begin(), taken.end()));
    pair.run_for(milliseconds(taken.size()));
    check(pair.b);
  }
  pair.run_for(minutes(2));
  P2PA_ASSERT(pair.b.endpoint.connections_count() == 0);
  P2PA_ASSERT(pair.b.resources.usage() == LimitUsage{});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input({data, size});
  if (input.byte() % 2 == 0) {
    road(input);
  } else {
    frames(input);
  }
  return 0;
}
