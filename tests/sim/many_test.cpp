#include <catch2/catch.hpp>

#include <set>

#include "support.hpp"

using namespace p2pa;
using namespace p2pa::sim;

namespace {

/// The bootstrap tells everybody where everybody is that told it so.
void serve_directory(Node& node) {
  auto known = std::make_shared<std::set<std::string>>();
  REQUIRE(node.serve("join", UnaryMethod([known](const PeerId&, ByteView address) {
                       known->insert(std::string(as_text(address)));
                       std::string all;
                       for (const std::string& one : *known) all += one + "\n";
                       return std::expected<Bytes, ApplicationError>(Bytes(all.begin(), all.end()));
                     })));
}

std::vector<Multiaddr> parse_lines(ByteView text) {
  std::vector<Multiaddr> out;
  std::string line;
  for (const std::uint8_t c : text) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    out.push_back(*Multiaddr::parse(line));
    line.clear();
  }
  return out;
}

/// Everybody joins at node 0, learns of the others and calls each of them.
void meet(World& world, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    world.add_node(listening());
    serve_echo(world.node(i));
  }
  serve_directory(world.node(0));
  world.run_for(milliseconds(1));
  const PeerId bootstrap = world.node(0).id();
  for (int round = 0; round < 2; ++round) {  // in the first, the early ones do not hear of the late
    std::vector<std::shared_ptr<Answer>> joined(count);
    for (std::uint32_t i = 1; i < count; ++i) {
      introduce(world, i, 0);
      joined[i] = call(world, i, bootstrap, "join", as_bytes(world.address(i).to_string()));
    }
    world.run_for(seconds(30));
    for (std::uint32_t i = 1; i < count; ++i) {
      REQUIRE(joined[i]->ok());
      for (const Multiaddr& address : parse_lines(joined[i]->bytes)) {
        REQUIRE(world.node(i).add_address(*address.peer_id(), address));
      }
    }
  }
  std::vector<std::shared_ptr<Answer>> answers;
  for (std::uint32_t i = 1; i < count; ++i) {
    for (std::uint32_t j = 0; j < count; ++j) {
      if (i != j)
        answers.push_back(call(world, i, world.node(j).id(), "echo", pattern(1000, i * count + j)));
    }
  }
  world.run_for(seconds(30));
  for (const auto& answer : answers) {
    INFO(describe(answer->outcome.error));
    CHECK(answer->ok());
  }
}

}  // namespace

TEST_CASE("twelve agents that know one address reach each other") {
  for_seeds(2, "twelve agents", [](World& world) {
    world.set_default_link({.delay = milliseconds(15), .jitter = milliseconds(5)});
    meet(world, 12);
    CHECK(world.node(0).connections().size() == 11);
  });
}

TEST_CASE("twelve agents that know one address reach each other over bad links") {
  for_seeds(2, "twelve agents, bad links", [](World& world) {
    world.set_default_link({.delay = milliseconds(15),
                            .jitter = milliseconds(5),
                            .loss = 0.03,
                            .duplicate = 0.01,
                            .reorder = 0.02});
    meet(world, 12);
  });
}

TEST_CASE("nodes on one host reach each other over loopback") {
  for_seeds(1, "loopback", [](World& world) {
    const HostId host = world.add_host();
    const NodeId a = world.add_node(listening("/ip4/127.0.0.1/udp/0/quic-v1"), host);
    const NodeId b = world.add_node({}, host);
    serve_echo(world.node(a));
    introduce(world, b, a);
    CHECK(call_and_wait(world, b, world.node(a).id(), "echo", as_bytes("hello")).ok());
  });
}
