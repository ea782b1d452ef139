#include "dns/server.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using dns::parse_server;

TEST_CASE("a name server is an address, with a port or the usual one") {
  CHECK(parse_server("192.0.2.53")->to_string() == "192.0.2.53:53");
  CHECK(parse_server("192.0.2.53:5353")->to_string() == "192.0.2.53:5353");
  CHECK(parse_server("2001:db8::53")->to_string() == "[2001:db8::53]:53");
  CHECK(parse_server("[2001:db8::53]:5353")->to_string() == "[2001:db8::53]:5353");
}

TEST_CASE("what is no name server is refused") {
  for (const char* bad : {"", "dns.example.org", "192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536", "0.0.0.0",
                          "::", "[fe80::1%2]:53", "192.0.2.53 ", "192.0.2.53,192.0.2.54"}) {
    CAPTURE(bad);
    CHECK(parse_server(bad).error().code == Code::kInvalidArgument);
  }
}
