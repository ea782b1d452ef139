#include "transport/tcp/road.hpp"

#include <utility>

#include "transport/pnet/pnet_layer.hpp"
#include "transport/tcp/shared.hpp"
#include "transport/tls/web_layer.hpp"
#include "transport/websocket/layer.hpp"
#include "transport/websocket/upgrade.hpp"

namespace p2pa::tcp {

namespace {

/// The field Host of the greeting: a name where we know one, which a reverse proxy goes by.
std::string host_of(const Road& road) {
  const std::uint16_t usual = road.tls ? 443 : 80;
  IpEndpoint remote = road.remote;
  remote.scope = 0;  // says nothing to the other end
  if (road.host.empty()) return remote.to_string();
  return remote.port == usual ? road.host : road.host + ":" + std::to_string(remote.port);
}

/// Null: there is no memory.
std::unique_ptr<ByteLayer> tls_layer(Shared& shared, const Road& road, bool outbound) {
  if (!outbound) return tls::WebLayer::server(shared.web_credentials);
  std::string host = road.host.empty() ? road.remote.ip.to_string() : road.host;
  return tls::WebLayer::client({std::move(host), *shared.web_trust, shared.unix_time()});
}

}  // namespace

std::optional<Road> road_to(const Multiaddr& address) {
  if (const auto plain = tcp_endpoint(address)) return Road{*plain};
  auto web = web_address(address);
  if (!web || (!web->host.empty() && !websocket::is_host(web->host))) return std::nullopt;
  return Road{web->endpoint, true, web->tls, std::move(web->host)};
}

Multiaddr address_of(const Road& road, const IpEndpoint& endpoint) {
  return road.websocket ? web_multiaddr({endpoint, road.tls, road.host}) : tcp_multiaddr(endpoint);
}

IpEndpoint first_hop(const Shared& shared, const Road& road) {
  return shared.config.proxy ? shared.config.proxy->endpoint : road.remote;
}

Result<LayerStack> layers_of(Shared& shared, const Road& road, bool outbound) {
  LayerStack out;
  if (const auto& proxy = shared.config.proxy; proxy && outbound) {
    auto target = proxy::HostPort::make(road.remote);
    if (!target) return std::unexpected(target.error());
    out.add(proxy->url.layer(std::move(*target)));
  }
  if (road.tls) {
    auto tls = tls_layer(shared, road, outbound);
    if (!tls) return fail(Code::kOutOfMemory, "TLS: no memory");
    out.add(std::move(tls));
  }
  if (road.websocket && outbound) out.add(websocket::Layer::client(host_of(road), "/", shared.rng));
  if (road.websocket && !outbound) out.add(websocket::Layer::server());
  // On top: a reverse proxy in front of us does not have the network's key.
  if (shared.config.network_key) out.add(std::make_unique<pnet::Layer>(*shared.config.network_key, shared.rng));
  return out;
}

}  // namespace p2pa::tcp
