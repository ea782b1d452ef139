#include "transport/quic/shared.hpp"

#include <utility>

#include "base/assert.hpp"
#include "transport/quic/compat.hpp"

namespace p2pa::quic {

Shared::Shared(const KeyPair& identity, Rng& generator, resource::Manager& manager, Config configuration)
    : key(identity),
      rng(generator),
      resources(manager),
      config(std::move(configuration)),
      tls(tls::make_certificate(identity, generator, config.unix_time)),
      mux(manager) {
  key.derive("libp2p quic stateless reset key", reset_key);
}

void Shared::reset_token(const Cid& cid, std::uint8_t* token) const {
  ngtcp2_cid raw;
  ngtcp2_cid_init(&raw, cid.data.data(), cid.size);
  P2PA_ASSERT(ngtcp2_crypto_generate_stateless_reset_token(token, reset_key.data(), reset_key.size(), &raw) == 0);
}

}  // namespace p2pa::quic
