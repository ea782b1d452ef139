// A user's C++ program: opens a node and says who it is.
#include <cstdio>

#include "p2pagents/node.hpp"

int main() {
  p2pa::NodeOptions options;
  options.listen.push_back(*p2pa::Multiaddr::parse("/ip4/127.0.0.1/udp/0/quic-v1"));
  auto node = p2pa::Node::open(std::move(options));
  if (!node) {
    std::puts(p2pa::describe(node.error()).c_str());
    return 1;
  }
  std::puts((*node)->id().to_string().c_str());
  return (*node)->poll(p2pa::milliseconds(1)) ? 0 : 1;
}
