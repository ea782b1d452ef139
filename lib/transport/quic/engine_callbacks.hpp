#pragma once
// The engine's way into a connection. Included from .cpp files only.

#include "transport/quic/compat.hpp"
#include "transport/quic/connection.hpp"

namespace p2pa::quic {

struct EngineCallbacks {
  static const ngtcp2_callbacks& client();
  static const ngtcp2_callbacks& server();
  static void qlog(void* user_data, ByteView bytes);

 private:
  static ngtcp2_callbacks common();
  static Connection& of(void* user_data) { return *static_cast<Connection*>(user_data); }
};

}  // namespace p2pa::quic
