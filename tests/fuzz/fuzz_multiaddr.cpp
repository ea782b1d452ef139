#include "address/ip_endpoint.hpp"
#include "address/ip_text.hpp"
#include "address/multiaddr_codec.hpp"
#include "base/assert.hpp"

using namespace p2pa;

namespace {

void check_round_trips(const Multiaddr& address) {
  P2PA_ASSERT(Multiaddr::from_bytes(address.bytes()) == address);
  P2PA_ASSERT(Multiaddr::parse(address.to_string()) == address);
  P2PA_ASSERT(address.components().size() <= Multiaddr::kComponentsMax);
  for (const auto& component : address.components()) P2PA_ASSERT(address.has(component.protocol));
  const Multiaddr bare = address.without_peer_id();
  const bool ends_in_one_peer = !(bare == address) && bare.without_peer_id() == bare;
  if (ends_in_one_peer) P2PA_ASSERT(bare.with_peer_id(*address.peer_id()) == address);
  if (const auto endpoint = quic_endpoint(address)) {
    P2PA_ASSERT(quic_endpoint(quic_multiaddr(*endpoint)) == *endpoint);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto address = Multiaddr::parse(as_text(input))) check_round_trips(*address);
  if (const auto address = Multiaddr::from_bytes(input)) {
    P2PA_ASSERT(as_text(address->bytes()) == as_text(input));
    check_round_trips(*address);
  }
  if (const auto endpoint = IpEndpoint::parse(as_text(input))) {
    P2PA_ASSERT(IpEndpoint::parse(endpoint->to_string()) == *endpoint);
  }
  std::string text;
  if (const auto ip = parse_ip4(as_text(input))) {
    append_ip4(text, *ip);
    P2PA_ASSERT(text == as_text(input));
  }
  if (const auto ip = parse_ip6(as_text(input))) {
    append_ip6(text, *ip);
    P2PA_ASSERT(parse_ip6(text) == *ip);
  }
  if (const auto number = parse_decimal(as_text(input), 0xffff)) P2PA_ASSERT(*number <= 0xffff);
  return 0;
}
