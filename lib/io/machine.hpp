#pragma once
// What a core is told of the machine.

#include "node/core.hpp"

namespace p2pa::io {

Machine machine();

}  // namespace p2pa::io
