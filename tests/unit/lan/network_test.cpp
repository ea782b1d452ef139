#include "lan/network.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace p2pa::lan {
namespace {

PreSharedKey secret(std::uint8_t fill) { return PreSharedKey::from_bytes(Bytes(PreSharedKey::kSize, fill)); }

Bytes datagram(const Network& network, std::uint64_t number = 1) {
  Bytes out;
  append_header(out, {Kind::kMessage, network.id(), Id16{9}, number});
  for (const char c : std::string_view("the body")) out.push_back(static_cast<std::uint8_t>(c));
  network.seal(out);
  return out;
}

bool opens(const Network& network, const Bytes& sealed) {
  Bytes scratch;
  const auto body = network.open(*decode_header(sealed), sealed, scratch);
  return body && as_text(*body) == "the body";
}

TEST_CASE("applications and keys are networks of their own") {
  const Network networks[] = {Network("", {}), Network("a", {}), Network("", secret(1)), Network("a", secret(1)),
                              Network("", secret(2)), Network(std::string(32, '\1'), {})};
  for (const Network& one : networks) {
    CHECK(std::ranges::count(networks, one.id(), &Network::id) == 1);
  }
  CHECK(Network("a", secret(1)).id() == networks[3].id());
}

TEST_CASE("an open network's datagrams are as they are") {
  const Network network("a", {});
  CHECK(opens(network, datagram(network)));
  CHECK(datagram(network).size() == kHeaderBytes + 8);
}

TEST_CASE("a private network's datagrams say nothing to others, and others cannot make any") {
  const Network network("a", secret(1)), same("a", secret(1)), other("a", secret(2));
  const Bytes sealed = datagram(network);
  CHECK(opens(same, sealed));
  CHECK_FALSE(opens(other, sealed));
  CHECK(std::ranges::search(sealed, std::string_view("body")).empty());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    if (i < 6) continue;  // the header is not decoded then
    Bytes bad = sealed;
    bad[i] ^= 1;
    CHECK_FALSE(opens(same, bad));
  }
  Bytes scratch;
  const ByteView cut = ByteView(sealed).first(kHeaderBytes + 15);
  CHECK(network.open(*decode_header(cut), cut, scratch).error().code == Code::kMalformed);
}

TEST_CASE("no two datagrams of a private network are sealed alike") {
  const Network network("a", secret(1));
  const Bytes one = datagram(network, 1), two = datagram(network, 2);
  CHECK_FALSE(std::equal(one.begin() + kHeaderBytes, one.end(), two.begin() + kHeaderBytes));
}

}  // namespace
}  // namespace p2pa::lan
