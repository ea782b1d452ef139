#include <cstdio>

#include "p2pagents/node.hpp"

int main(int, char** argv) {
  auto node = *p2pa::Node::open({});
  const auto server = *p2pa::Multiaddr::parse(argv[1]);
  node->add_address(*server.peer_id(), server);
  bool done = false;
  node->call(*server.peer_id(), "hello", p2pa::as_bytes("world"), {},
             [&](const p2pa::CallOutcome& outcome, p2pa::ByteView answer) {
               std::puts(outcome.ok() ? std::string(p2pa::as_text(answer)).c_str()
                                      : p2pa::describe(outcome.error).c_str());
               done = true;
             });
  node->poll_until([&] { return done; }, p2pa::seconds(10));
}
