#include "transport.hpp"

#include <map>

namespace interop {

const Transport* transport(const std::string& name) {
  using enum p2pa::Security;
  static const std::map<std::string, Transport> all = [] {
    std::map<std::string, Transport> out = {{"quic", {"/udp/0/quic-v1", {kNoise, kTls}, false}}};
    const std::pair<std::string, Transport> streams[] = {
        {"tcp", {"/tcp/0", {}, false}}, {"ws", {"/tcp/0/ws", {}, false}}, {"wss", {"/tcp/0/tls/ws", {}, true}}};
    for (const auto& [below, how] : streams) {
      out[below] = {how.listen, {kNoise, kTls}, how.web};
      out[below + "-noise"] = {how.listen, {kNoise}, how.web};
      out[below + "-tls"] = {how.listen, {kTls}, how.web};
    }
    return out;
  }();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace interop
