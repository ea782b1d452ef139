#pragma once
// Messages of /ipfs/id/1.0.0 and /ipfs/id/push/1.0.0 (spec: identify/README.md).

#include <optional>
#include <string>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/multiaddr.hpp"

namespace p2pa::identify {

/// What is kept of what a peer says of itself; the surplus is left out.
inline constexpr std::size_t kProtocolsMax = 256;
inline constexpr std::size_t kProtocolBytesMax = 256;
inline constexpr std::size_t kAddressesMax = 64;
inline constexpr std::size_t kVersionBytesMax = 256;

/// One Identify message, or several of one stream merged. Absent fields were not in it.
struct Message {
  std::optional<Bytes> public_key;
  std::optional<std::vector<Multiaddr>> listen_addresses;
  std::optional<std::vector<std::string>> protocols;
  std::optional<Multiaddr> observed_address;
  std::optional<std::string> protocol_version;
  std::optional<std::string> agent_version;
  std::optional<Bytes> signed_peer_record;  ///< the envelope, unopened
};

/// Without a length in front. Empty lists leave no trace: the wire cannot tell them from absent ones.
Bytes encode(const Message& message);

/// Adds what is in `protobuf` to `into`: lists grow, other fields are replaced. Addresses that we cannot
/// read and texts that are not UTF-8 are left out. kMalformed: not protobuf.
Result<void> merge(ByteView protobuf, Message& into);

}  // namespace p2pa::identify
