#include <catch2/catch.hpp>
#include <initializer_list>
#include <string>
#include <utility>

#include "address/multiaddr_codec.hpp"
#include "base/varint.hpp"
#include "p2pagents/multiaddr.hpp"
#include "support/hex.hpp"

using namespace p2pa;
using Protocol = Multiaddr::Protocol;
using test::from_hex;
using test::to_hex;

namespace {

const std::string kRelay = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
const std::string kTarget = "12D3KooWCryG7Mon9orvQxcS1rYZjotPgpwoJNHHKcLLfE4Hf5mV";

Multiaddr address(const std::string& text) {
  const auto parsed = Multiaddr::parse(text);
  INFO(text);
  REQUIRE(parsed);
  return *parsed;
}

Bytes repeated(const char* hex, std::size_t times) {
  Bytes out;
  for (std::size_t i = 0; i < times; ++i) {
    const Bytes one = from_hex(hex);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

}  // namespace

TEST_CASE("components come in order, with raw values") {
  const Multiaddr a = address("/ip4/192.0.2.1/udp/4001/quic-v1/p2p/" + kRelay);
  const auto components = a.components();
  REQUIRE(components.size() == 4);
  CHECK(components[0].protocol == Protocol::kIp4);
  CHECK(to_hex(components[0].value) == "c0000201");
  CHECK(to_hex(components[1].value) == "0fa1");
  CHECK(components[2].protocol == Protocol::kQuicV1);
  CHECK(components[2].value.empty());
  CHECK(PeerId::from_bytes(components[3].value)->to_string() == kRelay);
}

TEST_CASE("find gives the first value of a kind") {
  const Multiaddr a = address("/ip4/192.0.2.1/udp/1/quic-v1/udp/2");
  CHECK(to_hex(*a.find(Protocol::kUdp)) == "0001");
  CHECK(a.find(Protocol::kQuicV1)->empty());
  CHECK(a.has(Protocol::kQuicV1));
  CHECK_FALSE(a.has(Protocol::kTcp));
  CHECK_FALSE(Multiaddr().has(Protocol::kTcp));
}

TEST_CASE("the peer id is of who answers: the last one, and not a relay's") {
  CHECK_FALSE(address("/ip4/192.0.2.1/udp/1/quic-v1").peer_id());
  CHECK(address("/ip4/192.0.2.1/udp/1/quic-v1/p2p/" + kRelay).peer_id()->to_string() == kRelay);
  CHECK(address("/p2p/" + kRelay + "/p2p-circuit/p2p/" + kTarget).peer_id()->to_string() == kTarget);
  CHECK_FALSE(address("/p2p/" + kRelay + "/p2p-circuit").peer_id());
  CHECK_FALSE(Multiaddr().peer_id());
}

TEST_CASE("a peer id is put at the end, replaced and taken away") {
  const Multiaddr bare = address("/ip4/192.0.2.1/udp/1/quic-v1");
  const PeerId relay = *PeerId::parse(kRelay), target = *PeerId::parse(kTarget);
  CHECK(bare.with_peer_id(relay).to_string() == "/ip4/192.0.2.1/udp/1/quic-v1/p2p/" + kRelay);
  CHECK(bare.with_peer_id(relay).with_peer_id(target) == bare.with_peer_id(target));
  CHECK(bare.with_peer_id(relay).without_peer_id() == bare);
  CHECK(bare.without_peer_id() == bare);
  CHECK(address("/p2p/" + kRelay).without_peer_id().empty());
  const Multiaddr circuit = address("/p2p/" + kRelay + "/p2p-circuit");
  CHECK(circuit.without_peer_id() == circuit);
  CHECK(circuit.with_peer_id(target).to_string() == "/p2p/" + kRelay + "/p2p-circuit/p2p/" + kTarget);
  CHECK(Multiaddr().with_peer_id(relay).to_string() == "/p2p/" + kRelay);
}

TEST_CASE("addresses join, unless the whole would be none") {
  CHECK((address("/ip4/192.0.2.1") / address("/tcp/1")).to_string() == "/ip4/192.0.2.1/tcp/1");
  CHECK(Multiaddr() / address("/tcp/1") == address("/tcp/1"));
  CHECK(address("/tcp/1") / Multiaddr() == address("/tcp/1"));
  CHECK((address("/unix/a") / address("/tcp/1")).empty());
  const Multiaddr half = *Multiaddr::from_bytes(repeated("061234", 17));
  CHECK((half / half).empty());
}

TEST_CASE("where a WebSocket is has the bytes and the text of other implementations") {
  const std::string ip = "04c0000201", port = "0601bb", name = "0b6578616d706c652e636f6d";  // example.com
  for (const auto& [text, hex] : std::initializer_list<std::pair<std::string, std::string>>{
           {"/ip4/192.0.2.1/tcp/443/ws", ip + port + "dd03"},
           {"/ip4/192.0.2.1/tcp/443/wss", ip + port + "de03"},
           {"/ip4/192.0.2.1/tcp/443/tls/ws", ip + port + "c003dd03"},
           {"/ip4/192.0.2.1/tcp/443/tls/sni/example.com/ws", ip + port + "c003c103" + name + "dd03"},
           {"/dns4/example.com/tcp/443/wss", "36" + name + port + "de03"},
           {"/dns6/example.com/tcp/443/tls/ws", "37" + name + port + "c003dd03"},
           {"/dns/example.com/tcp/443/ws", "35" + name + port + "dd03"}}) {
    CHECK(to_hex(address(text).bytes()) == hex);
    const auto read = Multiaddr::from_bytes(from_hex(hex));
    REQUIRE(read);
    CHECK(read->to_string() == text);
  }
  CHECK_FALSE(Multiaddr::parse("/dns4/example.com/tcp/443/tls/sni"));
  CHECK_FALSE(Multiaddr::parse("/dns4/example.com/tcp/443/tls/sni//ws"));
}

TEST_CASE("addresses are ordered by their bytes") {
  CHECK(address("/ip4/1.2.3.4") < address("/ip4/1.2.3.5"));
  CHECK(address("/ip4/1.2.3.4") < address("/ip6/::1"));
  CHECK(Multiaddr() < address("/ip4/1.2.3.4"));
}

TEST_CASE("components are bounded") {
  CHECK(Multiaddr::from_bytes(repeated("061234", Multiaddr::kComponentsMax)));
  CHECK(Multiaddr::from_bytes(repeated("061234", Multiaddr::kComponentsMax + 1)).error() ==
        Error{Code::kMalformed, Multiaddr::kComponentsMax, ""});
  std::string text;
  for (std::size_t i = 0; i <= Multiaddr::kComponentsMax; ++i) text += "/tcp/1";
  CHECK_FALSE(Multiaddr::parse(text));
}

TEST_CASE("bytes are bounded, in binary and in text") {
  const auto dns_of = [](std::size_t size) {
    Bytes out;
    append_component(out, Protocol::kDns, Bytes(size, 'a'));
    return out;
  };
  const Bytes longest = dns_of(Multiaddr::kBytesMax - 3);
  REQUIRE(longest.size() == Multiaddr::kBytesMax);
  const auto parsed = Multiaddr::from_bytes(longest);
  REQUIRE(parsed);
  CHECK(Multiaddr::parse(parsed->to_string()) == *parsed);
  CHECK(Multiaddr::from_bytes(dns_of(Multiaddr::kBytesMax - 2)).error() ==
        Error{Code::kMalformed, Multiaddr::kBytesMax, ""});
  CHECK_FALSE(Multiaddr::parse("/dns/" + std::string(Multiaddr::kBytesMax - 2, 'a')));
  CHECK_FALSE(Multiaddr::parse("/dns/" + std::string(1'000'000, 'a')));
  // The longest text that a legal address has.
  Bytes path;
  append_component(path, Protocol::kHttpPath, Bytes(Multiaddr::kBytesMax - 4, 0x80));
  const auto widest = Multiaddr::from_bytes(path);
  REQUIRE(widest);
  CHECK(Multiaddr::parse(widest->to_string()) == *widest);
}

TEST_CASE("binary that is no address is malformed") {
  for (const char* hex : {"", "04", "047f0000", "067f", "29", "9102", "3500", "350361", "35ffffffffffffffff7f61",
                          "35ffffffffffffffffff01", "8400", "047f00000104", "2a00", "2a012f", "35012f", "350100",
                          "35017f", "90030161", "9003012f", "9003032f612f", "9003022f610601bb", "a50300",
                          "a503020000", "a5030411020000", "d20300", "d2030112", "d203021220", "e10300", "2b",
                          "890600"}) {
    INFO(hex);
    CHECK(Multiaddr::from_bytes(from_hex(hex)).error().code == Code::kMalformed);
  }
}

TEST_CASE("a protocol that is not known is told apart, in binary and in text") {
  CHECK(Multiaddr::from_bytes(from_hex("210001")).error() == Error{Code::kUnsupported, 33, ""});
  CHECK(Multiaddr::from_bytes(from_hex("047f000001bc03")).error().code == Code::kUnsupported);
  CHECK(Multiaddr::parse("/ip4/127.0.0.1/sctp/1").error().code == Code::kUnsupported);
}

TEST_CASE("names that would break the text are refused in either form") {
  for (const Protocol protocol : {Protocol::kIp6Zone, Protocol::kDns, Protocol::kDns4, Protocol::kDns6,
                                  Protocol::kDnsAddr, Protocol::kSni}) {
    CHECK(check_value(protocol, as_bytes("example.com")));
    CHECK(check_value(protocol, as_bytes("m\xc3\xbcnchen.de")));
    for (const std::string& bad : {std::string(), std::string("a/b"), std::string("a\nb"), std::string("a\0b", 3)}) {
      CHECK_FALSE(check_value(protocol, as_bytes(bad)));
    }
  }
}

TEST_CASE("an http path is percent-encoded in text and raw in binary") {
  const Multiaddr a = address("/http-path/a%2Fb%20c%25%c3%a9");
  CHECK(as_text(*a.find(Protocol::kHttpPath)) == "a/b c%\xc3\xa9");
  CHECK(a.to_string() == "/http-path/a%2Fb%20c%25%C3%A9");
  CHECK(as_text(*address("/http-path/a+b").find(Protocol::kHttpPath)) == "a+b");
}

TEST_CASE("a unix path takes all the rest, slashes and names of protocols too") {
  const Multiaddr a = address("/ip4/127.0.0.1/unix/tmp//tcp/1/s.sock/");
  CHECK(as_text(*a.find(Protocol::kUnix)) == "/tmp//tcp/1/s.sock");
  CHECK(a.to_string() == "/ip4/127.0.0.1/unix/tmp//tcp/1/s.sock");
}

TEST_CASE("every protocol is found by its name and by its code") {
  for (std::uint64_t code = 0; code < 1000; ++code) {
    const ProtocolInfo* info = protocol_coded(code);
    if (info == nullptr) continue;
    CHECK(protocol_named(info->name) == info);
  }
  CHECK(protocol_named("ipfs") == protocol_named("p2p"));
  CHECK(protocol_named("") == nullptr);
  CHECK(protocol_coded(1 << 20) == nullptr);
}
