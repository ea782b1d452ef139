#pragma once
// The values of --transport (../README.md, "Contract of a peer program").

#include <string>
#include <vector>

#include "p2pagents/node.hpp"

namespace interop {

struct Transport {
  const char* listen;                    ///< behind the IP address
  std::vector<p2pa::Security> security;  ///< of what is not QUIC
  bool web;                              ///< needs a certificate
};

/// Null when there is no such one.
const Transport* transport(const std::string& name);

}  // namespace interop
