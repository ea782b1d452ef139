#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <algorithm>
#include <optional>

#include "crypto/ed25519.hpp"
#include "crypto/gnutls_datum.hpp"
#include "identity/public_key.hpp"
#include "transport/tls/certificate.hpp"
#include "transport/tls/certificate_key.hpp"
#include "transport/tls/der.hpp"
#include "transport/tls/oids.hpp"

namespace p2pa::tls {
namespace {

using der::Element;
using der::Tag;

/// What the rules need of a certificate; views into its DER.
struct Parsed {
  ByteView tbs, algorithm, signature, spki;
  std::int64_t not_before = 0, not_after = 0;
  std::optional<ByteView> signed_key;  ///< value of the libp2p extension
};

struct SignedKey {
  ByteView public_key, signature;
};

std::unexpected<Error> malformed() { return fail(Code::kMalformed, "the certificate is not X.509"); }

bool same(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

/// The bits of a BIT STRING of whole bytes.
Result<ByteView> whole_bytes(const Element& bits) {
  if (bits.content.empty() || bits.content[0] != 0) return malformed();
  return bits.content.subspan(1);
}

/// Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
Result<void> parse_extension(ByteView content, Parsed& out) {
  ByteReader reader(content);
  const auto id = der::read(reader, Tag::kOid);
  if (!id) return malformed();
  bool critical = false;
  if (der::next_is(reader, Tag::kBoolean)) {
    const auto flag = der::read(reader, Tag::kBoolean);
    if (!flag || flag->content.size() != 1) return malformed();
    critical = flag->content[0] != 0;
  }
  const auto value = der::read(reader, Tag::kOctetString);
  if (!value || !reader.at_end()) return malformed();
  if (same(id->content, kLibp2pExtension)) {
    if (out.signed_key) return fail(Code::kBadCertificate, "the libp2p extension is there twice");
    out.signed_key = value->content;
  } else if (critical) {
    return fail(Code::kBadCertificate, "an unknown extension is critical");
  }
  return {};
}

Result<void> parse_extensions(ByteReader& tbs, Parsed& out) {
  const auto wrapper = der::read(tbs, Tag::kContext3);
  if (!wrapper) return malformed();
  ByteReader outer(wrapper->content);
  const auto list = der::read(outer, Tag::kSequence);
  if (!list || !outer.at_end()) return malformed();
  ByteReader reader(list->content);
  while (!reader.at_end()) {
    const auto extension = der::read(reader, Tag::kSequence);
    if (!extension) return malformed();
    if (const auto done = parse_extension(extension->content, out); !done) return done;
  }
  return {};
}

Result<void> parse_validity(const Element& validity, Parsed& out) {
  ByteReader reader(validity.content);
  const auto from = der::read(reader), until = der::read(reader);
  if (!from || !until || !reader.at_end()) return malformed();
  const auto not_before = der::unix_time(*from), not_after = der::unix_time(*until);
  if (!not_before || !not_after) return malformed();
  out.not_before = *not_before;
  out.not_after = *not_after;
  return {};
}

/// RFC 5280 §4.1.2
Result<void> parse_tbs(const Element& tbs, Parsed& out) {
  ByteReader reader(tbs.content);
  const auto version = der::read(reader, Tag::kContext0);
  if (!version || !same(version->content, Bytes{0x02, 0x01, 0x02})) return malformed();
  const auto serial = der::read(reader, Tag::kInteger);
  const auto algorithm = der::read(reader, Tag::kSequence);
  const auto issuer = der::read(reader, Tag::kSequence);
  const auto validity = der::read(reader, Tag::kSequence);
  const auto subject = der::read(reader, Tag::kSequence);
  const auto spki = der::read(reader, Tag::kSequence);
  if (!serial || !algorithm || !issuer || !validity || !subject || !spki) return malformed();
  if (!same(algorithm->whole, out.algorithm)) return malformed();
  out.spki = spki->whole;
  if (const auto done = parse_validity(*validity, out); !done) return done;
  if (!der::next_is(reader, Tag::kContext3)) {
    // Either nothing follows, or the unique ids that no libp2p certificate may have.
    return fail(Code::kBadCertificate, "the libp2p extension is missing");
  }
  if (const auto done = parse_extensions(reader, out); !done) return done;
  if (!reader.at_end()) return malformed();
  return {};
}

Result<Parsed> parse(ByteView der) {
  ByteReader file(der);
  const auto certificate = der::read(file, Tag::kSequence);
  if (!certificate || !file.at_end()) return malformed();
  ByteReader reader(certificate->content);
  const auto tbs = der::read(reader, Tag::kSequence);
  const auto algorithm = der::read(reader, Tag::kSequence);
  const auto bits = der::read(reader, Tag::kBitString);
  if (!tbs || !algorithm || !bits || !reader.at_end()) return malformed();
  const auto signature = whole_bytes(*bits);
  if (!signature) return malformed();
  Parsed out;
  out.tbs = tbs->whole;
  out.algorithm = algorithm->whole;
  out.signature = *signature;
  if (const auto done = parse_tbs(*tbs, out); !done) return std::unexpected(done.error());
  return out;
}

/// SignedKey ::= SEQUENCE { publicKey OCTET STRING, signature OCTET STRING }
Result<SignedKey> parse_signed_key(ByteView value) {
  ByteReader reader(value);
  const auto sequence = der::read(reader, Tag::kSequence);
  if (!sequence || !reader.at_end()) return malformed();
  ByteReader fields(sequence->content);
  const auto key = der::read(fields, Tag::kOctetString), signature = der::read(fields, Tag::kOctetString);
  if (!key || !signature || !fields.at_end()) return malformed();
  return SignedKey{key->content, signature->content};
}

std::optional<gnutls_sign_algorithm_t> signature_algorithm(ByteView algorithm) {
  ByteReader outer(algorithm);
  const auto sequence = der::read(outer, Tag::kSequence);
  if (!sequence) return std::nullopt;
  ByteReader reader(sequence->content);
  const auto id = der::read(reader, Tag::kOid);
  if (!id) return std::nullopt;
  struct Known { ByteView oid; gnutls_sign_algorithm_t algorithm; };
  const Known table[] = {
      {kEd25519, GNUTLS_SIGN_EDDSA_ED25519},   {kEcdsaSha256, GNUTLS_SIGN_ECDSA_SHA256},
      {kEcdsaSha384, GNUTLS_SIGN_ECDSA_SHA384}, {kEcdsaSha512, GNUTLS_SIGN_ECDSA_SHA512},
      {kRsaSha256, GNUTLS_SIGN_RSA_SHA256},     {kRsaSha384, GNUTLS_SIGN_RSA_SHA384},
      {kRsaSha512, GNUTLS_SIGN_RSA_SHA512},
  };
  for (const Known& known : table) {
    if (same(known.oid, id->content)) return known.algorithm;
  }
  return std::nullopt;
}

/// RFC 8410 §4: the key itself follows a head without parameters. Empty: another kind of key.
ByteView ed25519_key(ByteView spki) {
  constexpr std::uint8_t kHead[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
  constexpr std::size_t kKeySize = 32;
  const bool is_one = spki.size() == sizeof kHead + kKeySize && same(spki.first(sizeof kHead), kHead);
  return is_one ? spki.last(kKeySize) : ByteView{};
}

Result<void> check_self_signature(const Parsed& certificate) {
  const auto algorithm = signature_algorithm(certificate.algorithm);
  if (!algorithm) return fail(Code::kBadCertificate, "the certificate's signature algorithm is not taken");
  const auto wrong = [] { return fail(Code::kBadSignature, "the certificate's self-signature is wrong"); };
  // What our own nodes have, and libsodium takes half of GnuTLS's time for.
  const ByteView raw_key = ed25519_key(certificate.spki);
  if (*algorithm == GNUTLS_SIGN_EDDSA_ED25519 && !raw_key.empty()) {
    if (!crypto::ed25519_verify(raw_key, certificate.tbs, certificate.signature)) return wrong();
    return {};
  }
  const auto key = import_certificate_key(certificate.spki);
  if (!key) return std::unexpected(key.error());
  const gnutls_datum_t tbs = crypto::datum(certificate.tbs), signature = crypto::datum(certificate.signature);
  if (gnutls_pubkey_verify_data2(key->get(), *algorithm, 0, &tbs, &signature) < 0) return wrong();
  return {};
}

Result<VerifiedPeer> check_host_key(const SignedKey& signed_key, ByteView spki) {
  const auto host = PublicKey::decode(signed_key.public_key);
  if (!host) return std::unexpected(host.error());
  Bytes message(kSignaturePrefix.begin(), kSignaturePrefix.end());
  message.insert(message.end(), spki.begin(), spki.end());
  if (const auto done = host->verify(message, signed_key.signature); !done) return std::unexpected(done.error());
  return VerifiedPeer{PeerId::from_public_key(signed_key.public_key),
                      Bytes(signed_key.public_key.begin(), signed_key.public_key.end())};
}

}  // namespace

Result<VerifiedPeer> verify_certificate(ByteView der, std::int64_t unix_time) {
  if (der.size() > kCertificateBytesMax) return fail(Code::kBadCertificate, "the certificate is too large");
  const auto certificate = parse(der);
  if (!certificate) return std::unexpected(certificate.error());
  if (unix_time < certificate->not_before) return fail(Code::kBadCertificate, "the certificate is not valid yet");
  if (unix_time > certificate->not_after) return fail(Code::kBadCertificate, "the certificate has expired");
  if (!certificate->signed_key) return fail(Code::kBadCertificate, "the libp2p extension is missing");
  const auto signed_key = parse_signed_key(*certificate->signed_key);
  if (!signed_key) return std::unexpected(signed_key.error());
  if (const auto done = check_self_signature(*certificate); !done) return std::unexpected(done.error());
  return check_host_key(*signed_key, certificate->spki);
}

Result<VerifiedPeer> verify_peer(ByteView der, std::int64_t unix_time, const PeerId& expected) {
  auto verified = verify_certificate(der, unix_time);
  if (verified && !expected.empty() && verified->peer != expected) {
    return fail(Code::kPeerIdMismatch, "the other end proved another identity");
  }
  return verified;
}

}  // namespace p2pa::tls
