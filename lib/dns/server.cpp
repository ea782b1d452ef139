#include "dns/server.hpp"

namespace p2pa::dns {

Result<IpEndpoint> parse_server(std::string_view text) {
  IpEndpoint server;
  if (const auto ip = IpAddress::parse(text)) {
    server = {*ip, kServerPort, 0};
  } else if (const auto endpoint = IpEndpoint::parse(text)) {
    server = *endpoint;
  }
  if (server.port == 0 || server.scope != 0 || server.ip.is_unspecified()) {
    return fail(Code::kInvalidArgument, "not the address of a name server");
  }
  return server;
}

}  // namespace p2pa::dns
