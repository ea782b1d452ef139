#pragma once
// One stream of a dialer that sends and receives.

#include <sodium.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "session.hpp"

namespace interop {

/// Sends `to_send` bytes made by `fill`, reads to the end.
struct Exchange {
  std::function<void(p2pa::MutableBytes)> fill;
  std::function<void(p2pa::ByteView)> take;
  std::uint64_t to_send = 0;
  bool keep_open = false;  ///< do not finish
  p2pa::Bytes pending{};
  std::uint64_t received = 0;
  bool at_end = false;
  std::optional<p2pa::Error> ended{};
  p2pa::AgentStream* stream = nullptr;

  void pump();
  void read();
};
using Exchanging = std::shared_ptr<Exchange>;

void start(Session& s, const char* protocol, const Exchanging& exchange);
/// Waits for its end, which has to be a good one.
Outcome finish(Session& s, const Exchanging& exchange);

/// What went each way.
struct Hashed {
  unsigned char seed[randombytes_SEEDBYTES];  ///< of the next piece that is sent
  crypto_hash_sha256_state sent, received;
  Hashed();
};
std::string hex_digest(crypto_hash_sha256_state& state);

/// An exchange whose bytes are random and hashed both ways.
Exchanging hashed_exchange(std::uint64_t bytes, const std::shared_ptr<Hashed>& hashes);

}  // namespace interop
