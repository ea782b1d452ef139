#include "agent.hpp"

#include <cstdio>
#include <utility>

#include "directory.hpp"

namespace wordcount {

p2pa::Result<void> serve_wordcount(p2pa::Node& node, Work work) {
  return node.serve(kSkill,
                    [work = std::move(work)](const p2pa::PeerId&, p2pa::ByteView text)
                        -> std::expected<p2pa::Bytes, p2pa::ApplicationError> {
                      const std::string answer = encode(work(p2pa::as_text(text)));
                      return p2pa::Bytes(answer.begin(), answer.end());
                    });
}

int run_agent(const p2pa::Multiaddr& directory, const p2pa::Multiaddr& listen,
              std::move_only_function<bool()> stop, Work work) {
  p2pa::NodeOptions options;
  options.listen = {listen};
  auto node = p2pa::Node::open(std::move(options));
  if (!node || !serve_wordcount(**node, std::move(work))) return 1;

  std::printf("%s\n", (*node)->id().to_string().c_str());
  std::fflush(stdout);
  bool failed = false;
  (*node)->on_event([&](const p2pa::NodeEvent& event) {
    if (event.kind == p2pa::NodeEvent::Kind::kListenFailed) failed = true;
    if (event.kind != p2pa::NodeEvent::Kind::kListening) return;
    offer(**node, directory, kSkill, [&](bool taken) { failed = failed || !taken; });
  });
  while (!failed && !stop()) {
    if (!(*node)->poll(p2pa::milliseconds(200))) return 1;
  }
  (*node)->close();
  (*node)->poll_until([&] { return (*node)->closed(); }, p2pa::seconds(2));
  return failed ? 1 : 0;
}

}  // namespace wordcount
