// An agent that pages talk to: it greets, and tells how far its work is while it does it.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "p2pagents/node.hpp"

namespace {

/// A call whose caller hears ten updates, one each kPause.
struct Work {
  static constexpr p2pa::Duration kPause = p2pa::milliseconds(100);
  p2pa::CallId call;
  int percent = 0;

  /// False: it is over, or nobody listens any more.
  bool go_on(p2pa::Node& node) {
    p2pa::Call* const caller = node.find_call(call);
    if (caller == nullptr) return false;
    const auto sent = caller->send(p2pa::as_bytes(std::to_string(percent + 10) + " %"));
    if (!sent) return sent.error().code == p2pa::Code::kWouldBlock;  // again next time: the caller is slower
    percent += 10;
    if (percent == 100) caller->finish();
    return percent < 100;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const auto address = p2pa::Multiaddr::parse(argc > 1 ? argv[1] : "/ip4/127.0.0.1/tcp/4002/ws");
  if (!address) return 2;
  p2pa::NodeOptions options;
  options.listen = {*address};
  const auto node = *p2pa::Node::open(std::move(options));
  node->serve("hello", [](const p2pa::PeerId&, p2pa::ByteView name) {
    const std::string answer = "hello, " + std::string(p2pa::as_text(name));
    return p2pa::Bytes(answer.begin(), answer.end());
  });
  std::vector<Work> under_way;
  node->serve("work", [&](p2pa::Call& call) { under_way.push_back({call.id()}); });
  bool failed = false;
  node->on_event([&](const p2pa::NodeEvent& event) {
    failed = failed || event.kind == p2pa::NodeEvent::Kind::kListenFailed;
    if (failed) std::fprintf(stderr, "%s\n", p2pa::describe(event.error).c_str());
    if (event.kind == p2pa::NodeEvent::Kind::kListening) {
      std::puts(event.address.with_peer_id(node->id()).to_string().c_str());
      std::fflush(stdout);
    }
  });
  while (!failed) {
    node->poll_until([&] { return failed; }, Work::kPause);
    std::erase_if(under_way, [&](Work& work) { return !work.go_on(*node); });
  }
  return 1;
}
