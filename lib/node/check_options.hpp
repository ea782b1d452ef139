#pragma once
#include "p2pagents/node.hpp"
#include "transport/tcp/endpoint.hpp"

namespace p2pa {

/// kInvalidArgument: with these bounds and times no node could work; the sentence names the field.
/// What is wrong with an address is told by kListenFailed.
Result<void> check_options(const NodeOptions& options);

/// Could a node with these options listen there? kUnsupported: why never.
Result<void> check_listen(const Multiaddr& address, const NodeOptions& options);

/// NodeOptions::proxy. kInvalidArgument, kUnsupported: what is wrong with it.
Result<tcp::Proxy> proxy_of(const std::string& url);

}  // namespace p2pa
