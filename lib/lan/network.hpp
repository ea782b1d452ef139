#pragma once
// Whose messages we hear: those of one application, in a private network only of its members.

#include <optional>
#include <string>

#include "lan/packet_codec.hpp"
#include "p2pagents/pre_shared_key.hpp"

namespace p2pa::lan {

/// Which network a datagram is of, and in a private one its seal: what is behind the header can only be read,
/// and made, by who has the key.
class Network final {
 public:
  Network(const std::string& application, const std::optional<PreSharedKey>& key);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const Id16& id() const { return id_; }
  /// Bytes that the seal adds to a body.
  std::size_t seal_bytes() const;
  /// Seals what is behind the header of a whole datagram, or leaves it as it is.
  void seal(Bytes& datagram) const;
  /// The body of a datagram, as it came or opened into `scratch`. kMalformed: not sealed with our key.
  Result<ByteView> open(const Header& header, ByteView datagram, Bytes& scratch) const;

 private:
  Bytes secret_;  // key and application; empty: no private network
  Id16 id_{};
};

}  // namespace p2pa::lan
