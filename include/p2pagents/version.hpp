#pragma once
// The version of the library; CMakeLists.txt says the same, and a test compares the two.
#define P2PA_VERSION_MAJOR 0
#define P2PA_VERSION_MINOR 1
#define P2PA_VERSION_PATCH 0
#define P2PA_VERSION_TEXT "0.1.0"
