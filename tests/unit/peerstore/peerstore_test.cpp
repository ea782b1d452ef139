#include "peerstore/peerstore.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace p2pa;
using peerstore::Peerstore;
using Source = Peerstore::Source;

namespace {

PeerId peer(std::uint32_t n) {
  Bytes key(36, 0);
  for (int i = 0; i < 4; ++i) key[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n >> (8 * i));
  return PeerId::from_public_key(key);
}

Multiaddr address(int port) {
  return Multiaddr::parse("/ip4/192.0.2.1/udp/" + std::to_string(port) + "/quic-v1").value();
}

}  // namespace

TEST_CASE("an address is kept once and without the peer's name") {
  Peerstore store;
  store.add_address(peer(1), address(1).with_peer_id(peer(1)), Source::kPeer);
  store.add_address(peer(1), address(1), Source::kPeer);
  REQUIRE(store.addresses(peer(1)).size() == 1);
  CHECK(store.addresses(peer(1))[0] == address(1));
  CHECK(store.addresses(peer(2)).empty());
}

TEST_CASE("what worked last comes first, then what the host said, then what the peer claimed") {
  Peerstore store;
  store.add_address(peer(1), address(1), Source::kPeer);
  store.add_address(peer(1), address(2), Source::kPeer);
  store.add_address(peer(1), address(3), Source::kHost);
  CHECK_FALSE(store.worked_last(peer(1)).has_value());
  CHECK_FALSE(store.worked_last(peer(2)).has_value());
  store.mark_good(peer(1), address(2));
  CHECK(store.worked_last(peer(1)) == address(2));
  const auto known = store.addresses(peer(1));
  CHECK(known == std::vector<Multiaddr>{address(2), address(3), address(1)});
}

TEST_CASE("one address over the bound pushes out a claim, never what the host said") {
  Peerstore store;
  store.add_address(peer(1), address(1), Source::kHost);
  const int bound = static_cast<int>(peerstore::kAddressesPerPeerMax);
  for (int port = 2; port <= bound + 10; ++port) {
    store.add_address(peer(1), address(port), Source::kPeer);
  }
  const auto known = store.addresses(peer(1));
  CHECK(known.size() == peerstore::kAddressesPerPeerMax);
  CHECK(known.front() == address(1));
  CHECK(known.back() == address(bound + 10));
}

TEST_CASE("the address that worked last is not pushed out, and another success takes its place") {
  Peerstore store;
  store.mark_good(peer(1), address(1));
  const int bound = static_cast<int>(peerstore::kAddressesPerPeerMax);
  for (int port = 2; port <= bound + 10; ++port) {
    store.add_address(peer(1), address(port), port % 2 == 0 ? Source::kHost : Source::kPeer);
  }
  CHECK(store.addresses(peer(1)).size() == peerstore::kAddressesPerPeerMax);
  CHECK(store.addresses(peer(1)).front() == address(1));
  for (int port = 100; port < 100 + bound; ++port) store.add_address(peer(1), address(port), Source::kHost);
  CHECK(store.addresses(peer(1)).front() == address(1));
  store.mark_good(peer(1), address(110));
  CHECK(store.addresses(peer(1)).front() == address(110));
}

TEST_CASE("one peer over the bound makes the longest untouched one forgotten") {
  Peerstore store;
  const auto bound = static_cast<std::uint32_t>(peerstore::kPeersMax);
  for (std::uint32_t n = 0; n < bound; ++n) store.add_address(peer(n), address(1), Source::kPeer);
  store.add_address(peer(0), address(2), Source::kPeer);  // touched
  store.add_address(peer(bound), address(1), Source::kPeer);
  CHECK(store.size() == peerstore::kPeersMax);
  CHECK(store.addresses(peer(0)).size() == 2);
  CHECK(store.addresses(peer(1)).empty());
}

TEST_CASE("identify's answer replaces the one before") {
  Peerstore store;
  CHECK(store.info(peer(1)) == nullptr);
  PeerInfo info;
  info.peer = peer(1);
  info.agent_version = "a/1";
  store.set_info(info);
  info.agent_version = "a/2";
  store.set_info(info);
  REQUIRE(store.info(peer(1)) != nullptr);
  CHECK(store.info(peer(1))->agent_version == "a/2");
}

TEST_CASE("invented peers do not make us forget those that the host named") {  // GHSA-gcq9-qqwx-rgj3
  Peerstore store;
  const auto bound = static_cast<std::uint32_t>(peerstore::kPeersMax);
  store.add_address(peer(0), address(1), Source::kPeer);
  store.add_address(peer(0), address(2), Source::kHost);
  for (std::uint32_t n = 1; n < 2 * bound; ++n) store.add_address(peer(n), address(1), Source::kPeer);
  CHECK(store.size() == peerstore::kPeersMax);
  CHECK(store.addresses(peer(0)).size() == 2);
}

TEST_CASE("what peers claim fills a bounded number of bytes") {  // GHSA-gcq9-qqwx-rgj3
  Peerstore store;
  PeerInfo info;
  info.protocols.assign(200, std::string(200, 'p'));
  std::size_t one = 0;
  for (std::uint32_t n = 0; n < 2000; ++n) {
    info.peer = peer(n);
    store.set_info(info);
    if (n == 0) one = store.bytes();
    REQUIRE(store.bytes() <= peerstore::kBytesMax);
  }
  CHECK(one > 40'000);
  CHECK(store.bytes() + one > peerstore::kBytesMax);
  CHECK(store.info(peer(1999)) != nullptr);
  CHECK(store.info(peer(0)) == nullptr);
  info.protocols.clear();  // said again, and shorter
  info.peer = peer(1999);
  const std::size_t before = store.bytes();
  store.set_info(info);
  CHECK(store.bytes() + 40'000 < before);
}

TEST_CASE("the last peer of all is kept, whatever it claims") {
  Peerstore store;
  store.add_address(peer(1), address(1), Source::kHost);
  PeerInfo info;
  info.peer = peer(2);
  info.protocols.assign(1000, std::string(peerstore::kBytesMax / 1000, 'p'));
  store.set_info(info);
  CHECK(store.info(peer(2)) != nullptr);
  CHECK(store.size() == 1);
  CHECK(store.addresses(peer(1)).empty());
}
