#pragma once
// Which connection a datagram belongs to.

#include <array>
#include <cstdint>
#include <unordered_map>

#include "p2pagents/bytes.hpp"

namespace p2pa::quic {

class Connection;

/// A connection id (RFC 9000 §5.1).
struct Cid {
  static constexpr std::size_t kSizeMax = 20;
  std::array<std::uint8_t, kSizeMax> data{};  // unused bytes stay zero
  std::uint8_t size = 0;

  Cid() = default;
  /// REQUIRES bytes.size() <= kSizeMax.
  explicit Cid(ByteView bytes);
  ByteView bytes() const { return {data.data(), size}; }
  friend bool operator==(const Cid&, const Cid&) = default;
};

struct CidHash {
  std::size_t operator()(const Cid& cid) const noexcept;
};

/// The ids that we gave out are all this long.
inline constexpr std::size_t kOwnCidSize = 8;

class CidTable final {
 public:
  /// False: another connection has this id.
  bool add(const Cid& cid, Connection& connection);
  void remove(const Cid& cid, const Connection& connection);
  Connection* find(const Cid& cid) const;

 private:
  std::unordered_map<Cid, Connection*, CidHash> connections_;
};

}  // namespace p2pa::quic
