#include "loop.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "usage.hpp"

namespace bench {

void Loop::run_until_stdin_ends() {
  bool ended = false;
  std::jthread reader([&] {
    char ignored[256];
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {
    }
    static_cast<void>(nodes_.front()->post([&](p2pa::Node&) { ended = true; }));
  });
  run_until([&] { return ended; });
}

void Loop::step() {
  if (nodes_.size() > 1) return step_many();
  static_cast<void>(nodes_.front()->poll(kStepMax));
}

void Loop::step_many() {
  const p2pa::Instant at = nodes_.front()->now();
  p2pa::Instant next = at + kStepMax;
  std::vector<pollfd> waits;
  for (const p2pa::Node* node : nodes_) {
    waits.push_back({node->wakeup_fd(), POLLIN, 0});
    next = std::min(next, node->next_deadline());
  }
  const p2pa::Duration left = std::max(next - at, p2pa::Duration{0});
  const timespec timeout{left.ns / 1'000'000'000, left.ns % 1'000'000'000};
  ppoll(waits.data(), waits.size(), &timeout, nullptr);
  const auto nodes = nodes_;  // a callback may add some
  const p2pa::Instant later = nodes.front()->now();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (waits[i].revents == 0 && nodes[i]->next_deadline() > later) continue;
    static_cast<void>(nodes[i]->poll(p2pa::Duration{0}));
  }
}

void Loop::give_up() { die("nothing happens any more"); }

}  // namespace bench
