#pragma once
// What the peer is told: PEER server | client ADDRESS CASE | alone CASE, and options.

#include <cstdint>
#include <optional>
#include <string>

namespace bench {

struct Options {
  std::string command, address, case_name;
  std::int64_t bytes = 1 << 30;
  std::int64_t size = 64;
  std::int64_t rounds = 20'000;
  std::int64_t depth = 1;
  std::int64_t count = 0;  ///< 0: the case's default
  std::int64_t parallel = 1;
  std::int64_t seconds = 60;
  std::int64_t resume = 0;   ///< connect: dial again from the same node, and so resume
  std::int64_t outward = 0;  ///< idle: one node here, many there
  std::int64_t since_ns = 0; ///< start: when this process was started, CLOCK_MONOTONIC
  std::int64_t outside = 0;  ///< server: at an address of this host that is not loopback's
  std::int64_t tcp = 0;      ///< server: over TCP; the client's address says so
  std::int64_t ws = 0;       ///< likewise, over WebSocket
  std::string wss;           ///< likewise, over WebSocket in TLS: where certificate.pem and key.pem are
  std::int64_t udp = 0;      ///< likewise, by sessions over UDP
  std::int64_t tls = 0;      ///< both: TLS secures TCP, not Noise
  std::int64_t cpu = -1;

  std::int64_t count_or(std::int64_t usual) const { return count == 0 ? usual : count; }
};

/// Nothing: the words make no sense.
std::optional<Options> parse_options(int argc, char** argv);

}  // namespace bench
