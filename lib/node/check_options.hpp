#pragma once
#include "p2pagents/node.hpp"

namespace p2pa {

/// kInvalidArgument: with these bounds and times no node could work; the sentence names the field.
/// What is wrong with an address is told by kListenFailed.
Result<void> check_options(const NodeOptions& options);

}  // namespace p2pa
