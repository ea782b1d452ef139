#include <enet/enet.h>

#include <chrono>
#include <utility>

#include "link.hpp"

namespace bench {
namespace {

struct Destroy {
  void operator()(ENetHost* host) const { enet_host_destroy(host); }
};
using Host = std::unique_ptr<ENetHost, Destroy>;

class EnetLink final : public Link {
 public:
  explicit EnetLink(Receiver receiver) : receiver_(std::move(receiver)) {
    static const bool ready = enet_initialize() == 0;
    if (!ready) die("ENet does not start");
    ENetAddress address{};
    enet_address_set_host_ip(&address, "127.0.0.1");
    server_.reset(enet_host_create(&address, 1, 1, 0, 0));
    client_.reset(enet_host_create(nullptr, 1, 1, 0, 0));
    if (!server_ || !client_) die("no ENet host");
    if (enet_socket_get_address(server_->socket, &address) != 0) die("no ENet address");
    peer_ = enet_host_connect(client_.get(), &address, 1, 0);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (peer_->state != ENET_PEER_STATE_CONNECTED && std::chrono::steady_clock::now() < end) turn();
    if (peer_->state != ENET_PEER_STATE_CONNECTED) die("no ENet connection");
  }

  bool send(Kind kind, std::span<const std::uint8_t> message) override {
    const enet_uint32 flag = kind == Kind::kOrdered ? ENET_PACKET_FLAG_RELIABLE : ENET_PACKET_FLAG_UNSEQUENCED;
    ENetPacket* packet = enet_packet_create(message.data(), message.size(), flag);
    if (packet != nullptr && enet_peer_send(peer_, 0, packet) == 0) return true;
    if (packet != nullptr) enet_packet_destroy(packet);
    return false;
  }
  void turn() override {
    for (ENetHost* host : {client_.get(), server_.get()}) {
      ENetEvent event{};
      while (enet_host_service(host, &event, 0) > 0) {
        if (event.type != ENET_EVENT_TYPE_RECEIVE) continue;
        receiver_({event.packet->data, event.packet->dataLength});
        enet_packet_destroy(event.packet);
      }
    }
  }

 private:
  Receiver receiver_;
  Host server_, client_;
  ENetPeer* peer_ = nullptr;
};

}  // namespace

std::unique_ptr<Link> make_enet_link(Receiver receiver) {
  return std::make_unique<EnetLink>(std::move(receiver));
}

}  // namespace bench
