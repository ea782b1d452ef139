#pragma once
// What becomes of a multiaddr when the name in it is known to stand for something. Pure functions
// (spec: addressing/README.md "dnsaddr", multiformats/multiaddr protocols/DNS.md).

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dns/query.hpp"
#include "p2pagents/multiaddr.hpp"

namespace p2pa::dns {

/// Does the address begin with /dns, /dns4, /dns6 or /dnsaddr? A name behind a relay is the relay's affair.
bool has_name(const Multiaddr& address);

/// /dns/host/… as /dns6/host/… and /dns4/host/…; any other address as it is.
std::vector<Multiaddr> split_families(const Multiaddr& address);

/// What to ask for the name that a /dns4, /dns6 or /dnsaddr address begins with.
struct Question {
  RecordType type;
  std::string name;
  friend auto operator<=>(const Question&, const Question&) = default;
};
/// kMalformed: see host_name(). REQUIRES such an address.
Result<Question> question_of(const Multiaddr& address);

/// The address with `ip` for its name. The name goes on where the other end must hear of it:
/// /wss and /tls/ws become /tls/sni/<name>/ws, unless an /sni stands there already. Empty: over a bound of
/// Multiaddr. REQUIRES has_name(address), and a good name.
Multiaddr with_ip(const Multiaddr& address, const IpAddress& ip);

/// The address in one TXT record, `dnsaddr=<multiaddr>`; empty: it is something else.
std::optional<Multiaddr> parse_dnsaddr(std::string_view text);

/// Of what the TXT records of a /dnsaddr address hold, `record` in the place of the name. What follows the
/// name up to a relay must be the end of the record, and is how one peer of many is chosen; the rest is kept.
/// Empty: the record is not meant. REQUIRES that `address` begins with /dnsaddr.
std::optional<Multiaddr> with_record(const Multiaddr& address, const Multiaddr& record);

}  // namespace p2pa::dns
