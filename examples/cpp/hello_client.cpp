#include <cstdio>

#include "p2pagents/node.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto node = *p2pa::Node::open({});
  const auto server = *p2pa::Multiaddr::parse(argv[1]);
  node->add_address(*server.peer_id(), server);
  std::optional<int> exit_code;
  node->call(*server.peer_id(), "hello", p2pa::as_bytes("world"), {},
             [&](const p2pa::CallOutcome& outcome, p2pa::ByteView answer) {
               std::puts(outcome.ok() ? std::string(p2pa::as_text(answer)).c_str()
                                      : p2pa::describe(outcome.error).c_str());
               exit_code = outcome.ok() ? 0 : 1;
             });
  node->poll_until([&] { return exit_code.has_value(); }, p2pa::seconds(60));
  return exit_code.value_or(1);
}
