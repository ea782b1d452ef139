#pragma once
#include <string>
#include <vector>

#include "p2pagents/bytes.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::dns {

/// Records of one answer that are looked at; go-libp2p stops at as many.
inline constexpr std::size_t kRecordsMax = 100;

struct TxtRecords {
  std::vector<std::string> texts;  ///< one a record, its strings joined
  Duration ttl{};                  ///< the shortest
};

/// The TXT records in the answer section of a DNS message (RFC 1035 §4.1), at most kRecordsMax; records of
/// other kinds, a CNAME for one, are passed over. kMalformed: it ends too early, a TXT record's strings do
/// not fill it, or a name has no end. kNotFound: there are none.
Result<TxtRecords> read_txt_message(ByteView message);

}  // namespace p2pa::dns
