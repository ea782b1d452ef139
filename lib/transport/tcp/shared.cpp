#include "transport/tcp/shared.hpp"

#include <utility>

#include "transport/tls/certificate.hpp"

namespace p2pa::tcp {

Shared::Shared(const KeyPair& identity, Rng& generator, resource::Manager& manager, SocketNumbers& socket_numbers,
               Config configuration)
    : key(identity),
      rng(generator),
      resources(manager),
      numbers(socket_numbers),
      config(std::move(configuration)),
      mux(manager) {}

const noise::Identity& Shared::noise() {
  if (!noise_) noise_.emplace(key, rng);
  return *noise_;
}

const tls::Credentials& Shared::tls() {
  if (!tls_) tls_.emplace(tls::make_certificate(key, rng, unix_time()));
  return *tls_;
}

MutableBytes Shared::undressed_space() {
  if (!undressed_) undressed_ = std::make_unique_for_overwrite<std::uint8_t[]>(kUndressedBytes);
  return {undressed_.get(), kUndressedBytes};
}

MutableBytes Shared::plain_space() {
  if (!plain_) plain_ = std::make_unique_for_overwrite<std::uint8_t[]>(kPlainBytes);
  return {plain_.get(), kPlainBytes};
}

}  // namespace p2pa::tcp
