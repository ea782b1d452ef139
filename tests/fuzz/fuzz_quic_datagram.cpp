// Datagrams for an endpoint that has a live connection. The input is a script: each step takes two
// bytes of length and a byte that says where the datagram comes from and what it is made of; the
// connection's own datagrams may be repeated, cut and flipped.
#include <array>
#include <deque>

#include "base/assert.hpp"
#include "base/byte_reader.hpp"
#include "transport/quic/endpoint.hpp"

using namespace p2pa;

namespace {

struct End {
  End(std::uint8_t seed, std::uint8_t host)
      : key(KeyPair::from_seed(seed32(seed))),
        rng(seed32(static_cast<std::uint8_t>(seed + 100))),
        resources(Limits{}),
        endpoint(key, rng, resources, config()) {
    where.ip.bytes = {192, 0, 2, host};
    where.port = 4001;
    endpoint.add_socket(1, where, true);
  }
  static std::array<std::uint8_t, 32> seed32(std::uint8_t n) {
    std::array<std::uint8_t, 32> out{};
    out.fill(n);
    return out;
  }
  static quic::Config config() {
    quic::Config out;
    out.unix_time = 1'700'000'000;
    return out;
  }

  KeyPair key;
  Rng rng;
  resource::Manager resources;
  quic::Endpoint endpoint;
  IpEndpoint where;
  Connection* connection = nullptr;
};

class Wire {
 public:
  Wire() {
    const auto dialed = a_.endpoint.dial(now_, 1, {quic_multiaddr(b_.where), b_.key.peer_id()});
    P2PA_ASSERT(dialed.has_value());
    a_.connection = *dialed;
    for (int i = 0; i < 20; ++i) settle();
    P2PA_ASSERT(a_.connection != nullptr && a_.connection->established());
  }

  void play(ByteReader& script) {
    const auto size = script.big_endian<std::uint16_t>();
    const auto what = script.u8();
    if (!size || !what) return static_cast<void>(script.skip(script.remaining()));
    const ByteView bytes = *script.take(std::min<std::size_t>(*size, script.remaining()));
    IpEndpoint from = (*what & 1) != 0 ? a_.where : b_.where;
    End& to = (*what & 1) != 0 ? b_ : a_;
    if ((*what & 2) != 0) from.port = 99;
    Bytes packet(bytes.begin(), bytes.end());
    if ((*what & 4) != 0 && !recent_.empty()) {  // a real one, mutilated by the input
      packet = recent_[*what % recent_.size()];
      for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) packet[(bytes[i] * 7U) % packet.size()] ^= bytes[i + 1];
      packet.resize(std::max<std::size_t>(1, packet.size() - (*what >> 4)));
    }
    if (!packet.empty()) to.endpoint.handle(now_, {1, to.where, from, Ecn::kNone, packet.size(), packet});
    if ((*what & 8) != 0) write(bytes);
    settle();
  }

 private:
  void write(ByteView bytes) {
    if (a_.connection == nullptr) return;
    const auto stream = a_.connection->open_stream(false);
    if (!stream) return;
    static_cast<void>(a_.connection->write(*stream, bytes));
    a_.connection->finish(*stream);
    static_cast<void>(a_.connection->send_datagram(bytes.first(std::min<std::size_t>(bytes.size(), 100))));
  }

  void drain(End& from, End& to) {
    TransportEvent event;
    while (from.endpoint.poll_event(event)) {
      Connection& c = *event.connection;
      if (event.event.kind == ConnectionEvent::Kind::kClosed && &c == from.connection) from.connection = nullptr;
      while (!c.peek(event.event.stream).empty()) c.consume(event.event.stream, c.peek(event.event.stream).size());
    }
    Transmit transmit;
    while (from.endpoint.poll_transmit(now_, buffer_, {1}, transmit)) {
      Bytes packet(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(transmit.size));
      recent_.push_back(packet);
      if (recent_.size() > 16) recent_.pop_front();
      if (transmit.remote != to.where) continue;
      to.endpoint.handle(now_, {1, to.where, from.where, Ecn::kNone, packet.size(), packet});
    }
  }

  void settle() {
    now_ = now_ + milliseconds(30);
    for (End* end : {&a_, &b_}) {
      if (end->endpoint.next_deadline() <= now_) end->endpoint.on_deadline(now_);
    }
    drain(a_, b_);
    drain(b_, a_);
  }

  End a_{1, 1}, b_{2, 2};
  Instant now_{seconds(1).ns};
  std::deque<Bytes> recent_;
  Bytes buffer_ = Bytes(65'536);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Wire wire;
  ByteReader script({data, size});
  for (int step = 0; step < 64 && !script.at_end(); ++step) wire.play(script);
  return 0;
}
