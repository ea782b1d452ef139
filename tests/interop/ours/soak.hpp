#pragma once
// The case "soak" (../README.md).

#include "session.hpp"

namespace interop {

/// Opens and ends streams for --seconds, --parallel at a time; none may be stuck.
Outcome soak(Session& s);

}  // namespace interop
