#pragma once
#include <vector>

#include "address/interface_address.hpp"

namespace p2pa::io {

/// Unicast addresses of the interfaces that are up, loopback and link-local ones included, each
/// once. Errors: kIo (detail: errno).
Result<std::vector<InterfaceAddress>> interface_addresses();

}  // namespace p2pa::io
