#include <catch2/catch.hpp>

#include <arpa/inet.h>

#include <set>

#include "address/ip_endpoint.hpp"
#include "address/ip_text.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using test::from_hex;
using test::to_hex;

namespace {

std::string printed6(std::string_view hex) {
  std::string out;
  append_ip6(out, from_hex(hex));
  return out;
}

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

}  // namespace

TEST_CASE("IPv6 addresses print as RFC 5952 wants") {
  CHECK(printed6("00000000000000000000000000000000") == "::");
  CHECK(printed6("00000000000000000000000000000001") == "::1");
  CHECK(printed6("20010db8000000000000000000000000") == "2001:db8::");
  CHECK(printed6("20010db8000000000000000000000001") == "2001:db8::1");
  CHECK(printed6("20010db8000000010001000100010001") == "2001:db8:0:1:1:1:1:1");  // §4.2.2
  CHECK(printed6("20010000000000010000000000000001") == "2001:0:0:1::1");         // §4.2.3
  CHECK(printed6("20010db8000000000001000000000001") == "2001:db8::1:0:0:1");
  CHECK(printed6("00000000000000000000ffff7f000001") == "::ffff:127.0.0.1");
  CHECK(printed6("0064ff9b0000000000000000c0000221") == "64:ff9b::c000:221");
  CHECK(printed6("abcdef00000100020003000400050006") == "abcd:ef00:1:2:3:4:5:6");
}

TEST_CASE("the parser agrees with the system's on good and on bad addresses") {
  const char* texts[] = {"::", "::1", "1::", "1::8", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
                         "::2:3:4:5:6:7:8", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "::ffff:1.2.3.4",
                         "1::1.2.3.4", "FE80::aBcD", "0:0:0:0:0:0:0:0", "", ":", ":::", "1:", ":1", "1::2::3",
                         "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8", "12345::", "g::",
                         "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256",
                         "::1.2.3.4:5", "::01.2.3.4", "1::2:", "::-1", "::+1", ":: 1", "::1%1"};
  for (const char* text : texts) {
    INFO(text);
    std::uint8_t theirs[16];
    const bool good = inet_pton(AF_INET6, text, theirs) == 1;
    const auto ours = parse_ip6(text);
    CHECK(ours.has_value() == good);
    if (ours && good) CHECK(to_hex(*ours) == to_hex(theirs));
  }
  for (const char* text : {"1.2.3.4", "0.0.0.0", "255.255.255.255", "", "1", "1.2.3", "1.2.3.4.", ".1.2.3.4",
                           "1..2.3", "01.2.3.4", "1.2.3.256", "1.2.3.1000", "1.2.3.-4", "1.2.3.4 ", "0x1.2.3.4",
                           "1.2.3.a"}) {
    INFO(text);
    std::uint8_t theirs[4];
    CHECK(parse_ip4(text).has_value() == (inet_pton(AF_INET, text, theirs) == 1));
  }
}

TEST_CASE("v4-mapped IPv6 is IPv4") {
  CHECK(ip("::ffff:192.0.2.1") == ip("192.0.2.1"));
  CHECK_FALSE(ip("::ffff:192.0.2.1").v6);
  CHECK(IpAddress::from_bytes(from_hex("00000000000000000000ffffc0000201"))->to_string() == "192.0.2.1");
  CHECK(ip("::fffe:192.0.2.1").v6);
}

TEST_CASE("an address is of 4 or 16 bytes") {
  for (const std::size_t size : {0, 3, 5, 12, 15, 17}) CHECK_FALSE(IpAddress::from_bytes(Bytes(size)));
}

TEST_CASE("addresses know what they are for") {
  struct Case {
    const char* text;
    bool loopback, unspecified, is_private, link_local, global;
  };
  const Case cases[] = {
      {"127.0.0.1", true, false, false, false, false},
      {"127.255.0.9", true, false, false, false, false},
      {"0.0.0.0", false, true, false, false, false},
      {"10.1.2.3", false, false, true, false, false},
      {"11.0.0.1", false, false, false, false, true},
      {"172.15.255.255", false, false, false, false, true},
      {"172.16.0.0", false, false, true, false, false},
      {"172.31.255.255", false, false, true, false, false},
      {"172.32.0.0", false, false, false, false, true},
      {"192.168.255.1", false, false, true, false, false},
      {"100.64.0.1", false, false, true, false, false},
      {"100.127.255.255", false, false, true, false, false},
      {"100.128.0.0", false, false, false, false, true},
      {"169.254.3.4", false, false, false, true, false},
      {"192.0.2.1", false, false, false, false, false},
      {"198.19.0.1", false, false, false, false, false},
      {"224.0.0.1", false, false, false, false, false},
      {"255.255.255.255", false, false, false, false, false},
      {"8.8.8.8", false, false, false, false, true},
      {"::1", true, false, false, false, false},
      {"::", false, true, false, false, false},
      {"fd00::1", false, false, true, false, false},
      {"fe80::1", false, false, false, true, false},
      {"febf::1", false, false, false, true, false},
      {"fec0::1", false, false, false, false, false},
      {"ff02::1", false, false, false, false, false},
      {"2001:db8::1", false, false, false, false, false},
      {"2001::1", false, false, false, false, false},
      {"2002:c000:201::1", false, false, false, false, false},
      {"2607:f8b0::1", false, false, false, false, true},
      {"64:ff9b::808:808", false, false, false, false, true},
      {"4000::1", false, false, false, false, false},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const IpAddress address = ip(c.text);
    CHECK(address.is_loopback() == c.loopback);
    CHECK(address.is_unspecified() == c.unspecified);
    CHECK(address.is_private() == c.is_private);
    CHECK(address.is_link_local() == c.link_local);
    CHECK(address.is_global() == c.global);
  }
}

TEST_CASE("endpoints read and print the same") {
  for (const char* text : {"192.0.2.1:4001", "0.0.0.0:0", "[2001:db8::1]:65535", "[::]:0", "[fe80::1%3]:4001"}) {
    INFO(text);
    CHECK(IpEndpoint::parse(text)->to_string() == text);
  }
  CHECK(IpEndpoint::parse("[::ffff:192.0.2.1]:1")->to_string() == "192.0.2.1:1");
}

TEST_CASE("what is no endpoint is an invalid argument") {
  for (const char* text : {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", ":4001",
                           "2001:db8::1:4001", "[2001:db8::1]", "[2001:db8::1]4001", "[192.0.2.1]:1", "[]:1",
                           "[fe80::1%]:1", "[fe80::1%eth0]:1", "[fe80::1%4294967296]:1", "localhost:1"}) {
    INFO(text);
    CHECK(IpEndpoint::parse(text).error().code == Code::kInvalidArgument);
  }
}

TEST_CASE("endpoints that differ in address, port, family or zone hash apart") {
  std::set<std::size_t> hashes;
  const char* texts[] = {"1.2.3.4:1", "1.2.3.4:2", "1.2.3.5:1", "[102:304::]:1", "[fe80::1]:1", "[fe80::1%1]:1"};
  for (const char* text : texts) hashes.insert(IpEndpointHash()(*IpEndpoint::parse(text)));
  CHECK(hashes.size() == std::size(texts));
}

TEST_CASE("a QUIC address and its endpoint turn into each other") {
  for (const char* text : {"192.0.2.1:4001", "[2001:db8::1]:1", "[fe80::1%7]:4001"}) {
    const IpEndpoint endpoint = *IpEndpoint::parse(text);
    CHECK(quic_endpoint(quic_multiaddr(endpoint)) == endpoint);
  }
  CHECK(quic_multiaddr(*IpEndpoint::parse("192.0.2.1:4001")).to_string() == "/ip4/192.0.2.1/udp/4001/quic-v1");
  CHECK(quic_endpoint(*Multiaddr::parse(
            "/ip6/::1/udp/9/quic-v1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")) ==
        *IpEndpoint::parse("[::1]:9"));
}

TEST_CASE("a TCP address and its endpoint turn into each other") {
  for (const char* text : {"192.0.2.1:4001", "[2001:db8::1]:1", "[fe80::1%7]:4001"}) {
    const IpEndpoint endpoint = *IpEndpoint::parse(text);
    CHECK(tcp_endpoint(tcp_multiaddr(endpoint)) == endpoint);
  }
  CHECK(tcp_multiaddr(*IpEndpoint::parse("192.0.2.1:4001")).to_string() == "/ip4/192.0.2.1/tcp/4001");
  CHECK(tcp_endpoint(
            *Multiaddr::parse("/ip6/::1/tcp/9/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")) ==
        *IpEndpoint::parse("[::1]:9"));
}

TEST_CASE("an address of a UDP session and its endpoint turn into each other") {
  for (const char* text : {"192.0.2.1:4001", "[2001:db8::1]:1", "[fe80::1%7]:4001"}) {
    const IpEndpoint endpoint = *IpEndpoint::parse(text);
    CHECK(udp_endpoint(udp_multiaddr(endpoint)) == endpoint);
  }
  const Multiaddr address = udp_multiaddr(*IpEndpoint::parse("192.0.2.1:4001"));
  CHECK(address.to_string() == "/ip4/192.0.2.1/udp/4001/p2pa-udp");
  CHECK(Multiaddr::parse("/ip4/192.0.2.1/udp/4001/p2pa-udp") == address);
  CHECK(Multiaddr::from_bytes(address.bytes()) == address);
  CHECK_FALSE(udp_endpoint(*Multiaddr::parse("/ip4/192.0.2.1/udp/4001")));
  CHECK_FALSE(udp_endpoint(*Multiaddr::parse("/ip4/192.0.2.1/udp/4001/quic-v1")));
  CHECK_FALSE(udp_endpoint(*Multiaddr::parse("/ip4/192.0.2.1/tcp/4001")));
  CHECK_FALSE(quic_endpoint(address));
}

TEST_CASE("an address that is not plain TCP has no TCP endpoint") {
  CHECK_FALSE(tcp_endpoint(Multiaddr()));
  for (const char* text :
       {"/ip4/192.0.2.1", "/ip4/192.0.2.1/udp/1", "/ip4/192.0.2.1/udp/1/quic-v1", "/ip4/192.0.2.1/tcp/1/ws",
        "/ip4/192.0.2.1/tcp/1/tls/ws", "/dns4/a/tcp/1", "/ip6zone/1/ip4/192.0.2.1/tcp/1",
        "/ip4/192.0.2.1/tcp/1/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/p2p-circuit"}) {
    INFO(text);
    CHECK_FALSE(tcp_endpoint(*Multiaddr::parse(text)));
  }
}

TEST_CASE("every way to write where a WebSocket is says the same") {
  const IpEndpoint endpoint = *IpEndpoint::parse("192.0.2.1:443");
  const std::string id = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
  const auto at = [](const std::string& rest) {
    return web_address(*Multiaddr::parse("/ip4/192.0.2.1/tcp/443" + rest));
  };
  CHECK(at("/ws") == WebAddress{endpoint});
  CHECK(at("/ws" + id) == WebAddress{endpoint});
  CHECK(at("/wss") == WebAddress{endpoint, true});
  CHECK(at("/tls/ws" + id) == WebAddress{endpoint, true});
  CHECK(at("/tls/sni/example.org/ws") == WebAddress{endpoint, true, "example.org"});
  for (const WebAddress& address : {WebAddress{endpoint}, WebAddress{endpoint, true},
                                    WebAddress{*IpEndpoint::parse("[2001:db8::1]:1"), true, "example.org"}}) {
    CHECK(web_address(web_multiaddr(address)) == address);
  }
  CHECK(web_multiaddr({endpoint, true, "a"}).to_string() == "/ip4/192.0.2.1/tcp/443/tls/sni/a/ws");
}

TEST_CASE("an address that is not a WebSocket's has none") {
  CHECK_FALSE(web_address(Multiaddr()));
  for (const char* rest : {"", "/tls", "/tls/wss", "/tls/sni/a", "/sni/a/ws", "/ws/ws", "/ws/tls", "/tls/tls/ws",
                           "/tls/ws/sni/a", "/wss/p2p-circuit"}) {
    INFO(rest);
    CHECK_FALSE(web_address(*Multiaddr::parse(std::string("/ip4/192.0.2.1/tcp/443") + rest)));
  }
  CHECK_FALSE(web_address(*Multiaddr::parse("/ip4/192.0.2.1/udp/443/ws")));
  CHECK_FALSE(web_address(*Multiaddr::parse("/dns4/a/tcp/443/ws")));
}

TEST_CASE("the IP address of a multiaddr is the one it begins with") {
  CHECK(ip_address(*Multiaddr::parse("/ip4/192.0.2.1/tcp/1/ws")) == *IpAddress::parse("192.0.2.1"));
  CHECK(ip_address(*Multiaddr::parse("/ip6zone/1/ip6/fe80::1/udp/1")) == *IpAddress::parse("fe80::1"));
  CHECK_FALSE(ip_address(*Multiaddr::parse("/dns4/a/tcp/1")).has_value());
  CHECK_FALSE(ip_address(Multiaddr()).has_value());
}

TEST_CASE("an address that is not plain QUIC has no QUIC endpoint") {
  CHECK_FALSE(quic_endpoint(Multiaddr()));
  for (const char* text :
       {"/ip4/192.0.2.1", "/ip4/192.0.2.1/udp/1", "/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/udp/1/quic",
        "/ip4/192.0.2.1/tcp/1/quic-v1", "/dns4/a/udp/1/quic-v1", "/udp/1/quic-v1",
        "/ip4/192.0.2.1/udp/1/quic-v1/webtransport", "/ip6zone/eth0/ip6/fe80::1/udp/1/quic-v1",
        "/ip6zone/1/ip4/192.0.2.1/udp/1/quic-v1", "/ip6zone/1",
        "/ip4/192.0.2.1/udp/1/quic-v1/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC/p2p-circuit"}) {
    INFO(text);
    CHECK_FALSE(quic_endpoint(*Multiaddr::parse(text)));
  }
}
