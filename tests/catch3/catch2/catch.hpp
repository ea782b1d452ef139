#pragma once
// Catch2 v3 under the name of v2's only header; used where the system has v3.
#include <catch2/catch_all.hpp>
