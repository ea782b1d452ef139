#include <cstdio>

#include "p2pagents/node.hpp"

int main() {
  p2pa::NodeOptions options;
  options.listen = {*p2pa::Multiaddr::parse("/ip4/127.0.0.1/udp/0/quic-v1")};
  auto node = *p2pa::Node::open(std::move(options));
  node->serve("hello", [](const p2pa::PeerId&, p2pa::ByteView name) {
    const std::string answer = "hello, " + std::string(p2pa::as_text(name));
    return p2pa::Bytes(answer.begin(), answer.end());
  });
  node->poll_until([&] { return !node->addresses().empty(); }, p2pa::seconds(5));
  std::puts(node->addresses().at(0).to_string().c_str());
  std::fflush(stdout);
  node->poll_until([] { return false; }, p2pa::hours(24));
}
