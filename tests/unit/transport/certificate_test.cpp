#include "transport/tls/certificate.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string_view>

#include "base/multibase.hpp"
#include "transport/tls/certificate_key.hpp"
#include "transport/tls/der.hpp"
#include "transport/tls/oids.hpp"
#include "vectors/table.hpp"

using namespace p2pa;
using tls::der::Tag;
namespace der = tls::der;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;

Bytes from_hex(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

std::array<std::uint8_t, 32> seed(std::uint8_t n) {
  std::array<std::uint8_t, 32> out{};
  out.fill(n);
  return out;
}

Bytes bits(ByteView bytes, std::uint8_t unused = 0) { return der::write(Tag::kBitString, {{&unused, 1}, bytes}); }

Bytes extension(ByteView oid, ByteView value, std::optional<std::uint8_t> critical = {}) {
  const Bytes flag = critical ? der::write(Tag::kBoolean, {{&*critical, 1}}) : Bytes{};
  return der::write(Tag::kSequence, {der::write(Tag::kOid, {oid}), flag, der::write(Tag::kOctetString, {value})});
}

/// A certificate whose every part can be put wrong.
struct Forge {
  std::optional<Bytes> other_spki;  // before what is made of it
  KeyPair host = KeyPair::from_seed(seed(1));
  KeyPair key = KeyPair::from_seed(seed(2));
  Bytes algorithm = der::write(Tag::kSequence, {der::write(Tag::kOid, {tls::kEd25519})});
  Bytes outer_algorithm = algorithm;
  Bytes not_before = der::write(Tag::kUtcTime, {as_bytes("230101000000Z")});
  Bytes not_after = der::write(Tag::kGeneralizedTime, {as_bytes("40960101000000Z")});
  Bytes version = from_hex("a003020102");
  Bytes before_extensions;
  std::vector<Bytes> extensions = {libp2p()};
  bool sign_with_host = false;
  Bytes tail;

  Bytes spki() const {
    if (other_spki) return *other_spki;
    return der::write(Tag::kSequence, {algorithm_of_key(), bits(key.public_key().last(32))});
  }
  Bytes algorithm_of_key() const { return der::write(Tag::kSequence, {der::write(Tag::kOid, {tls::kEd25519})}); }
  Bytes signed_key() const {
    Bytes message(tls::kSignaturePrefix.begin(), tls::kSignaturePrefix.end());
    const Bytes own = spki();
    message.insert(message.end(), own.begin(), own.end());
    return der::write(Tag::kSequence, {der::write(Tag::kOctetString, {host.public_key()}),
                                       der::write(Tag::kOctetString, {host.sign(message)})});
  }
  Bytes libp2p(std::optional<std::uint8_t> critical = {}) const {
    return extension(tls::kLibp2pExtension, signed_key(), critical);
  }
  Bytes make() const {
    const Bytes name = from_hex("3000");
    Bytes list;
    for (const Bytes& e : extensions) list.insert(list.end(), e.begin(), e.end());
    const Bytes wrapped =
        extensions.empty() ? Bytes{} : der::write(Tag::kContext3, {der::write(Tag::kSequence, {list})});
    const Bytes validity = der::write(Tag::kSequence, {not_before, not_after});
    const Bytes tbs = der::write(Tag::kSequence, {version, from_hex("020101"), algorithm, name, validity, name, spki(),
                                                  before_extensions, wrapped});
    const auto signature = (sign_with_host ? host : key).sign(tbs);
    Bytes out = der::write(Tag::kSequence, {tbs, outer_algorithm, bits(signature)});
    out.insert(out.end(), tail.begin(), tail.end());
    return out;
  }
  Code verdict(std::int64_t now = kNow) const {
    const auto verified = tls::verify_certificate(make(), now);
    return verified ? Code::kOk : verified.error().code;
  }
};

/// The SubjectPublicKeyInfo of an RSA key that nobody has.
Bytes rsa_spki(std::size_t modulus_bytes, ByteView exponent) {
  Bytes modulus(modulus_bytes, 0xf3);
  modulus.insert(modulus.begin(), 0);
  const Bytes algorithm = der::write(
      Tag::kSequence, {der::write(Tag::kOid, {from_hex("2a864886f70d010101")}), from_hex("0500")});
  return der::write(Tag::kSequence,
                    {algorithm, bits(der::write(Tag::kSequence, {der::write(Tag::kInteger, {modulus}),
                                                                 der::write(Tag::kInteger, {exponent})}))});
}

/// RFC 8446 §4.4.2, without a context and extensions.
Bytes certificate_message(ByteView certificate) {
  const auto size_24 = [](std::size_t n) {
    return Bytes{static_cast<std::uint8_t>(n >> 16), static_cast<std::uint8_t>(n >> 8),
                 static_cast<std::uint8_t>(n)};
  };
  Bytes out{0};
  for (const Bytes& part : {size_24(certificate.size() + 5), size_24(certificate.size()),
                            Bytes(certificate.begin(), certificate.end()), Bytes{0, 0}}) {
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace

TEST_CASE("a certificate's RSA key is bounded before anything is computed with it") {  // CVE-2023-39533
  const Bytes usual = from_hex("010001");
  Forge f;
  f.algorithm = f.outer_algorithm = der::write(Tag::kSequence, {der::write(Tag::kOid, {tls::kRsaSha256})});
  const auto refused = [&](std::size_t modulus_bytes, ByteView exponent) {
    f.other_spki = rsa_spki(modulus_bytes, exponent);
    f.extensions = {f.libp2p()};
    const auto asked = tls::check_certificate_message(certificate_message(f.make()));
    CHECK((asked || asked.error().code == Code::kBadCertificate));
    CHECK(f.verdict() == (asked ? Code::kBadSignature : Code::kBadCertificate));
    return !asked;
  };
  CHECK_FALSE(refused(256, usual));
  CHECK_FALSE(refused(1024, usual));
  CHECK(refused(255, usual));
  CHECK(refused(1025, usual));
  CHECK(refused(256, Bytes(256, 0x7f)));
  CHECK(refused(3000, Bytes(3000, 0x7f)));  // minutes of work, were it done
}

TEST_CASE("a Certificate message of TLS is taken apart within its borders") {
  const Bytes message = certificate_message(Forge().make());
  REQUIRE(tls::first_certificate(message));
  CHECK(tls::check_certificate_message(message));
  for (std::size_t n = 0; n < message.size(); ++n) {
    CHECK_FALSE(tls::check_certificate_message(ByteView(message).first(n)));
  }
  CHECK_FALSE(tls::first_certificate(from_hex("00000000")));
  CHECK_FALSE(tls::check_certificate_message(certificate_message({})));
  CHECK_FALSE(tls::check_certificate_message(certificate_message(Bytes(tls::kCertificateBytesMax + 1))));
  Forge f;
  f.other_spki = der::write(Tag::kSequence, {});
  CHECK(tls::check_certificate_message(certificate_message(f.make())).error().code == Code::kBadCertificate);
}

TEST_CASE("the certificates of the spec, and of other hands, prove what they should") {
  for (const auto& row : test::read_table("tls_certificates", 2)) {
    const Bytes certificate = from_hex(row[1]);
    const auto verified = tls::verify_certificate(certificate, kNow);
    INFO(row[0]);
    if (row[0] == "bad_signature") {
      REQUIRE_FALSE(verified);
      CHECK(verified.error().code == Code::kBadSignature);
    } else {
      REQUIRE(verified);
      CHECK(verified->peer.to_string() == row[0]);
      CHECK(PeerId::from_public_key(verified->public_key) == verified->peer);
    }
  }
}

TEST_CASE("no byte of a certificate can be changed, and none be missing") {
  for (const auto& row : test::read_table("tls_certificates", 2)) {
    const Bytes good = from_hex(row[1]);
    if (!tls::verify_certificate(good, kNow)) continue;
    for (std::size_t i = 0; i < good.size(); i += 1 + good.size() / 150) {
      Bytes bad = good;
      bad[i] ^= 1;
      CHECK_FALSE(tls::verify_certificate(bad, kNow));
      CHECK_FALSE(tls::verify_certificate(ByteView(good).first(i), kNow));
    }
    Bytes longer = good;
    longer.push_back(0);
    CHECK_FALSE(tls::verify_certificate(longer, kNow));
  }
}

TEST_CASE("our own certificates are good for a hundred years, and always of one size") {
  const KeyPair host = KeyPair::from_seed(seed(3));
  std::size_t size = 0;
  for (std::uint8_t n = 0; n < 20; ++n) {
    Rng rng(seed(n));
    const auto own = tls::make_certificate(host, rng, kNow);
    const auto verified = tls::verify_certificate(own.certificate, kNow);
    REQUIRE(verified);
    CHECK(verified->peer == host.peer_id());
    CHECK(std::ranges::equal(verified->public_key, host.public_key()));
    CHECK(tls::verify_certificate(own.certificate, kNow - 3599));
    CHECK(tls::verify_certificate(own.certificate, kNow + 99LL * 365 * 86'400));
    CHECK(tls::verify_certificate(own.certificate, kNow - 3601).error().code == Code::kBadCertificate);
    CHECK(tls::verify_certificate(own.certificate, kNow + 100LL * 366 * 86'400).error().code == Code::kBadCertificate);
    if (size != 0) CHECK(own.certificate.size() == size);
    size = own.certificate.size();
    Rng again(seed(n));
    CHECK(tls::make_certificate(host, again, kNow).certificate == own.certificate);
  }
}

TEST_CASE("the forge makes good certificates when nothing is put wrong") {
  Forge f;
  CHECK(f.verdict() == Code::kOk);
  CHECK(tls::verify_certificate(f.make(), kNow)->peer == f.host.peer_id());
  f.extensions = {f.libp2p(0xff)};
  CHECK(f.verdict() == Code::kOk);
  f.extensions = {extension(from_hex("2a0304"), {}), f.libp2p(), extension(from_hex("2a0305"), {}, 0)};
  CHECK(f.verdict() == Code::kOk);
}

TEST_CASE("extensions: ours must be there once, and no other be critical") {
  Forge f;
  f.extensions = {};
  CHECK(f.verdict() == Code::kBadCertificate);
  f.extensions = {extension(from_hex("2a0304"), {})};
  CHECK(f.verdict() == Code::kBadCertificate);
  f.extensions = {f.libp2p(), f.libp2p()};
  CHECK(f.verdict() == Code::kBadCertificate);
  f.extensions = {f.libp2p(), extension(from_hex("2a0304"), {}, 0xff)};
  CHECK(f.verdict() == Code::kBadCertificate);
  f.extensions = {extension(from_hex("551d0f"), from_hex("03020780"), 0xff), f.libp2p()};  // key usage
  CHECK(f.verdict() == Code::kBadCertificate);
  f.extensions = {extension(tls::kLibp2pExtension, from_hex("3000"))};
  CHECK(f.verdict() == Code::kMalformed);
  f.extensions = {extension(tls::kLibp2pExtension, {})};
  CHECK(f.verdict() == Code::kMalformed);
}

TEST_CASE("validity is a window, in 64-bit time") {
  Forge f;
  CHECK(f.verdict(1'672'531'199) == Code::kBadCertificate);
  CHECK(f.verdict(1'672'531'200) == Code::kOk);
  CHECK(f.verdict(67'090'000'000) == Code::kOk);  // the year 4095
  CHECK(f.verdict(67'100'000'000) == Code::kBadCertificate);
  f.not_before = der::write(Tag::kUtcTime, {as_bytes("500101000000Z")});  // 1950
  CHECK(f.verdict(-1) == Code::kOk);
  f.not_after = der::write(Tag::kUtcTime, {as_bytes("491231235959Z")});  // 2049
  CHECK(f.verdict(2'524'607'999) == Code::kOk);
  CHECK(f.verdict(2'524'608'000) == Code::kBadCertificate);
}

TEST_CASE("times that are none") {
  for (const char* text : {"", "Z", "23010100000Z", "2301010000000Z", "230101000000", "230101000000+0000",
                           "231301000000Z", "230001000000Z", "230132000000Z", "230229000000Z", "230101240000Z",
                           "230101006000Z", "230101000060Z", "2301010000-1Z", " 30101000000Z"}) {
    INFO(text);
    Forge f;
    f.not_before = der::write(Tag::kUtcTime, {as_bytes(text)});
    CHECK(f.verdict() == Code::kMalformed);
  }
  Forge f;
  f.not_before = der::write(Tag::kInteger, {as_bytes("230101000000Z")});
  CHECK(f.verdict() == Code::kMalformed);
}

TEST_CASE("signatures must be by the certificate's key and by the host's") {
  Forge f;
  f.sign_with_host = true;
  CHECK(f.verdict() == Code::kBadSignature);

  Forge other;
  other.key = KeyPair::from_seed(seed(9));
  Forge copied;  // the extension of another certificate of the same host
  copied.extensions = other.extensions;
  CHECK(copied.verdict() == Code::kOk);  // the same keys as made it
  other.extensions = copied.extensions;
  CHECK(other.verdict() == Code::kBadSignature);
}

TEST_CASE("what is not X.509 as RFC 5280 has it is malformed") {
  Forge f;
  f.version = {};
  CHECK(f.verdict() == Code::kMalformed);
  f.version = from_hex("a003020101");  // version 2
  CHECK(f.verdict() == Code::kMalformed);
  f = Forge{};
  f.outer_algorithm = der::write(Tag::kSequence, {der::write(Tag::kOid, {tls::kEcdsaSha256})});
  CHECK(f.verdict() == Code::kMalformed);
  f = Forge{};
  f.tail = {0};
  CHECK(f.verdict() == Code::kMalformed);
  f = Forge{};
  f.before_extensions = from_hex("81020001");  // issuerUniqueID, which libp2p forbids
  CHECK(f.verdict() == Code::kBadCertificate);
  f.before_extensions = from_hex("82020001");
  CHECK(f.verdict() == Code::kBadCertificate);
  CHECK(tls::verify_certificate({}, kNow).error().code == Code::kMalformed);
  CHECK(tls::verify_certificate(Bytes(tls::kCertificateBytesMax + 1), kNow).error().code == Code::kBadCertificate);
}

TEST_CASE("algorithms that nobody should use are not taken") {
  Forge f;
  f.algorithm = f.outer_algorithm =
      der::write(Tag::kSequence, {der::write(Tag::kOid, {from_hex("2a864886f70d010105")})});  // sha1WithRSA
  CHECK(f.verdict() == Code::kBadCertificate);
}

TEST_CASE("DER lengths are definite and minimal") {
  const auto read_all = [](std::string_view hex) {
    const Bytes bytes = from_hex(hex);
    ByteReader reader(bytes);
    return der::read(reader).has_value();
  };
  CHECK(read_all("0400"));
  CHECK(read_all("0401ff"));
  CHECK(read_all("048180" + std::string(256, '0')));
  for (const char* bad : {"", "04", "0401", "0480", "048101ff", "04820001ff", "0483000001ff", "048400000001ff",
                          "0481ff", "1f0100", "04ff"}) {
    INFO(bad);
    CHECK_FALSE(read_all(bad));
  }
}
