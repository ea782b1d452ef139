#include "transport.hpp"

#include <map>

namespace interop {

const Transport* transport(const std::string& name) {
  using enum p2pa::Security;
  static const std::map<std::string, Transport> all = {
      {"quic", {"/udp/0/quic-v1", {kNoise, kTls}}},
      {"tcp", {"/tcp/0", {kNoise, kTls}}},
      {"tcp-noise", {"/tcp/0", {kNoise}}},
      {"tcp-tls", {"/tcp/0", {kTls}}},
  };
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace interop
