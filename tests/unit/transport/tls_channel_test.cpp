#include "transport/tls/tls_channel.hpp"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/gnutls_datum.hpp"
#include "support/tampered_handshake.hpp"
#include "transport/tls/der.hpp"
#include "transport/tls/oids.hpp"

using namespace p2pa;
using tls::Certificate;
using tls::Credentials;
using tls::TlsChannel;

namespace {

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::string_view kYamux = "/yamux/1.0.0", kMplex = "/mplex/6.7.0", kOther = "/other/1";
using Names = std::vector<std::string_view>;

KeyPair identity(std::uint8_t n) {
  std::array<std::uint8_t, KeyPair::kSeedSize> seed{};
  seed.fill(n);
  return KeyPair::from_seed(seed);
}

Certificate certificate(std::uint8_t n, std::int64_t unix_time = kNow) {
  std::array<std::uint8_t, 32> seed{};
  seed.fill(n);
  Rng rng(seed);
  return tls::make_certificate(identity(n), rng, unix_time);
}

const Credentials& credentials(std::uint8_t n) {
  static const Credentials both[] = {Credentials(certificate(1)), Credentials(certificate(2))};
  return both[n - 1];
}

void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

/// One end and its caller: bytes that were not taken wait.
struct End {
  std::unique_ptr<TlsChannel> channel;
  Bytes waiting, out, plain;
  Error error{Code::kOk};
  bool ready = false;  // open() has been called after the handshake

  /// What arrives, until it is taken or waits.
  void feed(ByteView bytes) {
    append(waiting, bytes);
    if (error.code == Code::kOk && !channel->established()) {
      const auto taken = channel->handshake(waiting, out);
      if (!taken) {
        error = taken.error();
        return;
      }
      drop(*taken);
    }
    if (error.code == Code::kOk && channel->established()) read();
  }
  void read() {
    ready = true;
    Bytes room(SecureChannel::kPlainBytesMax);
    for (;;) {
      const auto progress = channel->open(waiting, room);
      if (!progress) {
        error = progress.error();
        return;
      }
      append(plain, ByteView(room).first(progress->made));
      drop(progress->taken);
      if (progress->taken == 0) return;
    }
  }
  void drop(std::size_t n) {
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(n));
  }
  Bytes said() { return std::exchange(out, {}); }
  Bytes seal(ByteView text) {
    Bytes sealed(text.size() + channel->seal_overhead());
    sealed.resize(channel->seal(text, sealed));
    return sealed;
  }
  bool good() const { return error.code == Code::kOk && channel->established(); }
};

struct Setup {
  Names client_muxers{kYamux}, server_muxers{kYamux};
  PeerId client_wants = identity(2).peer_id(), server_wants;
  std::int64_t client_time = kNow, server_time = kNow;
  const Credentials* client_credentials = &credentials(1);
  const Credentials* server_credentials = &credentials(2);

  End client() const {
    return {TlsChannel::client(*client_credentials, {client_wants, client_muxers, client_time}), {}, {}, {}};
  }
  End server() const {
    return {TlsChannel::server(*server_credentials, {server_wants, server_muxers, server_time}), {}, {}, {}};
  }
};

/// Hands the bytes over in pieces.
void carry(Bytes bytes, End& to, std::size_t piece) {
  for (ByteView rest = bytes; !rest.empty();) {
    const ByteView part = rest.first(std::min(piece, rest.size()));
    to.feed(part);
    rest = rest.subspan(part.size());
  }
}

constexpr std::size_t kWhole = 1 << 20;

void run(End& client, End& server, std::size_t piece = kWhole) {
  client.feed({});
  server.feed({});
  while (!client.out.empty() || !server.out.empty()) {
    carry(std::exchange(client.out, {}), server, piece);
    carry(std::exchange(server.out, {}), client, piece);
  }
}

struct Talk {
  End client, server;
  explicit Talk(const Setup& setup = {}, std::size_t piece = kWhole)
      : client(setup.client()), server(setup.server()) {
    run(client, server, piece);
  }
  bool good() const { return client.good() && server.good(); }
};

/// The other end as somebody else would have it: a plain session of GnuTLS.
class Stranger {
 public:
  explicit Stranger(unsigned flags, const char* priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3") {
    REQUIRE(gnutls_init(&session, flags | GNUTLS_NONBLOCK) == 0);
    REQUIRE(gnutls_priority_set_direct(session, priorities, nullptr) == 0);
    REQUIRE(gnutls_certificate_allocate_credentials(&own) == 0);
    REQUIRE(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, own) == 0);
    gnutls_transport_set_ptr(session, this);
    gnutls_transport_set_pull_function(session, [](void* self, void* data, std::size_t size) -> ssize_t {
      Bytes& waiting = static_cast<Stranger*>(self)->in;
      if (waiting.empty()) return errno = EAGAIN, -1;
      size = std::min(size, waiting.size());
      std::copy_n(waiting.begin(), size, static_cast<std::uint8_t*>(data));
      waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(size));
      return static_cast<ssize_t>(size);
    });
    gnutls_transport_set_push_function(session, [](void* self, const void* data, std::size_t size) {
      append(static_cast<Stranger*>(self)->out, {static_cast<const std::uint8_t*>(data), size});
      return static_cast<ssize_t>(size);
    });
  }
  ~Stranger() {
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(own);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void show(const Certificate& shown) {
    const gnutls_datum_t der = crypto::datum(shown.certificate), key = crypto::datum(shown.private_key);
    REQUIRE(gnutls_certificate_set_x509_key_mem2(own, &der, &key, GNUTLS_X509_FMT_DER, nullptr, 0) >= 0);
  }
  void offer(const Names& names) {
    std::vector<gnutls_datum_t> list;
    for (const auto name : names) list.push_back(crypto::datum(as_bytes(name)));
    REQUIRE(gnutls_alpn_set_protocols(session, list.data(), static_cast<unsigned>(list.size()), 0) == 0);
  }
  /// The handshake as far as it goes; what is left for `end` waits there.
  int run(End& end) {
    int code = 0;
    end.feed({});
    do {
      append(in, std::exchange(end.out, {}));
      code = gnutls_handshake(session);
      end.feed(std::exchange(out, {}));
    } while (!end.out.empty());
    return code;
  }

  gnutls_session_t session = nullptr;
  gnutls_certificate_credentials_t own = nullptr;
  Bytes in, out;
};

/// A certificate as other implementations make it, with a key of another kind.
Certificate foreign(gnutls_pk_algorithm_t algorithm, unsigned bits, const KeyPair& host) {
  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_crt_t crt = nullptr;
  gnutls_privkey_t abstract = nullptr;
  gnutls_pubkey_t pubkey = nullptr;
  REQUIRE((gnutls_x509_privkey_init(&key) == 0 && gnutls_x509_crt_init(&crt) == 0 &&
           gnutls_privkey_init(&abstract) == 0 && gnutls_pubkey_init(&pubkey) == 0));
  REQUIRE(gnutls_x509_privkey_generate(key, algorithm, bits, 0) == 0);
  REQUIRE(gnutls_privkey_import_x509(abstract, key, 0) == 0);
  REQUIRE(gnutls_pubkey_import_privkey(pubkey, abstract, 0, 0) == 0);
  const auto take = [](gnutls_datum_t& from) {
    Bytes out(from.data, from.data + from.size);
    gnutls_free(from.data);
    return out;
  };
  gnutls_datum_t data{};
  REQUIRE(gnutls_pubkey_export2(pubkey, GNUTLS_X509_FMT_DER, &data) == 0);
  Bytes message(tls::kSignaturePrefix.begin(), tls::kSignaturePrefix.end());
  append(message, take(data));
  using tls::der::Tag;
  const Bytes signed_key = tls::der::write(
      Tag::kSequence, {tls::der::write(Tag::kOctetString, {host.public_key()}),
                       tls::der::write(Tag::kOctetString, {host.sign(message)})});
  REQUIRE(gnutls_x509_crt_set_version(crt, 3) == 0);
  REQUIRE(gnutls_x509_crt_set_serial(crt, "\1", 1) == 0);
  REQUIRE(gnutls_x509_crt_set_activation_time(crt, kNow - 10) == 0);
  REQUIRE(gnutls_x509_crt_set_expiration_time(crt, kNow + 10) == 0);
  REQUIRE(gnutls_x509_crt_set_key(crt, key) == 0);
  REQUIRE(gnutls_x509_crt_set_extension_by_oid(crt, "1.3.6.1.4.1.53594.1.1", signed_key.data(),
                                               signed_key.size(), 0) == 0);
  REQUIRE(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) == 0);
  Certificate out;
  REQUIRE(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &data) == 0);
  out.certificate = take(data);
  REQUIRE(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_DER, nullptr, GNUTLS_PKCS_PLAIN,
                                            &data) == 0);
  out.private_key = take(data);
  gnutls_pubkey_deinit(pubkey);
  gnutls_privkey_deinit(abstract);
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_privkey_deinit(key);
  return out;
}

Bytes text(std::size_t size, std::uint8_t salt = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + salt + i / 251);
  return out;
}

}  // namespace

TEST_CASE("both ends know each other, however the bytes of a handshake are cut") {
  for (const std::size_t piece : {1uz, 2uz, 5uz, 6uz, 333uz, kWhole}) {
    Talk talk({}, piece);
    INFO(piece);
    REQUIRE(talk.good());
    CHECK(talk.client.channel->peer() == identity(2).peer_id());
    CHECK(talk.server.channel->peer() == identity(1).peer_id());
    carry(talk.client.seal(as_bytes("to the server")), talk.server, piece);
    carry(talk.server.seal(as_bytes("to the client")), talk.client, piece);
    CHECK(as_text(talk.server.plain) == "to the server");
    CHECK(as_text(talk.client.plain) == "to the client");
  }
}

TEST_CASE("each flight may break in two at any byte") {
  const Setup setup;
  for (std::size_t at = 1; at < 1500; at += 13) {
    End client = setup.client(), server = setup.server();
    client.feed({});
    while (!client.out.empty() || !server.out.empty()) {
      for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
        const Bytes flight = std::exchange(from->out, {});
        to->feed(ByteView(flight).first(std::min(at, flight.size())));
        to->feed(ByteView(flight).subspan(std::min(at, flight.size())));
      }
    }
    REQUIRE((client.good() && server.good()));
  }
}

TEST_CASE("a client is established when its Finished went out, a server when it verified it") {
  const Setup setup;
  End client = setup.client(), server = setup.server();
  client.feed({});
  server.feed(std::exchange(client.out, {}));
  CHECK_FALSE(server.channel->established());
  client.feed(std::exchange(server.out, {}));
  CHECK(client.channel->established());
  server.feed(ByteView(client.out).first(client.out.size() - 1));
  CHECK_FALSE(server.channel->established());
  server.feed(ByteView(client.out).last(1));
  CHECK(server.good());
  CHECK(server.out.empty());  // no ticket
}

TEST_CASE("nothing behind the handshake's last byte is taken by it") {
  const Setup setup;
  End client = setup.client(), server = setup.server();
  client.feed({});
  server.feed(std::exchange(client.out, {}));
  client.feed(std::exchange(server.out, {}));
  Bytes flight = std::exchange(client.out, {});
  const std::size_t handshake_size = flight.size();
  append(flight, client.seal(as_bytes("early bird")));
  append(flight, client.seal(as_bytes(", and its friend")));
  const auto taken = server.channel->handshake(flight, server.out);
  REQUIRE(taken);
  CHECK(*taken == handshake_size);
  server.waiting.assign(flight.begin() + static_cast<std::ptrdiff_t>(*taken), flight.end());
  server.read();
  CHECK(as_text(server.plain) == "early bird, and its friend");
}

TEST_CASE("open() with nothing answers nothing") {
  Talk talk;
  Bytes room(SecureChannel::kPlainBytesMax);
  const auto progress = talk.server.channel->open({}, room);
  REQUIRE(progress);
  CHECK((progress->taken == 0 && progress->made == 0));
}

TEST_CASE("records are opened as far as they are complete and there is room") {
  Talk talk;
  const std::size_t most = talk.client.channel->seal_max();
  CHECK(most == 16'384);
  const Bytes sent = text(most);
  Bytes stream;
  for (int i = 0; i < 6; ++i) append(stream, talk.client.seal(sent));
  const std::size_t record = stream.size() / 6;
  CHECK(record == most + 22);
  CHECK(record <= SecureChannel::kRecordBytesMax);
  Bytes room(SecureChannel::kPlainBytesMax);  // of four records but for a byte
  auto progress = talk.server.channel->open(ByteView(stream).first(stream.size() - 1), room);
  REQUIRE(progress);
  CHECK((progress->taken == 3 * record && progress->made == 3 * most));
  CHECK(std::ranges::equal(ByteView(room).first(most), sent));
  progress = talk.server.channel->open(ByteView(stream).subspan(3 * record, 3 * record - 1), room);
  REQUIRE(progress);
  CHECK((progress->taken == 2 * record && progress->made == 2 * most));
  progress = talk.server.channel->open(ByteView(stream).last(record), room);
  REQUIRE(progress);
  CHECK((progress->taken == record && progress->made == most));
}

TEST_CASE("a megabyte goes each way in records of all sizes") {
  Talk talk;
  const Bytes sent = text(1 << 20);
  std::size_t size = 1;
  for (ByteView rest = sent; !rest.empty(); size = size * 5 % 16'383 + 1) {
    const ByteView part = rest.first(std::min(size, rest.size()));
    carry(talk.client.seal(part), talk.server, 1000);
    carry(talk.server.seal(part), talk.client, kWhole);
    rest = rest.subspan(part.size());
  }
  CHECK(talk.server.plain == sent);
  CHECK(talk.client.plain == sent);
}

TEST_CASE("the handshake agrees on the client's first muxer that the server has") {
  const auto agreed = [](const Names& client, const Names& server) {
    Setup setup;
    setup.client_muxers = client;
    setup.server_muxers = server;
    Talk talk(setup);
    REQUIRE(talk.good());
    CHECK(talk.client.channel->muxer() == talk.server.channel->muxer());
    return std::string(talk.client.channel->muxer());
  };
  CHECK(agreed({kYamux, kMplex}, {kMplex, kYamux}) == kYamux);
  CHECK(agreed({kMplex, kYamux}, {kYamux, kMplex}) == kMplex);
  CHECK(agreed({kOther, kMplex}, {kYamux, kMplex}) == kMplex);
  CHECK(agreed({kOther}, {kYamux}).empty());  // both have "libp2p"
  CHECK(agreed({}, {kYamux}).empty());
  CHECK(agreed({}, {}).empty());
  const Names most(TlsChannel::kMuxersMax, kYamux);
  CHECK(agreed(most, most) == kYamux);
}

TEST_CASE("a client without ALPN or with a server's name is served, one without a name of ours is not") {
  const Setup setup;
  for (const bool named : {false, true}) {
    Stranger stranger(GNUTLS_CLIENT);
    stranger.show(certificate(1));
    if (named) REQUIRE(gnutls_server_name_set(stranger.session, GNUTLS_NAME_DNS, "l", 1) == 0);
    End server = setup.server();
    CHECK(stranger.run(server) == 0);
    REQUIRE(server.good());
    CHECK(server.channel->muxer().empty());
  }
  Stranger stranger(GNUTLS_CLIENT);
  stranger.show(certificate(1));
  stranger.offer({"h2"});
  End server = setup.server();
  CHECK(stranger.run(server) == GNUTLS_E_FATAL_ALERT_RECEIVED);
  CHECK(gnutls_alert_get(stranger.session) == GNUTLS_A_NO_APPLICATION_PROTOCOL);
  CHECK(server.error == Error{Code::kHandshake, GNUTLS_A_NO_APPLICATION_PROTOCOL});
}

TEST_CASE("a server without ALPN leaves the muxer open, and ours says no name to it") {
  const Setup setup;
  Stranger stranger(GNUTLS_SERVER);
  gnutls_certificate_server_set_request(stranger.session, GNUTLS_CERT_REQUIRE);
  stranger.show(certificate(2));
  End client = setup.client();
  CHECK(stranger.run(client) == 0);
  REQUIRE(client.good());
  CHECK(client.channel->muxer().empty());
  std::array<char, 64> name;
  std::size_t size = name.size();
  unsigned type = 0;
  CHECK(gnutls_server_name_get(stranger.session, name.data(), &size, &type, 0) ==
        GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
}

TEST_CASE("a peer that wants small records gets them") {
  const Setup setup;
  for (const unsigned flags : {GNUTLS_CLIENT, GNUTLS_SERVER}) {
    Stranger stranger(flags);
    stranger.show(certificate(flags == GNUTLS_CLIENT ? 1 : 2));
    if (flags == GNUTLS_SERVER) gnutls_certificate_server_set_request(stranger.session, GNUTLS_CERT_REQUIRE);
    REQUIRE(gnutls_record_set_max_recv_size(stranger.session, 512) == 0);
    End end = flags == GNUTLS_CLIENT ? setup.server() : setup.client();
    REQUIRE(stranger.run(end) == 0);
    REQUIRE(end.good());
    const Bytes sent = text(end.channel->seal_max());
    append(stranger.in, end.seal(sent));  // which has the room that was asked for
    CHECK(stranger.in.size() == sent.size() + 32 * 22);
    Bytes got;
    while (!stranger.in.empty()) {
      Bytes room(1000);
      const ssize_t size = gnutls_record_recv(stranger.session, room.data(), room.size());
      REQUIRE((size > 0 && size <= 512));
      append(got, ByteView(room).first(static_cast<std::size_t>(size)));
    }
    CHECK(got == sent);
  }
}

TEST_CASE("whoever is expected must prove it, and anybody will do when nobody is") {
  Setup setup;
  setup.client_wants = identity(3).peer_id();
  Talk talk(setup);
  CHECK(talk.client.error.code == Code::kPeerIdMismatch);
  CHECK(talk.server.error == Error{Code::kRefused, GNUTLS_A_BAD_CERTIFICATE});

  setup.client_wants = {};
  CHECK(Talk(setup).good());
  setup.server_wants = identity(1).peer_id();
  CHECK(Talk(setup).good());

  // A client's handshake is over by then: its caller hears of it when it reads.
  setup.server_wants = identity(3).peer_id();
  Talk late(setup);
  CHECK(late.server.error.code == Code::kPeerIdMismatch);
  CHECK(late.client.channel->established());
  CHECK(late.client.error == Error{Code::kRefused, GNUTLS_A_BAD_CERTIFICATE});
}

TEST_CASE("a certificate that is bad is refused at either end") {
  Certificate bad = certificate(1);
  bad.certificate.back() ^= 1;  // of its signature by itself
  const Credentials forged(bad);
  Setup setup;
  setup.client_wants = {};
  setup.server_credentials = &forged;
  Talk talk(setup);
  CHECK(talk.client.error.code == Code::kBadSignature);
  CHECK(talk.server.error == Error{Code::kRefused, GNUTLS_A_BAD_CERTIFICATE});

  Setup other;
  other.client_credentials = &forged;
  Talk late(other);
  CHECK(late.server.error.code == Code::kBadSignature);
  CHECK(late.client.error == Error{Code::kRefused, GNUTLS_A_BAD_CERTIFICATE});

  Setup expired;
  expired.client_time = kNow + std::int64_t{101} * 366 * 86'400;
  CHECK(Talk(expired).client.error.code == Code::kBadCertificate);
}

TEST_CASE("a client must show a certificate, and exactly one") {
  const Setup setup;
  End server = setup.server();
  Stranger none(GNUTLS_CLIENT);
  none.run(server);
  CHECK(server.error == Error{Code::kHandshake, GNUTLS_A_CERTIFICATE_REQUIRED});

  Stranger two(GNUTLS_CLIENT);
  const Certificate own = certificate(1);
  const gnutls_datum_t der = crypto::datum(own.certificate), raw = crypto::datum(own.private_key);
  gnutls_pcert_st chain[2];
  gnutls_privkey_t key = nullptr;
  REQUIRE(gnutls_privkey_init(&key) == 0);
  REQUIRE(gnutls_privkey_import_x509_raw(key, &raw, GNUTLS_X509_FMT_DER, nullptr, 0) == 0);
  for (auto& each : chain) REQUIRE(gnutls_pcert_import_x509_raw(&each, &der, GNUTLS_X509_FMT_DER, 0) == 0);
  REQUIRE(gnutls_certificate_set_key(two.own, nullptr, 0, chain, 2, key) >= 0);
  End other = setup.server();
  two.run(other);
  CHECK(other.error.code == Code::kBadCertificate);
}

TEST_CASE("certificates of other implementations prove their host") {
  const KeyPair host = identity(7);
  const auto verdict = [&](gnutls_pk_algorithm_t algorithm, unsigned bits) {
    const Credentials shown(foreign(algorithm, bits, host));
    Setup setup;
    setup.client_credentials = &shown;
    Talk talk(setup);
    if (talk.server.good()) CHECK(talk.server.channel->peer() == host.peer_id());
    if (!talk.server.good()) CHECK(talk.client.error == Error{Code::kRefused, GNUTLS_A_BAD_CERTIFICATE});
    return talk.server.error.code;
  };
  CHECK(verdict(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)) == Code::kOk);
  CHECK(verdict(GNUTLS_PK_RSA, 2048) == Code::kOk);
  CHECK(verdict(GNUTLS_PK_RSA, 1024) == Code::kBadCertificate);
}

TEST_CASE("nothing is computed with an RSA key out of bounds") {  // CVE-2023-39533
  const Setup setup;
  const auto verdict = [&](unsigned bits) {
    Certificate shown = foreign(GNUTLS_PK_RSA, bits, identity(7));
    shown.private_key = foreign(GNUTLS_PK_RSA, bits, identity(7)).private_key;  // signs, but in vain
    Stranger stranger(GNUTLS_CLIENT);
    gnutls_certificate_set_flags(stranger.own, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
    stranger.show(shown);
    End server = setup.server();
    stranger.run(server);
    return server.error;
  };
  CHECK(verdict(2048) == Error{Code::kHandshake, GNUTLS_A_DECRYPT_ERROR});
  CHECK(verdict(1024).code == Code::kBadCertificate);
}

TEST_CASE("whoever does not speak TLS 1.3 is refused at once") {
  const Setup setup;
  Stranger old(GNUTLS_CLIENT, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
  old.show(foreign(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), identity(1)));
  End server = setup.server();
  old.run(server);
  CHECK(server.error.code == Code::kHandshake);

  End web = setup.server();
  web.feed(as_bytes("GET / HTTP/1.1\r\n"));
  CHECK(web.error == Error{Code::kHandshake, GNUTLS_A_UNEXPECTED_MESSAGE});
  CHECK(web.out == Bytes{21, 3, 3, 0, 2, 2, GNUTLS_A_UNEXPECTED_MESSAGE});
}

TEST_CASE("an alert in the place of an answer is a refusal") {
  const Setup setup;
  for (const std::uint8_t level : {1, 2}) {
    for (const std::uint8_t alert : {GNUTLS_A_CLOSE_NOTIFY, GNUTLS_A_HANDSHAKE_FAILURE}) {
      End client = setup.client();
      client.feed({});
      client.out.clear();
      client.feed(Bytes{21, 3, 3, 0, 2, level, alert});
      CHECK(client.error == Error{Code::kRefused, alert});
      CHECK(client.out.empty());
    }
  }
}

TEST_CASE("no record is larger than TLS allows, in the handshake and after it") {
  const Setup setup;
  End server = setup.server();
  server.feed(Bytes{22, 3, 1, 0x41, 0x00});  // 2^14 + 256: one waits for the rest
  CHECK(server.error.code == Code::kOk);
  End other = setup.server();
  other.feed(Bytes{22, 3, 1, 0x41, 0x01});
  CHECK(other.error == Error{Code::kHandshake, GNUTLS_A_RECORD_OVERFLOW});

  Talk talk;
  talk.server.feed(Bytes{23, 3, 3, 0x41, 0x01});
  CHECK(talk.server.error == Error{Code::kProtocolViolation, GNUTLS_A_RECORD_OVERFLOW});
}

TEST_CASE("a message of a handshake is gathered within the bound") {
  const Setup setup;
  const auto record = [](std::size_t size) {
    Bytes out(5 + size);
    const Bytes head{22, 3, 1, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    std::ranges::copy(head, out.begin());
    return out;
  };
  Bytes hello = record(16'384);
  hello[5] = GNUTLS_HANDSHAKE_CLIENT_HELLO;
  hello[6] = 0xff;  // 16 MiB
  for (const std::size_t over : {0, 1}) {
    End server = setup.server();
    server.feed(hello);
    server.feed(record(TlsChannel::kHandshakeBytesMax - hello.size() + over));
    CHECK(server.error == (over == 0 ? Error{Code::kOk} : Error{Code::kHandshake, GNUTLS_A_DECODE_ERROR}));
  }
}

TEST_CASE("a byte changed in a handshake ends it") {
  const Setup setup;
  for (int flight = 0; flight < 3; ++flight) {
    for (std::size_t at = 0;; at += 11) {
      End client = setup.client(), server = setup.server();
      client.feed({});
      if (!test::tamper_handshake(client, server, flight, at)) break;
      INFO("flight " << flight << " byte " << at);
      CHECK_FALSE((client.good() && server.good()));
    }
  }
}

TEST_CASE("a byte changed in a record is a violation, and the alert says so") {
  for (const std::size_t at : {0, 1, 2, 4, 5, 20, 25}) {
    Talk talk;
    Bytes sealed = talk.client.seal(as_bytes("hello"));
    sealed[at] ^= 1;
    if (at == 4) sealed.push_back(0);  // now it is a byte longer
    talk.server.feed(sealed);
    INFO(at);
    CHECK(talk.server.error.code == Code::kProtocolViolation);
    CHECK(talk.server.plain.empty());
    Bytes alert;
    talk.server.channel->finish(alert);
    talk.client.feed(alert);
    CHECK(talk.client.error == Error{Code::kRefused, talk.server.error.detail});
  }
}

TEST_CASE("a record comes once, and in its order") {
  Talk talk;
  const Bytes first = talk.client.seal(as_bytes("1")), second = talk.client.seal(as_bytes("2"));
  talk.server.feed(first);
  talk.server.feed(first);
  CHECK(as_text(talk.server.plain) == "1");
  CHECK(talk.server.error == Error{Code::kProtocolViolation, GNUTLS_A_BAD_RECORD_MAC});
  Talk other;
  static_cast<void>(other.client.seal(as_bytes("1")));
  other.server.feed(other.client.seal(as_bytes("2")));
  CHECK(other.server.error == Error{Code::kProtocolViolation, GNUTLS_A_BAD_RECORD_MAC});
}

TEST_CASE("a stream that ends too soon proves nothing") {
  const Setup setup;
  End client = setup.client(), server = setup.server();
  client.feed({});
  const Bytes hello = std::exchange(client.out, {});
  server.feed(ByteView(hello).first(hello.size() - 1));
  CHECK((server.error.code == Code::kOk && server.out.empty() && !server.channel->established()));

  Talk talk;
  const Bytes sealed = talk.client.seal(as_bytes("hello"));
  talk.server.feed(ByteView(sealed).first(sealed.size() - 1));
  CHECK((talk.server.good() && talk.server.plain.empty()));
  CHECK(talk.server.waiting.size() == sealed.size() - 1);
}

TEST_CASE("the notice of the end is told behind what came before it, and the other direction goes on") {
  Talk talk;
  Bytes stream = talk.client.seal(as_bytes("last words"));
  const std::size_t words = stream.size();
  talk.client.channel->finish(stream);
  CHECK(stream.size() > words);
  Bytes room(SecureChannel::kPlainBytesMax);
  const auto progress = talk.server.channel->open(stream, room);
  REQUIRE(progress);
  CHECK(as_text(ByteView(room).first(progress->made)) == "last words");
  CHECK(progress->taken == words);
  for (const std::size_t from : {progress->taken, stream.size()}) {
    const auto end = talk.server.channel->open(ByteView(stream).subspan(from), room);
    REQUIRE_FALSE(end);
    CHECK(end.error().code == Code::kConnectionClosed);
  }
  talk.client.feed(talk.server.seal(as_bytes("and my answer")));
  CHECK(as_text(talk.client.plain) == "and my answer");
  Bytes notice;
  talk.server.channel->finish(notice);
  talk.client.feed(notice);
  CHECK(talk.client.error.code == Code::kConnectionClosed);
}

TEST_CASE("a peer may change its keys and ask for ours to change") {
  const Setup setup;
  Stranger stranger(GNUTLS_CLIENT);
  stranger.show(certificate(1));
  End server = setup.server();
  REQUIRE(stranger.run(server) == 0);
  const auto send = [&](std::string_view words) {
    const auto size = static_cast<ssize_t>(words.size());
    REQUIRE(gnutls_record_send(stranger.session, words.data(), words.size()) == size);
    server.feed(std::exchange(stranger.out, {}));
  };
  REQUIRE(gnutls_session_key_update(stranger.session, GNUTLS_KU_PEER) == 0);
  send("with new keys");
  REQUIRE(server.good());
  CHECK(as_text(server.plain) == "with new keys");
  const Bytes most = text(server.channel->seal_max());
  const Bytes answer = server.seal(most);
  CHECK(answer.size() == most.size() + 22 + 27);  // the KeyUpdate in front of it
  append(stranger.in, answer);
  Bytes room(20'000);
  ssize_t got = 0;
  do {
    got = gnutls_record_recv(stranger.session, room.data(), room.size());
  } while (got == GNUTLS_E_AGAIN && !stranger.in.empty());
  REQUIRE(got == static_cast<ssize_t>(most.size()));
  CHECK(std::ranges::equal(ByteView(room).first(most.size()), most));
  CHECK(server.seal(most).size() < answer.size());
}

TEST_CASE("tickets that a server sends all the same are ignored, but not without end") {
  const Setup setup;
  Stranger stranger(GNUTLS_SERVER);
  gnutls_certificate_server_set_request(stranger.session, GNUTLS_CERT_REQUIRE);
  stranger.show(certificate(2));
  gnutls_datum_t key{};
  REQUIRE(gnutls_session_ticket_key_generate(&key) == 0);
  REQUIRE(gnutls_session_ticket_enable_server(stranger.session, &key) == 0);
  gnutls_free(key.data);
  End client = setup.client();
  REQUIRE(stranger.run(client) == 0);
  const auto send_ticket = [&] {
    REQUIRE(gnutls_session_ticket_send(stranger.session, 1, 0) == 0);
    const std::size_t size = stranger.out.size();
    client.feed(std::exchange(stranger.out, {}));
    return size;
  };
  const auto send_data = [&] {
    REQUIRE(gnutls_record_send(stranger.session, "hello", 5) == 5);
    client.feed(std::exchange(stranger.out, {}));
  };
  send_data();
  for (int round = 0; round < 2; ++round) {
    const std::size_t size = send_ticket();
    for (std::size_t sent = size; sent + size <= TlsChannel::kHandshakeBytesMax;) sent += send_ticket();
    send_data();
    REQUIRE(client.good());
  }
  CHECK(as_text(client.plain) == "hellohellohello");
  for (std::size_t sent = 0; sent <= TlsChannel::kHandshakeBytesMax;) sent += send_ticket();
  CHECK(client.error == Error{Code::kProtocolViolation, GNUTLS_A_DECODE_ERROR});
}
