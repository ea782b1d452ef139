#include <utility>

#include "link.hpp"
#include "p2pagents/node.hpp"

namespace bench {
namespace {

using namespace p2pa;

std::unique_ptr<Node> open(const char* listen) {
  NodeOptions options;
  if (listen != nullptr) options.listen = {*Multiaddr::parse(listen)};
  auto node = Node::open(std::move(options));
  if (!node) die("no node");
  return *std::move(node);
}

class SessionLink final : public Link {
 public:
  explicit SessionLink(Receiver receiver)
      : server_(open("/ip4/127.0.0.1/udp/0/p2pa-udp")), client_(open(nullptr)), server_id_(server_->id()) {
    server_->on_session_message([receiver = std::move(receiver)](const PeerId&, const SessionMessage& message) {
      receiver(message.bytes);
    });
    while (server_->addresses().empty()) turn();
    bool connected = false;
    client_->dial(server_->addresses().front(), [&](Result<ConnectionInfo> result) { connected = result.has_value(); });
    const Instant end = client_->now() + seconds(5);
    while (!connected && client_->now() < end) turn();
    if (!connected) die("no session");
  }

  bool send(Kind kind, std::span<const std::uint8_t> message) override {
    SessionMessageOptions options;
    options.delivery = kind == Kind::kOrdered ? Delivery::kOrdered : Delivery::kUnreliable;
    return client_->send_session_message(server_id_, message, options).has_value();
  }
  void turn() override {
    if (!client_->poll(Duration{0}) || !server_->poll(Duration{0})) die("a node does not poll");
  }

 private:
  std::unique_ptr<Node> server_, client_;
  const PeerId server_id_;
};

}  // namespace

std::unique_ptr<Link> make_session_link(Receiver receiver) {
  return std::make_unique<SessionLink>(std::move(receiver));
}

}  // namespace bench
