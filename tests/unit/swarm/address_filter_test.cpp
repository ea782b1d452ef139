#include "swarm/address_filter.hpp"

#include <catch2/catch.hpp>

using namespace p2pa;
using swarm::AddressFilter;
using Verdict = AddressFilter::Verdict;

namespace {

Multiaddr address(const char* ip) {
  const std::string family = std::string_view(ip).find(':') == std::string_view::npos ? "/ip4/" : "/ip6/";
  return Multiaddr::parse(family + ip + "/udp/4001/quic-v1").value();
}
InterfaceAddress own(const char* ip, std::uint8_t bits) { return {IpAddress::parse(ip).value(), bits}; }

AddressFilter at_home(DialPrivate policy = DialPrivate::kSameSubnet) {
  AddressFilter filter(policy);
  filter.set_interfaces({own("127.0.0.1", 8), own("192.168.1.7", 24), own("fd00:5::7", 64), own("8.8.4.4", 24)});
  return filter;
}

constexpr const char* kOfOthers[] = {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.2.7", "100.64.0.1",
                                     "100.127.9.9", "169.254.1.1", "fd00:6::7", "fe80::1"};

}  // namespace

TEST_CASE("private addresses of other networks are not dialed, those of ours and public ones are") {
  const AddressFilter filter = at_home();
  for (const char* ip : kOfOthers) {
    INFO(ip);
    CHECK(filter.check(address(ip), {}) == Verdict::kSkip);
  }
  for (const char* ip : {"192.168.1.9", "fd00:5::9", "8.8.8.8", "2a00::1", "172.32.0.1", "100.63.0.1"}) {
    INFO(ip);
    CHECK(filter.check(address(ip), {}) == Verdict::kDial);
  }
  CHECK(filter.check(Multiaddr::parse("/dns4/example.com/tcp/1").value(), {}) == Verdict::kDial);
  CHECK(filter.check(Multiaddr::parse("/ip4/10.0.0.1/tcp/1/p2p-circuit").value(), {}) == Verdict::kSkip);
}

TEST_CASE("before the interfaces are known only what depends on them waits") {
  const AddressFilter filter(DialPrivate::kSameSubnet);
  CHECK(filter.check(address("8.8.8.8"), {}) == Verdict::kDial);
  CHECK(filter.check(address("10.0.0.1"), {}) == Verdict::kAskAgain);
  CHECK(filter.check(address("127.0.0.1"), {}) == Verdict::kAskAgain);
}

TEST_CASE("loopback is dialed for a peer that was reached on this host, and by who listens there") {
  AddressFilter filter = at_home();
  const auto loopback = address("127.0.0.1");
  CHECK(filter.check(loopback, {}) == Verdict::kSkip);
  CHECK(filter.check(loopback, address("192.168.1.9")) == Verdict::kSkip);
  CHECK(filter.check(loopback, address("192.168.1.7")) == Verdict::kDial);
  CHECK(filter.check(loopback, address("127.0.0.1")) == Verdict::kDial);
  CHECK(filter.check(address("::1"), address("127.0.0.1")) == Verdict::kDial);
  filter.set_listens_on_loopback(true);
  CHECK(filter.check(loopback, {}) == Verdict::kDial);
  CHECK(filter.check(address("10.0.0.1"), {}) == Verdict::kSkip);
}

TEST_CASE("who wants all private addresses, or none, gets them") {
  for (const char* ip : kOfOthers) {
    CHECK(at_home(DialPrivate::kAll).check(address(ip), {}) == Verdict::kDial);
    CHECK(AddressFilter(DialPrivate::kAll).check(address(ip), {}) == Verdict::kDial);
    CHECK(at_home(DialPrivate::kNone).check(address(ip), {}) == Verdict::kSkip);
  }
  CHECK(at_home(DialPrivate::kNone).check(address("192.168.1.9"), {}) == Verdict::kSkip);
  CHECK(at_home(DialPrivate::kNone).check(address("127.0.0.1"), address("127.0.0.1")) == Verdict::kSkip);
  CHECK(at_home(DialPrivate::kNone).check(address("8.8.8.8"), {}) == Verdict::kDial);
}

TEST_CASE("other interfaces are another network, the same in another order are not") {
  AddressFilter filter(DialPrivate::kSameSubnet);
  CHECK_FALSE(filter.set_interfaces({own("10.0.0.1", 8), own("8.8.4.4", 24)}));  // the first time
  CHECK_FALSE(filter.set_interfaces({own("8.8.4.4", 24), own("10.0.0.1", 8)}));
  CHECK(filter.set_interfaces({own("8.8.4.4", 24), own("10.0.0.1", 16)}));
  CHECK(filter.check(address("10.1.0.1"), {}) == Verdict::kSkip);
  CHECK(filter.set_interfaces({}));
}
