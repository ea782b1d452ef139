#include "scenario.hpp"

#include <utility>

#include "sim/event_log.hpp"

namespace p2pa::io {
namespace {

std::string line_of(const char* what, const CallOutcome& outcome, ByteView answer = {}) {
  std::string line = std::string(what) + ": " + std::string(code_name(outcome.error.code));
  if (!outcome.application.text.empty()) line += " " + outcome.application.text;
  if (!answer.empty()) line += " " + std::to_string(answer.size()) + " bytes, first " +
                               std::string(as_text(answer.first(std::min<std::size_t>(answer.size(), 8))));
  return line;
}

/// Answers each message, then finishes when the caller has.
void serve_echo_stream(Call& call) {
  call.set_handler({.on_message = [](Call& c, ByteView message) { (void)c.send(message); },
                    .on_finished = [](Call& c) { c.finish(); },
                    .on_writable = {},
                    .on_end = {}});
}

}  // namespace

NodeOptions agent_options(std::uint8_t seed) {
  NodeOptions options;
  options.key = KeyPair::from_seed(Bytes(KeyPair::kSeedSize, seed));
  return options;
}

NodeOptions agent_options(std::uint8_t seed, const char* listen) {
  NodeOptions options = agent_options(seed);
  options.listen = {Multiaddr::parse(listen).value()};
  return options;
}

void Scenario::note(Log& log, const NodeEvent& event) {
  log.events.push_back(sim::EventLog::line(event));
  if (event.kind == NodeEvent::Kind::kClosed) ++closed_;
}

void Scenario::set_up_server(Node& node) {
  (void)node.serve("echo", UnaryMethod([](const PeerId&, ByteView request) {
                     return std::expected<Bytes, ApplicationError>(Bytes(request.begin(), request.end()));
                   }));
  (void)node.serve("refuse", UnaryMethod([](const PeerId&, ByteView) {
                     return std::expected<Bytes, ApplicationError>(
                         std::unexpected(ApplicationError{7, "not today", {}}));
                   }));
  (void)node.serve("chat", Method(serve_echo_stream));
  node.on_event([this, &node](const NodeEvent& event) {
    note(server, event);
    if (event.kind == NodeEvent::Kind::kDisconnected && event.last) node.close();
  });
}

void Scenario::set_up_client(Node& node, const PeerId& server_id, const Multiaddr& address) {
  peer_ = server_id;
  node.on_event([this, &node](const NodeEvent& event) {
    note(client, event);
    if (event.kind == NodeEvent::Kind::kIdentified) talk(node);
  });
  node.dial(address, [this](Result<ConnectionInfo> connected) {
    client.outcomes.push_back(connected ? "dial: ok" : describe(connected.error()));
  });
}

/// One request after the other, each from the callback of the one before.
void Scenario::talk(Node& node) {
  auto chat = [this, &node] {
    CallHandler handler;
    handler.on_message = [this](Call& call, ByteView message) {
      client.outcomes.push_back("chat message: " + std::string(as_text(message)));
      if (message.size() < 3) {
        (void)call.send(as_bytes("aaa"));
        call.finish();
      }
    };
    handler.on_end = [this, &node](Call&, const CallOutcome& outcome) {
      client.outcomes.push_back(line_of("chat", outcome));
      node.close();
    };
    (void)node.open_call(peer_, "chat", {}, std::move(handler))->send(as_bytes("a"));
  };
  auto nobody = [this, &node, chat] {
    node.call(peer_, "nobody", {}, {}, [this, chat](const CallOutcome& outcome, ByteView) {
      client.outcomes.push_back(line_of("nobody", outcome));
      chat();
    });
  };
  auto refuse = [this, &node, nobody] {
    node.call(peer_, "refuse", {}, {}, [this, nobody](const CallOutcome& outcome, ByteView) {
      client.outcomes.push_back(line_of("refuse", outcome));
      nobody();
    });
  };
  auto large = [this, &node, refuse] {
    node.call(peer_, "echo", Bytes(300'000, 'x'), {},
              [this, refuse](const CallOutcome& outcome, ByteView answer) {
                client.outcomes.push_back(line_of("large", outcome, answer));
                refuse();
              });
  };
  node.call(peer_, "echo", as_bytes("hello"), {},
            [this, large](const CallOutcome& outcome, ByteView answer) {
              client.outcomes.push_back(line_of("echo", outcome, answer));
              large();
            });
}

}  // namespace p2pa::io
