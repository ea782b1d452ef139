#include "transport/tcp/road.hpp"

#include "transport/pnet/pnet_layer.hpp"
#include "transport/tcp/shared.hpp"

namespace p2pa::tcp {

std::optional<Road> road_to(const Multiaddr& address) {
  if (const auto plain = tcp_endpoint(address)) return Road{*plain};
  if (auto web = web_address(address)) return Road{web->endpoint, true, web->tls, std::move(web->host)};
  return std::nullopt;
}

Multiaddr address_of(const Road& road, const IpEndpoint& endpoint) {
  return road.websocket ? web_multiaddr({endpoint, road.tls, road.host}) : tcp_multiaddr(endpoint);
}

LayerStack layers_of(Shared& shared, const Road&, bool) {
  LayerStack out;
  // On top: a reverse proxy in front of us does not have the network's key.
  if (shared.config.network_key) out.add(std::make_unique<pnet::Layer>(*shared.config.network_key, shared.rng));
  return out;
}

}  // namespace p2pa::tcp
