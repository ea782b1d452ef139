#pragma once
// /p2pagents/rpc/1.0.0, served and called (../README.md, "Methods").

#include <map>
#include <string>

#include "session.hpp"

namespace interop {

/// Serves the methods of the contract; events are printed when `report`.
bool serve_rpc(p2pa::Node& node, bool report);

/// The cases whose names begin with rpc-.
const std::map<std::string, Case>& rpc_cases();

}  // namespace interop
