#include "crypto/signature.hpp"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <secp256k1.h>

#include <memory>
#include <type_traits>

#include "crypto/ed25519.hpp"
#include "crypto/gnutls_datum.hpp"
#include "crypto/hash.hpp"
#include "crypto/rsa_bounds.hpp"

namespace p2pa::crypto {

namespace {

std::unexpected<Error> bad_key(const char* why) { return fail(Code::kBadKey, why); }
std::unexpected<Error> bad_signature() {
  return fail(Code::kBadSignature, "signature: not by this key over this message");
}

struct PubkeyDelete {
  void operator()(gnutls_pubkey_t key) const { gnutls_pubkey_deinit(key); }
};
using Pubkey = std::unique_ptr<std::remove_pointer_t<gnutls_pubkey_t>, PubkeyDelete>;

/// A SubjectPublicKeyInfo of this algorithm and of no other.
Result<Pubkey> import_spki(ByteView der, gnutls_pk_algorithm_t algorithm) {
  gnutls_pubkey_t raw = nullptr;
  if (gnutls_pubkey_init(&raw) != 0) return fail(Code::kOutOfMemory, "key: out of memory");
  Pubkey imported(raw);
  const gnutls_datum_t data = datum(der);
  if (gnutls_pubkey_import(raw, &data, GNUTLS_X509_FMT_DER) != 0) {
    return bad_key("key: not a SubjectPublicKeyInfo");
  }
  if (gnutls_pubkey_get_pk_algorithm(raw, nullptr) != static_cast<int>(algorithm)) {
    return bad_key("key: SubjectPublicKeyInfo of another kind than the key says");
  }
  return imported;
}

Result<void> verify_with(gnutls_pubkey_t key, gnutls_sign_algorithm_t algorithm, ByteView message,
                         ByteView signature) {
  const gnutls_datum_t message_datum = datum(message);
  const gnutls_datum_t signature_datum = datum(signature);
  if (gnutls_pubkey_verify_data2(key, algorithm, 0, &message_datum, &signature_datum) < 0) {
    return bad_signature();
  }
  return {};
}

Result<void> verify_rsa(ByteView key_data, ByteView message, ByteView signature) {
  const auto imported = import_spki(key_data, GNUTLS_PK_RSA);
  if (!imported) return std::unexpected(imported.error());
  if (const auto fine = check_rsa_bounds(imported->get()); !fine) return fine;
  return verify_with(imported->get(), GNUTLS_SIGN_RSA_SHA256, message, signature);
}

Result<void> verify_ecdsa(ByteView key_data, ByteView message, ByteView signature) {
  const auto imported = import_spki(key_data, GNUTLS_PK_ECDSA);
  if (!imported) return std::unexpected(imported.error());
  return verify_with(imported->get(), GNUTLS_SIGN_ECDSA_SHA256, message, signature);
}

Result<void> verify_ed25519(ByteView key_data, ByteView message, ByteView signature) {
  if (key_data.size() != kEd25519PublicSize) return bad_key("key: an Ed25519 key is of 32 bytes");
  if (!ed25519_verify(key_data, message, signature)) return bad_signature();
  return {};
}

Result<void> verify_secp256k1(ByteView key_data, ByteView message, ByteView signature) {
  constexpr std::size_t kCompressedSize = 33;
  const secp256k1_context* context = secp256k1_context_static;
  secp256k1_pubkey key;
  if (key_data.size() != kCompressedSize ||
      secp256k1_ec_pubkey_parse(context, &key, key_data.data(), key_data.size()) != 1) {
    return bad_key("key: not a compressed point of secp256k1");
  }
  secp256k1_ecdsa_signature parsed;
  if (secp256k1_ecdsa_signature_parse_der(context, &parsed, signature.data(), signature.size()) != 1) {
    return bad_signature();
  }
  // Either half of S is good to go; the library wants the lower.
  secp256k1_ecdsa_signature_normalize(context, &parsed, &parsed);
  const Sha256Digest digest = sha256(message);
  if (secp256k1_ecdsa_verify(context, &parsed, digest.data(), &key) != 1) return bad_signature();
  return {};
}

}  // namespace

Result<void> verify_signature(KeyType type, ByteView key_data, ByteView message, ByteView signature) {
  if (key_data.size() > kPublicKeyDataMax) {
    return fail(Code::kBadKey, "key: too long", kPublicKeyDataMax);
  }
  if (signature.empty() || signature.size() > kSignatureSizeMax) return bad_signature();
  switch (type) {
    case KeyType::kRsa: return verify_rsa(key_data, message, signature);
    case KeyType::kEd25519: return verify_ed25519(key_data, message, signature);
    case KeyType::kSecp256k1: return verify_secp256k1(key_data, message, signature);
    case KeyType::kEcdsa: return verify_ecdsa(key_data, message, signature);
  }
  return bad_key("key: unknown type");
}

}  // namespace p2pa::crypto
