#include "transport/quic/cid_table.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace p2pa::quic {

Cid::Cid(ByteView bytes) : size(static_cast<std::uint8_t>(bytes.size())) {
  P2PA_ASSERT(bytes.size() <= kSizeMax);
  std::ranges::copy(bytes, data.begin());
}

std::size_t CidHash::operator()(const Cid& cid) const noexcept { return stable_hash(cid.bytes()); }

bool CidTable::add(const Cid& cid, Connection& connection) {
  return connections_.try_emplace(cid, &connection).second;
}

void CidTable::remove(const Cid& cid, const Connection& connection) {
  const auto it = connections_.find(cid);
  if (it != connections_.end() && it->second == &connection) connections_.erase(it);
}

Connection* CidTable::find(const Cid& cid) const {
  const auto it = connections_.find(cid);
  return it == connections_.end() ? nullptr : it->second;
}

}  // namespace p2pa::quic
