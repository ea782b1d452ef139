#pragma once
// Sockets that speak to all hosts of a link.

#include "address/ip_endpoint.hpp"

namespace p2pa::io {

/// Before bind(): broadcast and multicast leave by it, go no further than the link (TTL, hop limit 1), come back
/// to this host, and only groups that it joined itself are heard. `shared`: others may have the port too.
/// False: errno.
bool prepare_for_link(int fd, bool v6, bool shared);

/// Hears a group on every interface that is up and takes part in multicast, and on loopback. On which that cannot
/// be had it is not heard; where it is heard already nothing changes.
void join_group(int fd, const IpAddress& group);

}  // namespace p2pa::io
