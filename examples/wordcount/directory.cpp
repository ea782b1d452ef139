#include "directory.hpp"

#include <utility>

namespace wordcount {
namespace {

using p2pa::ApplicationError;
using p2pa::Bytes;
using p2pa::ByteView;
using p2pa::Multiaddr;

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

Bytes to_bytes(std::string_view text) {
  const ByteView view = p2pa::as_bytes(text);
  return {view.begin(), view.end()};
}

}  // namespace

Directory::Directory(p2pa::Node& node) {
  const auto offered = node.serve(
      "directory.offer",
      [this](const p2pa::PeerId& from, ByteView request) -> std::expected<Bytes, ApplicationError> {
        const auto said = lines(p2pa::as_text(request));
        if (said.size() < 2) return std::unexpected(ApplicationError{1, "a skill and addresses", {}});
        if (offers_.size() >= kEntriesMax) return std::unexpected(ApplicationError{2, "full", {}});
        Offer entry{std::string(said[0]), {}};
        for (std::size_t i = 1; i < said.size(); ++i) {
          const auto address = Multiaddr::parse(said[i]);
          if (!address || address->peer_id() != from) {
            return std::unexpected(ApplicationError{3, "not an address of the caller", {}});
          }
          entry.addresses += address->to_string() + '\n';
        }
        offers_.insert_or_assign(from, std::move(entry));
        return Bytes{};
      });
  const auto finds = node.serve(
      "directory.find",
      [this](const p2pa::PeerId&, ByteView request) -> std::expected<Bytes, ApplicationError> {
        std::string answer;
        for (const auto& [peer, entry] : offers_) {
          if (entry.skill == p2pa::as_text(request)) answer += entry.addresses;
        }
        return to_bytes(answer);
      });
  if (!offered || !finds) offers_.clear();  // only when the names are taken: then nobody asks us
}

void Directory::on_event(const p2pa::NodeEvent& event) {
  if (event.kind == p2pa::NodeEvent::Kind::kDisconnected && event.last) offers_.erase(event.peer);
}

void offer(p2pa::Node& node, const Multiaddr& where, std::string_view skill, Offered done) {
  std::string text(skill);
  for (const Multiaddr& address : node.addresses()) text += '\n' + address.to_string();
  node.dial(where, [&node, text, done = std::move(done)](auto connection) mutable {
    if (!connection) return done(false);
    node.call(connection->peer, "directory.offer", p2pa::as_bytes(text), {},
              [done = std::move(done)](const p2pa::CallOutcome& outcome, ByteView) mutable {
                done(outcome.ok());
              });
  });
}

void find(p2pa::Node& node, const Multiaddr& where, std::string_view skill, Found done) {
  node.dial(where, [&node, skill = std::string(skill), done = std::move(done)](auto connection) mutable {
    if (!connection) return done({});
    node.call(connection->peer, "directory.find", p2pa::as_bytes(skill), {},
              [done = std::move(done)](const p2pa::CallOutcome& outcome, ByteView answer) mutable {
                std::vector<Multiaddr> found;
                if (outcome.ok()) {
                  for (const auto line : lines(p2pa::as_text(answer))) {
                    if (auto address = Multiaddr::parse(line)) found.push_back(*std::move(address));
                  }
                }
                done(std::move(found));
              });
  });
}

}  // namespace wordcount
