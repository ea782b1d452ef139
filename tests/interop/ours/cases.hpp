#pragma once
// The cases that a dialer runs (../README.md, "peer dial ADDR CASE").

#include <cstdint>
#include <optional>
#include <string>

#include "peer.hpp"

namespace interop {

struct DialOptions {
  std::string address, name;
  NodeFlags node;
  double timeout_s = 60;
  int rounds = 10, pings_first = 0;
  std::optional<std::uint64_t> bytes;
  std::uint64_t upload_bytes = 16 << 20, download_bytes = 16 << 20;
  int count = 1000, parallel = 100, reset_every = 10;
  double idle_s = 35, soak_s = 10;
};

bool known_case(const std::string& name);
/// Runs one case, prints its line, stays until standard input ends. Exit code.
int run_dialer(const DialOptions& options);

}  // namespace interop
