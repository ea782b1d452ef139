#include "pair/pair.hpp"

using namespace p2pa;
using namespace p2pa::test;

TEST_CASE("datagrams arrive as they were sent") {
  Scene s;
  Connection& c = s.connect();
  s.pipe.run_for(seconds(1));
  const std::size_t bound = c.datagram_size_max();
  REQUIRE(bound > 1000);
  const std::vector<std::string> sent = {"one", "", std::string(bound, 'x'), "four"};
  for (const std::string& text : sent) REQUIRE(c.send_datagram(as_bytes(text)));
  REQUIRE(s.pipe.run_until([&] { return s.server.datagrams.size() == sent.size(); }, seconds(2)));
  CHECK(s.server.datagrams == sent);
  CHECK(c.send_datagram(Bytes(bound + 1)).error().code == Code::kMessageTooLarge);
}

TEST_CASE("datagrams wait in a bounded queue and are not retransmitted") {
  quic::Config config = Pipe::default_config();
  config.datagram_queue_bytes_max = 64 * 1024;
  Scene s({}, {}, {}, std::move(config));
  Connection& c = s.connect();
  s.pipe.run_for(seconds(1));
  int taken = 0;
  Result<void> last{};
  while ((last = c.send_datagram(Bytes(1000, 'x'))).has_value()) ++taken;
  CHECK(last.error().code == Code::kWouldBlock);
  CHECK(taken <= 64);
  CHECK(taken >= 40);
  std::size_t lost = 0;
  s.pipe.filter = [&](Peer&, Bytes& bytes) {
    if (bytes.size() >= 1000 && bytes.size() < 1100) ++lost;  // larger ones probe the path
    return bytes.size() < 500;
  };
  s.pipe.run_for(seconds(2));
  CHECK(lost >= 10);
  s.pipe.filter = nullptr;
  s.pipe.run_for(seconds(20));
  CHECK(s.server.datagrams.size() + lost <= static_cast<std::size_t>(taken));
  REQUIRE(c.send_datagram(as_bytes("later")));
  REQUIRE(s.pipe.run_until([&] { return !s.server.datagrams.empty() && s.server.datagrams.back() == "later"; }));
}

TEST_CASE("datagrams need an established connection") {
  Scene s;
  Connection* c = s.pipe.dial(s.client, s.server);
  CHECK(c->send_datagram(as_bytes("x")).error().code == Code::kInvalidState);
  CHECK(c->datagram_size_max() == 0);
  REQUIRE(s.pipe.run_until([&] { return s.up(); }));
  CHECK(c->send_datagram(as_bytes("x")));
  c->close(0, "");
  CHECK(c->send_datagram(as_bytes("x")).error().code == Code::kInvalidState);
  CHECK(c->datagram_size_max() == 0);
}
