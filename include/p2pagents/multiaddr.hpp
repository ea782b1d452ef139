#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/peer_id.hpp"

namespace p2pa {

/// A self-describing network address, `/ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3KooW…`
/// (spec: addressing/README.md, multiformats/multiaddr). A value: always valid, kept in binary.
class Multiaddr {
 public:
  /// Bounds on what a peer may send us.
  static constexpr std::size_t kBytesMax = 1024;
  static constexpr std::size_t kComponentsMax = 32;

  /// Protocol codes (multicodec table). Those that carry a value say so in `Component::value`.
  enum class Protocol : std::uint32_t {
    kIp4 = 4, kTcp = 6, kIp6 = 41, kIp6Zone = 42, kIpCidr = 43, kDns = 53, kDns4 = 54,
    kDns6 = 55, kDnsAddr = 56, kUdp = 273, kWebrtcDirect = 280, kWebrtc = 281,
    kP2pCircuit = 290, kUnix = 400, kP2p = 421, kTls = 448, kSni = 449, kNoise = 454,
    kQuic = 460, kQuicV1 = 461, kWebtransport = 465, kCerthash = 466, kWs = 477, kWss = 478,
    kHttp = 480, kHttpPath = 481, kMemory = 777,
    kP2paUdp = 0x300001,  ///< ours (docs/wire/udp.md), of the range for private use
  };
  struct Component {
    Protocol protocol;
    ByteView value;  ///< raw bytes, points into the Multiaddr; empty where the protocol has none
  };

  Multiaddr() = default;  ///< empty
  /// kUnsupported: a protocol that is not listed above. kMalformed: anything else that is wrong, the
  /// empty address included.
  static Result<Multiaddr> parse(std::string_view text);
  static Result<Multiaddr> from_bytes(ByteView binary);

  bool empty() const { return bytes_.empty(); }
  ByteView bytes() const { return bytes_; }
  std::string to_string() const;
  std::vector<Component> components() const;
  /// The value of the first component of this kind.
  std::optional<ByteView> find(Protocol protocol) const;
  bool has(Protocol protocol) const { return find(protocol).has_value(); }
  /// Who answers there: the PeerId of the last /p2p component that no /p2p-circuit follows.
  std::optional<PeerId> peer_id() const;
  /// The same address with / without a trailing /p2p/<id>. `id` is not empty.
  Multiaddr with_peer_id(const PeerId& id) const;
  Multiaddr without_peer_id() const;
  /// This address followed by another. Empty where that is none: over a bound, or after a unix path.
  Multiaddr operator/(const Multiaddr& rest) const;

  friend bool operator==(const Multiaddr&, const Multiaddr&) = default;
  /// By bytes.
  friend std::strong_ordering operator<=>(const Multiaddr& a, const Multiaddr& b);

 private:
  Bytes bytes_;
};

}  // namespace p2pa
