// A user's test of agents: the example of p2pagents/sim.hpp as it stands there, run in its world.
#include "p2pagents/sim.hpp"

#include <cstdio>

using namespace p2pa;

int main() {
#include "example.inc"
  std::puts(connected ? "connected" : "not connected");
  return connected ? 0 : 1;
}
