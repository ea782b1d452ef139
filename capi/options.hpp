#pragma once
#include "entry.hpp"
#include "p2pagents/node.hpp"

namespace p2pa::capi {

/// The library's options of the caller's. Takes the log triple over in every case: what it answers,
/// or its failing, drops it. kMalformed, kBadKey, kBadKeyFile, kUnsupported, kInvalidArgument.
Result<NodeOptions> read_options(const p2pa_node_options* options);

}  // namespace p2pa::capi
