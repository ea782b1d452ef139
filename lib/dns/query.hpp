#pragma once
// What a resolver asks whoever can reach name servers, and what it is told.

#include <cstdint>
#include <string>
#include <vector>

#include "address/ip_endpoint.hpp"
#include "p2pagents/error.hpp"
#include "p2pagents/time.hpp"

namespace p2pa::dns {

enum class RecordType : std::uint8_t { kA, kAaaa, kTxt };

using QueryId = std::uint64_t;

/// A question for the records of one type at one name. It is answered exactly once, within a time of the
/// driver's own, whether or not somebody still waits for it.
struct Query {
  QueryId id = 0;
  RecordType type = RecordType::kA;
  std::string name;  ///< as host_name() makes it: fully qualified, no dot at the end
};

struct Answer {
  QueryId id = 0;
  /// kNotFound: no such name, or nothing of this type there. kTimeout: no name server answered. Anything
  /// else: what came is no answer.
  Result<void> result{};
  std::vector<IpAddress> addresses{};  ///< kA, kAaaa
  std::vector<std::string> texts{};    ///< kTxt: one a record, its strings joined (RFC 7208 §3.3)
  Duration ttl{};                      ///< the shortest of the records'
};

}  // namespace p2pa::dns
