#pragma once
// The loop of a host that runs nodes itself.

#include <poll.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <span>
#include <vector>

#include "io/uv_loop.hpp"
#include "p2pagents/node.hpp"

namespace p2pa::test {

/// As a robot's own loop does: sleeps on the descriptors until the next deadline, and calls poll() only for a node
/// whose descriptor or deadline says so. Until `done` or `end`.
template <class Done>
void run_by_descriptor(std::span<Node* const> nodes, Instant end, Done&& done) {
  std::vector<pollfd> descriptors(nodes.size());
  while (!done() && io::UvLoop::now() < end) {
    Instant next = end;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      descriptors[i] = {nodes[i]->wakeup_fd(), POLLIN, 0};
      next = std::min(next, nodes[i]->next_deadline());
    }
    const Duration wait = std::max(next - io::UvLoop::now(), Duration{0});
    const timespec time{wait.ns / 1'000'000'000, wait.ns % 1'000'000'000};
    REQUIRE(::ppoll(descriptors.data(), descriptors.size(), &time, nullptr) >= 0);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const bool due = nodes[i]->next_deadline() <= io::UvLoop::now();
      if (descriptors[i].revents != 0 || due) REQUIRE(nodes[i]->poll(Duration{0}).has_value());
    }
  }
}

}  // namespace p2pa::test
