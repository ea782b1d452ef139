#include "dns/expansion.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "dns/host_name.hpp"

using namespace p2pa;
using namespace p2pa::dns;

namespace {

constexpr const char* kPeer = "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
constexpr const char* kOther = "/p2p/12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq";

Multiaddr address(const std::string& text) { return Multiaddr::parse(text).value(); }
IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
std::string resolved(const std::string& text, const char* to) {
  return with_ip(address(text), ip(to)).to_string();
}

std::string record_of(const std::string& asked, const std::string& record) {
  const auto out = with_record(address(asked), address(record));
  return out ? out->to_string() : "none";
}

}  // namespace

TEST_CASE("equal host names are equal texts") {
  CHECK(host_name(as_bytes("Node-1.Example.ORG.")) == "node-1.example.org");
  CHECK(host_name(as_bytes("_dnsaddr.example.org")) == "_dnsaddr.example.org");
  CHECK(host_name(as_bytes("localhost")) == "localhost");
}

TEST_CASE("a name that no host can have is refused") {
  const auto refused = [](const std::string& name) {
    const auto result = host_name(as_bytes(name));
    return !result && result.error().code == Code::kMalformed;
  };
  for (const char* bad : {"", ".", "a..b", ".a", "a b", "a\\b", "ex\xc3\xa4mple.org", "a:1", "*.a"}) {
    CAPTURE(bad);
    CHECK(refused(bad));
  }
  CHECK(refused(std::string("a\0b", 3)));
}

TEST_CASE("a name and its labels have the lengths of RFC 1035") {
  const std::string label(kLabelMax, 'a');
  CHECK(host_name(as_bytes(label)).has_value());
  CHECK_FALSE(host_name(as_bytes(label + "a")).has_value());
  std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'b');
  REQUIRE(longest.size() == kNameMax);
  CHECK(host_name(as_bytes(longest)).has_value());
  CHECK(host_name(as_bytes(longest + ".")).has_value());
  CHECK_FALSE(host_name(as_bytes(longest + "b")).has_value());
}

TEST_CASE("only an address that begins with a name has one to resolve") {
  for (const char* text : {"/dns/a/tcp/1", "/dns4/a/udp/1/quic-v1", "/dns6/a", "/dnsaddr/a"}) {
    CHECK(has_name(address(text)));
  }
  CHECK_FALSE(has_name(Multiaddr()));
  CHECK_FALSE(has_name(address("/ip4/192.0.2.1/tcp/1")));
  CHECK_FALSE(has_name(address("/ip4/192.0.2.1/tcp/1" + std::string(kPeer) + "/p2p-circuit/dns4/a/tcp/1")));
}

TEST_CASE("/dns asks for both families, IPv6 first") {
  const auto both = split_families(address("/dns/host/tcp/1"));
  REQUIRE(both.size() == 2);
  CHECK(both[0] == address("/dns6/host/tcp/1"));
  CHECK(both[1] == address("/dns4/host/tcp/1"));
  CHECK(split_families(address("/dns4/host")) == std::vector{address("/dns4/host")});
  CHECK(split_families(address("/ip4/192.0.2.1")) == std::vector{address("/ip4/192.0.2.1")});
}

TEST_CASE("each kind of name has its question") {
  CHECK(question_of(address("/dns4/Host/tcp/1")) == Question{RecordType::kA, "host"});
  CHECK(question_of(address("/dns6/host/tcp/1")) == Question{RecordType::kAaaa, "host"});
  CHECK(question_of(address("/dnsaddr/host")) == Question{RecordType::kTxt, "_dnsaddr.host"});
  CHECK_FALSE(question_of(address("/dns4/a b/tcp/1")).has_value());
  const std::string near_longest(kNameMax - 4, 'a');  // _dnsaddr. no longer fits before it
  CHECK_FALSE(question_of(address("/dnsaddr/" + near_longest)).has_value());
}

TEST_CASE("what follows the name stays") {
  CHECK(resolved("/dns4/host/tcp/4001", "192.0.2.1") == "/ip4/192.0.2.1/tcp/4001");
  CHECK(resolved(std::string("/dns6/host/udp/1/quic-v1") + kPeer, "2001:db8::1") ==
        std::string("/ip6/2001:db8::1/udp/1/quic-v1") + kPeer);
  CHECK(resolved("/dns4/host/tcp/80/ws", "192.0.2.1") == "/ip4/192.0.2.1/tcp/80/ws");
  CHECK(resolved("/dns4/host/tcp/443/tls", "192.0.2.1") == "/ip4/192.0.2.1/tcp/443/tls");
}

TEST_CASE("a secure WebSocket keeps the name that its certificate is for") {
  constexpr const char* kKept = "/ip4/192.0.2.1/tcp/443/tls/sni/host/ws";
  CHECK(resolved("/dns4/host/tcp/443/wss", "192.0.2.1") == kKept);
  CHECK(resolved("/dns4/Host./tcp/443/wss", "192.0.2.1") == kKept);
  CHECK(resolved("/dns4/host/tcp/443/tls/ws", "192.0.2.1") == kKept);
  CHECK(resolved("/dns4/host/tcp/443/tls/sni/b/ws", "192.0.2.1") == "/ip4/192.0.2.1/tcp/443/tls/sni/b/ws");
  const std::string behind = std::string(kPeer) + "/p2p-circuit/dns4/far/tcp/1/wss";
  CHECK(resolved("/dns4/host/tcp/443/wss" + behind, "192.0.2.1") == kKept + behind);
}

TEST_CASE("an address that outgrows its bound is none") {
  const std::string label(kLabelMax, 'a'), name = label + '.' + label + '.' + label;
  const std::string three = "/dns4/" + name + "/tcp/1/wss/wss/wss";
  CHECK(with_ip(address(three), ip("192.0.2.1")).bytes().size() > 3 * name.size());
  CHECK(with_ip(address(three + "/wss/wss/wss"), ip("192.0.2.1")).empty());
}

TEST_CASE("a TXT record is an address after dnsaddr=, or nothing") {
  CHECK(parse_dnsaddr("dnsaddr=/ip4/192.0.2.1/tcp/1") == address("/ip4/192.0.2.1/tcp/1"));
  for (const char* bad : {"", "dnsaddr=", "dnsaddr=/", "dnsaddr=/ip4/300.0.0.1", "v=spf1 -all",
                          "/ip4/192.0.2.1", "dnsaddr =/ip4/192.0.2.1", "DNSADDR=/ip4/192.0.2.1",
                          "dnsaddr=/none/such"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_dnsaddr(bad).has_value());
  }
}

TEST_CASE("a dnsaddr with a peer takes the records of that peer") {
  const std::string asked = std::string("/dnsaddr/host") + kPeer;
  const std::string mine = std::string("/ip4/192.0.2.1/tcp/1") + kPeer;
  CHECK(record_of(asked, mine) == mine);
  CHECK(record_of(asked, std::string("/ip4/192.0.2.1/tcp/1") + kOther) == "none");
  CHECK(record_of(asked, "/ip4/192.0.2.1/tcp/1") == "none");
  CHECK(record_of(asked, std::string("/dnsaddr/next") + kPeer) == std::string("/dnsaddr/next") + kPeer);
  CHECK(record_of("/dnsaddr/host", mine) == mine);
  CHECK(record_of(std::string("/dnsaddr/host/tcp/1") + kPeer, mine) == mine);
  CHECK(record_of(std::string("/dnsaddr/host/tcp/2") + kPeer, mine) == "none");
}

TEST_CASE("what lies behind a relay is kept, not compared") {
  const std::string relay = std::string("/ip4/192.0.2.1/tcp/1") + kPeer;
  const std::string behind = std::string("/p2p-circuit") + kOther;
  CHECK(record_of(std::string("/dnsaddr/host") + kPeer + behind, relay) == relay + behind);
  CHECK(record_of(std::string("/dnsaddr/host") + kOther + behind, relay) == "none");
}

TEST_CASE("bytes that only look like the end of a record are not it") {
  CHECK(record_of("/dnsaddr/host/tcp/1", "/ip4/192.0.2.1/http-path/%06%00%01") == "none");
  CHECK(record_of("/dnsaddr/host/tcp/1", "/ip4/192.0.2.1/tcp/1") == "/ip4/192.0.2.1/tcp/1");
}
