#pragma once
// The key of a private network (spec: pnet/Private-Networks-PSK-V1).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"

namespace p2pa {

/// A secret that all nodes of a private network share: who does not have it cannot speak to any of them, and
/// learns nothing from trying. It does not tell the nodes from each other; their own keys do. Wiped when it
/// goes.
class PreSharedKey {
 public:
  static constexpr std::size_t kSize = 32;
  /// Longest key file that is read.
  static constexpr std::size_t kFileBytesMax = 256;

  /// From bytes of entropy. REQUIRES kSize of them.
  static PreSharedKey from_bytes(ByteView key32);
  /// The text of a standard key file, as every libp2p has it (swarm.key): "/key/swarm/psk/1.0.0/", then
  /// "/base16/", "/base64/" or "/bin/", each on a line, then the key. kBadKeyFile: anything else.
  static Result<PreSharedKey> parse(ByteView file);

  PreSharedKey(const PreSharedKey&) = default;
  PreSharedKey& operator=(const PreSharedKey&) = default;
  ~PreSharedKey();

  ByteView bytes() const { return bytes_; }
  /// The text of a key file, in base16. The caller keeps it as secret as the key.
  std::string to_file() const;

 private:
  PreSharedKey() = default;
  std::array<std::uint8_t, kSize> bytes_{};
};

}  // namespace p2pa
