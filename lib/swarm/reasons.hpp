#pragma once
// What the swarm and its dialer both say when they refuse.

#include "p2pagents/error.hpp"

namespace p2pa::swarm {

inline constexpr Error kNodeClosed{Code::kClosed, 0, "the node is closing"};
inline constexpr Error kGivenUp{Code::kCancelled, 0, "the peer was disconnected meanwhile"};
inline constexpr Error kSelf{Code::kInvalidArgument, 0, "a node does not dial itself"};

/// What whoever uses a connection is told when it goes.
inline Error stream_error(const Error& connection_error) {
  if (connection_error.code != Code::kOk) return connection_error;
  return {Code::kClosed, 0, "the connection was closed on this side"};
}

}  // namespace p2pa::swarm
