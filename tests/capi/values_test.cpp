#include "support.hpp"

using namespace p2pa::test;

namespace {
constexpr std::string_view kPeer = "12D3KooWE3QvdF43Fk5boAjuPAx6fzBaDMhuELm2K2rPyR2mECHk";
}

TEST_CASE("a peer id goes through its text and back") {
  p2pa_peer peer;
  REQUIRE(p2pa_peer_parse(kPeer.data(), kPeer.size(), &peer) == P2PA_OK);
  char text[64];
  std::size_t size = sizeof text;
  REQUIRE(p2pa_peer_text(&peer, text, &size) == P2PA_OK);
  CHECK(std::string(text, size) == kPeer);
  CHECK(text[size] == '\0');
}

TEST_CASE("a buffer that is too small says how much is needed and is left alone") {
  p2pa_peer peer;
  REQUIRE(p2pa_peer_parse(kPeer.data(), kPeer.size(), &peer) == P2PA_OK);
  char text[64] = "untouched";
  std::size_t size = kPeer.size();  // one short: the NUL
  CHECK(p2pa_peer_text(&peer, text, &size) == P2PA_E_BUFFER_TOO_SMALL);
  CHECK(size == kPeer.size() + 1);
  CHECK(std::string(text) == "untouched");
  CHECK(p2pa_peer_text(&peer, text, &size) == P2PA_OK);
  size = 0;
  CHECK(p2pa_peer_text(&peer, nullptr, &size) == P2PA_E_BUFFER_TOO_SMALL);
  CHECK(size == kPeer.size() + 1);
}

TEST_CASE("what is no peer id is refused") {
  p2pa_peer peer{};
  CHECK(p2pa_peer_parse("", 0, &peer) == P2PA_E_MALFORMED);
  CHECK(p2pa_peer_parse("hello", 5, &peer) == P2PA_E_MALFORMED);
  CHECK(p2pa_peer_parse(kPeer.data(), kPeer.size() - 1, &peer) == P2PA_E_MALFORMED);
  std::size_t size = 0;
  CHECK(p2pa_peer_text(&peer, nullptr, &size) == P2PA_E_MALFORMED);  // all zero: nobody
  peer.size = 255;
  CHECK(p2pa_peer_text(&peer, nullptr, &size) == P2PA_E_MALFORMED);
}

TEST_CASE("the peer that an address names is found") {
  const std::string address = "/ip4/192.0.2.1/udp/4001/quic-v1/p2p/" + std::string(kPeer);
  p2pa_peer named, parsed;
  REQUIRE(p2pa_address_peer(address.data(), address.size(), &named) == P2PA_OK);
  REQUIRE(p2pa_peer_parse(kPeer.data(), kPeer.size(), &parsed) == P2PA_OK);
  CHECK(std::memcmp(&named, &parsed, sizeof named) == 0);
  CHECK(p2pa_address_peer("/ip4/192.0.2.1/udp/4001/quic-v1", 31, &named) == P2PA_E_NOT_FOUND);
  CHECK(p2pa_address_peer("/ip4/nowhere", 12, &named) == P2PA_E_MALFORMED);
}

TEST_CASE("a generated key belongs to the node that is opened with it") {
  std::uint8_t key[128];
  std::size_t size = 0;
  REQUIRE(p2pa_key_generate(key, &size) == P2PA_E_BUFFER_TOO_SMALL);
  REQUIRE(size <= sizeof key);
  REQUIRE(p2pa_key_generate(key, &size) == P2PA_OK);
  p2pa_peer peer;
  REQUIRE(p2pa_key_peer(key, size, &peer) == P2PA_OK);
  const Node node([&](p2pa_node_options& o) {
    o.key = key;
    o.key_size = size;
  });
  CHECK(std::memcmp(&peer, node.peer(), sizeof peer) == 0);
}

TEST_CASE("what is no key is refused") {
  p2pa_peer peer;
  const std::uint8_t junk[33] = {1, 2, 3};
  CHECK(p2pa_key_peer(junk, 33, &peer) == P2PA_E_BAD_KEY);
  CHECK(p2pa_key_peer(junk, 31, &peer) == P2PA_E_BAD_KEY);
  CHECK(p2pa_key_peer(nullptr, 0, &peer) == P2PA_E_BAD_KEY);
  CHECK(p2pa_key_peer(junk, 32, &peer) == P2PA_OK);  // any 32 bytes are a seed
}
