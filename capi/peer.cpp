#include "entry.hpp"
#include "p2pagents/key_file.hpp"
#include "p2pagents/key_pair.hpp"
#include "p2pagents/multiaddr.hpp"
#include "private_key.hpp"

using namespace p2pa;
using namespace p2pa::capi;

int32_t p2pa_peer_parse(const char* text, size_t text_size, p2pa_peer* peer) noexcept {
  return guarded([&]() -> Status {
    std::string_view view;
    if (peer == nullptr || !read_text(text, text_size, view)) return P2PA_E_INVALID_ARGUMENT;
    const auto id = PeerId::parse(view);
    if (!id) return P2PA_E_MALFORMED;
    write_peer(*id, peer);
    return P2PA_OK;
  });
}

int32_t p2pa_peer_text(const p2pa_peer* peer, char* buffer, size_t* size) noexcept {
  return guarded([&]() -> Status {
    if (peer == nullptr || size == nullptr) return P2PA_E_INVALID_ARGUMENT;
    const auto id = read_peer(peer);
    if (!id) return P2PA_E_MALFORMED;
    return write_text(id->to_string(), buffer, size);
  });
}

int32_t p2pa_address_peer(const char* address, size_t address_size, p2pa_peer* peer) noexcept {
  return guarded([&]() -> Status {
    std::string_view view;
    if (peer == nullptr || !read_text(address, address_size, view)) return P2PA_E_INVALID_ARGUMENT;
    const auto parsed = Multiaddr::parse(view);
    if (!parsed) return P2PA_E_MALFORMED;
    const auto id = parsed->peer_id();
    if (!id) return P2PA_E_NOT_FOUND;
    write_peer(*id, peer);
    return P2PA_OK;
  });
}

int32_t p2pa_key_generate(uint8_t* buffer, size_t* size) noexcept {
  return guarded([&]() -> Status {
    if (size == nullptr) return P2PA_E_INVALID_ARGUMENT;
    Bytes key = generate_key().to_protobuf();
    const Status status = write_bytes(key, buffer, size);
    wipe(key);
    return status;
  });
}

int32_t p2pa_key_peer(const uint8_t* key, size_t key_size, p2pa_peer* peer) noexcept {
  return guarded([&]() -> Status {
    ByteView view;
    if (peer == nullptr || !read_bytes(key, key_size, view)) return P2PA_E_INVALID_ARGUMENT;
    const auto pair = read_private_key(view);
    if (!pair) return P2PA_E_BAD_KEY;
    write_peer(pair->peer_id(), peer);
    return P2PA_OK;
  });
}
