#include <gnutls/abstract.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/gnutls_datum.hpp"
#include "support/tampered_handshake.hpp"
#include "support/web_certificates.hpp"
#include "transport/layer/layer_stack.hpp"
#include "transport/tls/web_layer.hpp"
#include "transport/websocket/layer.hpp"

using namespace p2pa;
using test::CertificateSpec;
using test::WebCertificate;
using tls::RecordSession;
using tls::WebCredentials;
using tls::WebLayer;
using tls::WebTrust;

namespace {

constexpr std::int64_t kDay = 86'400, kNow = 1'700'000'000;
constexpr std::string_view kHost = "node.example.com";

void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

Bytes operator+(Bytes a, ByteView b) {
  append(a, b);
  return a;
}

Bytes text(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

CertificateSpec spec(std::string_view name, int days = 30) {
  CertificateSpec out;
  out.name = name;
  out.hosts = {std::string(name)};
  out.not_before = kNow - kDay;
  out.not_after = kNow + days * kDay;
  return out;
}

CertificateSpec authority(std::string_view name, int days = 3650) {
  CertificateSpec out = spec(name, days);
  out.hosts = {};
  out.authority = true;
  return out;
}

/// Who signs whom, made once.
struct Web {
  WebCertificate root{authority("Root")}, other_root{authority("Other")};
  WebCertificate middle{authority("Middle"), &root}, inner{authority("Inner"), &middle};
  WebCertificate leaf{spec(kHost), &root}, deep_leaf{spec(kHost), &inner};
};

const Web& web() {
  static const Web one;
  return one;
}

std::shared_ptr<const WebCredentials> credentials(const WebCertificate& leaf, ByteView rest = {}) {
  const auto out = WebCredentials::from_pem(leaf.pem() + rest, leaf.key_pem());
  REQUIRE(out);
  return *out;
}

std::shared_ptr<const WebTrust> trust(ByteView roots) {
  const auto out = WebTrust::from_pem(roots);
  REQUIRE(out);
  return *out;
}

/// One end and what came of it.
struct End {
  explicit End(std::unique_ptr<WebLayer> which) : layer(std::move(which)) {
    REQUIRE(layer != nullptr);
    REQUIRE(layer->begin(down));
  }

  void feed(ByteView bytes, std::size_t piece = 1 << 20) {
    while (!bytes.empty() && error.code == Code::kOk) {
      const ByteView part = bytes.first(std::min(piece, bytes.size()));
      if (const auto done = layer->receive(part, up, down); !done) error = done.error();
      bytes = bytes.subspan(part.size());
    }
  }
  Bytes said() { return std::exchange(down, {}); }
  Bytes sealed(ByteView words) {
    layer->send(words, down);
    return said();
  }
  bool good() const { return error.code == Code::kOk && layer->open(); }

  std::unique_ptr<WebLayer> layer;
  Bytes up, down;
  Error error{Code::kOk};
};

struct Setup {
  std::shared_ptr<const WebCredentials> own = credentials(web().leaf);
  std::shared_ptr<const WebTrust> trusted = trust(web().root.pem());
  std::string host{kHost};
  std::int64_t unix_time = kNow;

  End client() const { return End(WebLayer::client({host, trusted, unix_time})); }
  End server() const { return End(WebLayer::server(own)); }
};

struct Talk {
  explicit Talk(const Setup& setup = {}, std::size_t size = 1 << 20)
      : client(setup.client()), server(setup.server()), piece(size) {
    run();
  }
  void run() {
    while (!client.down.empty() || !server.down.empty()) {
      server.feed(client.said(), piece);
      client.feed(server.said(), piece);
    }
  }
  bool good() const { return client.good() && server.good(); }

  End client, server;
  std::size_t piece;
};

/// Why a client refuses it, and that the server hears of it.
std::string refusal(const Setup& setup) {
  Talk talk(setup);
  if (talk.good()) return {};
  CHECK(talk.client.error.code == Code::kBadCertificate);
  CHECK_FALSE(talk.client.layer->open());
  CHECK(talk.server.error == Error{Code::kRefused, GNUTLS_A_BAD_CERTIFICATE});
  return talk.client.error.why;
}

/// GnuTLS as others use it, at the other end of ours.
struct Stranger {
  Stranger(unsigned flags, const char* priorities) {
    REQUIRE(gnutls_init(&session, flags | GNUTLS_NONBLOCK) == 0);
    REQUIRE(gnutls_certificate_allocate_credentials(&own) == 0);
    REQUIRE(gnutls_priority_set_direct(session, priorities, nullptr) == 0);
    REQUIRE(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, own) == 0);
    gnutls_transport_set_ptr(session, this);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_push_function(session, push);
  }
  ~Stranger() {
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(own);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void show(const WebCertificate& shown) {
    gnutls_x509_crt_t certificate = shown.certificate();
    REQUIRE(gnutls_certificate_set_x509_key(own, &certificate, 1, shown.key()) >= 0);
  }
  /// In this order, which GnuTLS would change where it is not that of a chain.
  void show_all(const std::vector<const WebCertificate*>& chain) {
    std::vector<gnutls_pcert_st> list(chain.size());
    for (std::size_t i = 0; i < chain.size(); ++i) {
      REQUIRE(gnutls_pcert_import_x509(&list[i], chain[i]->certificate(), 0) == 0);
    }
    gnutls_privkey_t key = nullptr;
    REQUIRE(gnutls_privkey_init(&key) == 0);
    REQUIRE(gnutls_privkey_import_x509(key, chain.front()->key(), 0) == 0);
    const auto count = static_cast<int>(list.size());
    REQUIRE(gnutls_certificate_set_key(own, nullptr, 0, list.data(), count, key) >= 0);
  }
  void offer(std::string_view name) {
    const gnutls_datum_t datum = crypto::datum(as_bytes(name));
    REQUIRE(gnutls_alpn_set_protocols(session, &datum, 1, 0) == 0);
  }
  /// What the handshake ended with.
  int run(End& end) {
    int code = GNUTLS_E_AGAIN;
    for (int round = 0; round < 20 && code != 0; ++round) {
      code = gnutls_handshake(session);
      if (code != 0 && code != GNUTLS_E_AGAIN) gnutls_alert_send_appropriate(session, code);
      end.feed(std::exchange(out, {}));
      append(in, end.said());
      if (code != GNUTLS_E_AGAIN && code != 0) break;
    }
    return code;
  }
  void send(ByteView words) {
    REQUIRE(gnutls_record_send(session, words.data(), words.size()) == static_cast<ssize_t>(words.size()));
  }

  static ssize_t pull(gnutls_transport_ptr_t self, void* data, std::size_t size) {
    Stranger& stranger = *static_cast<Stranger*>(self);
    if (stranger.in.empty()) {
      gnutls_transport_set_errno(stranger.session, EAGAIN);
      return -1;
    }
    const auto n = static_cast<std::ptrdiff_t>(std::min(size, stranger.in.size()));
    std::copy_n(stranger.in.begin(), n, static_cast<std::uint8_t*>(data));
    stranger.in.erase(stranger.in.begin(), stranger.in.begin() + n);
    return n;
  }
  static ssize_t push(gnutls_transport_ptr_t self, const void* data, std::size_t size) {
    append(static_cast<Stranger*>(self)->out, {static_cast<const std::uint8_t*>(data), size});
    return static_cast<ssize_t>(size);
  }

  gnutls_session_t session = nullptr;
  gnutls_certificate_credentials_t own = nullptr;
  Bytes in, out;
};

constexpr const char* kAny = "NORMAL";
constexpr const char* kOnly12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";

}  // namespace

TEST_CASE("both ends of web TLS talk, however the bytes are cut") {
  for (const std::size_t piece : {1, 3, 700, 5000, 1'000'000}) {
    Talk talk({}, piece);
    REQUIRE(talk.good());
    Bytes all;
    for (const std::size_t size : {0, 1, 16'384, 16'385, 100'000}) {
      const Bytes words = text(size);
      talk.client.layer->send(words, talk.client.down);
      talk.server.layer->send(words, talk.server.down);
      CHECK(talk.client.down.size() <= size + (size / 16'384 + 1) * ByteLayer::kOverheadMax);
      append(all, words);
      talk.run();
    }
    INFO(piece);
    CHECK(talk.client.up == all);
    CHECK(talk.server.up == all);
    CHECK(talk.good());
  }
}

TEST_CASE("what follows the handshake in one piece is not lost") {
  End client = Setup().client(), server = Setup().server();
  server.feed(client.said());
  client.feed(server.said());
  REQUIRE(client.layer->open());
  client.layer->send(as_bytes("first words"), client.down);
  CHECK_FALSE(server.layer->open());
  server.feed(client.said());
  CHECK(server.good());
  CHECK(as_text(server.up) == "first words");
}

TEST_CASE("a host is who its certificate names") {
  Setup setup;
  CHECK(refusal(setup).empty());
  setup.host = "NODE.example.COM";
  CHECK(refusal(setup).empty());
  for (const char* other :
       {"other.example.com", "example.com", "a.node.example.com", "192.0.2.1", "", "2001:db8::1"}) {
    setup.host = other;
    INFO(other);
    CHECK(refusal(setup) == "the certificate is for another host");
  }

  CertificateSpec wide = spec("*.abc.libp2p.direct");
  wide.ip = {192, 0, 2, 1};
  const WebCertificate leaf(wide, &web().root);
  setup.own = credentials(leaf);
  for (const char* host : {"192-0-2-1.abc.libp2p.direct", "192.0.2.1"}) {
    setup.host = host;
    CHECK(refusal(setup).empty());
  }
  for (const char* host : {"a.b.abc.libp2p.direct", "abc.libp2p.direct", "192.0.2.2"}) {
    setup.host = host;
    CHECK(refusal(setup) == "the certificate is for another host");
  }

  wide.hosts = {"six"};
  wide.ip = Bytes(16, 0);
  wide.ip.back() = 1;
  const WebCertificate six(wide, &web().root);
  setup.own = credentials(six);
  setup.host = "::1";
  CHECK(refusal(setup).empty());
}

TEST_CASE("a certificate must be signed by who is trusted") {
  Setup setup;
  setup.trusted = trust(web().other_root.pem());
  CHECK(refusal(setup) == "nobody who is trusted signed the certificate");
  setup.trusted = trust(web().other_root.pem() + web().root.pem());
  CHECK(refusal(setup).empty());

  const WebCertificate self(spec(kHost));
  setup.own = credentials(self);
  CHECK(refusal(setup) == "nobody who is trusted signed the certificate");
  setup.trusted = trust(self.pem());
  CHECK(refusal(setup).empty());
  setup.trusted = WebTrust::anybody();
  setup.host = "whatever";
  setup.unix_time = 0;
  CHECK(refusal(setup).empty());

  // Its name is that of the root, but not its key.
  const WebCertificate namesake(authority("Root"));
  const WebCertificate forged(spec(kHost), &namesake);
  Setup fooled;
  fooled.own = credentials(forged);
  CHECK_FALSE(refusal(fooled).empty());
  fooled.own = credentials(forged, namesake.pem());
  CHECK_FALSE(refusal(fooled).empty());
}

TEST_CASE("a chain leads from the certificate to who is trusted") {
  Setup setup;
  const Bytes middle = web().middle.pem(), inner = web().inner.pem(), root = web().root.pem();
  for (const Bytes& rest : {inner + middle, middle + inner, inner + middle + root}) {
    setup.own = credentials(web().deep_leaf, rest);
    CHECK(refusal(setup).empty());
  }
  for (const Bytes& rest : {Bytes(), inner, middle}) {
    setup.own = credentials(web().deep_leaf, rest);
    CHECK(refusal(setup) == "nobody who is trusted signed the certificate");
  }
  setup.own = credentials(web().deep_leaf, inner);
  setup.trusted = trust(middle);  // whoever trusts one in the middle needs no more
  CHECK(refusal(setup).empty());

  const WebCertificate by_leaf(spec(kHost), &web().leaf);
  setup.own = credentials(by_leaf, web().leaf.pem());
  setup.trusted = trust(web().root.pem());
  CHECK_FALSE(refusal(setup).empty());  // who may sign none signed it
}

TEST_CASE("a server may show its chain in any order, with others between") {
  const Web& all = web();
  using Chain = std::vector<const WebCertificate*>;
  const auto verdict = [](const Chain& chain, const char* version) {
    Stranger stranger(GNUTLS_SERVER, version);
    stranger.show_all(chain);
    End client = Setup().client();
    stranger.run(client);
    return client.good();
  };
  for (const char* version : {kAny, kOnly12}) {
    CHECK(verdict({&all.deep_leaf, &all.inner, &all.middle}, version));
    CHECK(verdict({&all.deep_leaf, &all.middle, &all.leaf, &all.inner, &all.other_root, &all.root}, version));
    CHECK(verdict({&all.leaf, &all.other_root, &all.leaf}, version));
    CHECK_FALSE(verdict({&all.deep_leaf, &all.middle, &all.other_root}, version));
    CHECK_FALSE(verdict({&all.middle, &all.deep_leaf, &all.inner}, version));  // the server's own is the first
    CHECK_FALSE(verdict({&all.inner, &all.middle, &all.leaf}, version));
  }
}

TEST_CASE("each certificate of a chain must be valid at the time that the client is told") {
  Setup setup;
  setup.unix_time = kNow + 30 * kDay;
  CHECK(refusal(setup).empty());
  setup.unix_time = kNow + 30 * kDay + 1;
  CHECK(refusal(setup) == "a certificate has expired");
  setup.unix_time = kNow - kDay;
  CHECK(refusal(setup).empty());
  setup.unix_time = kNow - kDay - 1;
  CHECK(refusal(setup) == "a certificate is not valid yet");

  const WebCertificate brief(authority("Brief", 1), &web().root);
  const WebCertificate leaf(spec(kHost), &brief);
  Setup deep;
  deep.own = credentials(leaf, brief.pem());
  CHECK(refusal(deep).empty());
  deep.unix_time = kNow + 2 * kDay;
  CHECK(refusal(deep) == "a certificate has expired");

  const WebCertificate old_root(authority("Old root", 1));
  const WebCertificate below(spec(kHost), &old_root);
  Setup old;
  old.own = credentials(below);
  old.trusted = trust(old_root.pem());
  CHECK(refusal(old).empty());
  old.unix_time = kNow + 2 * kDay;
  CHECK(refusal(old) == "a certificate has expired");
}

TEST_CASE("an old certificate behind the ones that are needed does no harm") {
  const WebCertificate old(authority("Old", 1));
  Setup setup;
  setup.own = credentials(web().leaf, old.pem());
  setup.unix_time = kNow + 2 * kDay;
  CHECK(refusal(setup).empty());
}

TEST_CASE("a certificate of a client is none of a server") {
  CertificateSpec wrong = spec(kHost);
  wrong.purpose = GNUTLS_KP_TLS_WWW_CLIENT;
  const WebCertificate leaf(wrong, &web().root);
  Setup setup;
  setup.own = credentials(leaf);
  CHECK_FALSE(refusal(setup).empty());
}

TEST_CASE("nothing is computed with a key out of bounds, in either version of TLS") {
  CertificateSpec small = spec(kHost);
  small.algorithm = GNUTLS_PK_RSA;
  for (const auto& [bits, good] : {std::pair{2048u, true}, {1024u, false}}) {
    small.bits = bits;
    const WebCertificate leaf(small, &web().root);
    for (const char* version : {kAny, kOnly12}) {
      Stranger stranger(GNUTLS_SERVER, version);
      stranger.show(leaf);
      End client = Setup().client();
      CHECK((stranger.run(client) == 0) == good);
      CHECK(client.error.code == (good ? Code::kOk : Code::kBadCertificate));
    }
  }
}

TEST_CASE("more certificates than anybody needs are refused") {
  for (const unsigned over : {0u, 1u}) {
    std::vector<const WebCertificate*> chain(WebTrust::kChainMax + over, &web().other_root);
    chain.front() = &web().leaf;
    Stranger stranger(GNUTLS_SERVER, kAny);
    stranger.show_all(chain);
    End client = Setup().client();
    stranger.run(client);
    CHECK(client.good() == (over == 0));
    if (over == 1) CHECK(std::string(client.error.why) == "more certificates than are taken");
  }
}

TEST_CASE("new connections show new credentials, and old ones keep theirs") {
  Setup setup;
  Talk old(setup);
  setup.own = credentials(web().deep_leaf, web().inner.pem() + web().middle.pem());
  const std::weak_ptr<const WebCredentials> renewed = setup.own;
  const Setup only_middle{setup.own, trust(web().middle.pem())};
  CHECK(refusal(only_middle).empty());
  setup.own = credentials(web().leaf);
  CHECK(refusal({setup.own, trust(web().middle.pem())}) == "nobody who is trusted signed the certificate");
  old.client.layer->send(as_bytes("still there"), old.client.down);
  old.run();
  CHECK(as_text(old.server.up) == "still there");
  CHECK_FALSE(renewed.expired());  // only_middle has them
}

TEST_CASE("credentials are a chain and its key in PEM") {
  const Bytes chain = web().leaf.pem(), key = web().leaf.key_pem();
  const auto code_of = [](ByteView some_chain, ByteView some_key) {
    const auto made = WebCredentials::from_pem(some_chain, some_key);
    return made ? Code::kOk : made.error().code;
  };
  CHECK(code_of(chain, key) == Code::kOk);
  CHECK(code_of(chain + web().root.pem(), key) == Code::kOk);
  CHECK(code_of({}, key) == Code::kBadCertificate);
  CHECK(code_of(as_bytes("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), key) ==
        Code::kBadCertificate);
  CHECK(code_of(key, key) == Code::kBadCertificate);
  CHECK(code_of(chain, {}) == Code::kBadKey);
  CHECK(code_of(chain, chain) == Code::kBadKey);
  CHECK(code_of(chain, web().root.key_pem()) == Code::kBadKey);

  for (const Bytes& bad : {Bytes(), key, text(1000)}) {
    const auto made = WebTrust::from_pem(bad);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == Code::kBadCertificate);
  }
}

TEST_CASE("TLS 1.2 is spoken with whoever has no newer one, and nothing older") {
  for (const unsigned flags : {GNUTLS_CLIENT, GNUTLS_SERVER}) {
    const bool stranger_serves = flags == GNUTLS_SERVER;
    Stranger stranger(flags, kOnly12);
    if (stranger_serves) stranger.show(web().leaf);
    End end = stranger_serves ? Setup().client() : Setup().server();
    REQUIRE(stranger.run(end) == 0);
    REQUIRE(end.good());
    stranger.send(as_bytes("words"));
    end.feed(std::exchange(stranger.out, {}), 1);
    CHECK(as_text(end.up) == "words");
    const Bytes most = text(50'000);
    append(stranger.in, end.sealed(most));
    Bytes got(most.size() + 1);
    std::size_t size = 0;
    while (!stranger.in.empty()) {
      const ssize_t n = gnutls_record_recv(stranger.session, got.data() + size, got.size() - size);
      REQUIRE(n > 0);
      size += static_cast<std::size_t>(n);
    }
    CHECK(std::ranges::equal(ByteView(got).first(size), most));
    gnutls_bye(stranger.session, GNUTLS_SHUT_WR);
    end.feed(std::exchange(stranger.out, {}));
    CHECK(end.error.code == Code::kConnectionClosed);

    Stranger old(flags, "NORMAL:-VERS-ALL:+VERS-TLS1.1");
    if (stranger_serves) old.show(web().leaf);
    End other = stranger_serves ? Setup().client() : Setup().server();
    CHECK(old.run(other) != 0);
    CHECK_FALSE(other.layer->open());
    CHECK(other.error.code != Code::kOk);
  }
}

TEST_CASE("nothing is renegotiated") {
  Stranger stranger(GNUTLS_SERVER, kOnly12);
  stranger.show(web().leaf);
  End client = Setup().client();
  REQUIRE(stranger.run(client) == 0);
  gnutls_rehandshake(stranger.session);
  client.feed(std::exchange(stranger.out, {}));
  CHECK(client.error.code == Code::kProtocolViolation);
}

TEST_CASE("a peer that wants small records gets them, within the overhead of a layer") {
  const Bytes sent = text(16'384);
  for (const char* version : {kAny, kOnly12}) {
    Stranger stranger(GNUTLS_CLIENT, version);
    REQUIRE(gnutls_record_set_max_recv_size(stranger.session, 512) == 0);
    End server = Setup().server();
    REQUIRE(stranger.run(server) == 0);
    const Bytes sealed = server.sealed(sent);
    CHECK(sealed.size() > sent.size() + 600);
    CHECK(sealed.size() <= sent.size() + ByteLayer::kOverheadMax);
  }
}

TEST_CASE("a client names the host, and the protocol of the web") {
  const auto name_said = [](const std::string& host) {
    Stranger stranger(GNUTLS_SERVER, kAny);
    stranger.show(web().leaf);
    stranger.offer("http/1.1");
    End client(WebLayer::client({host, WebTrust::anybody(), kNow}));
    REQUIRE(stranger.run(client) == 0);
    gnutls_datum_t chosen{};
    REQUIRE(gnutls_alpn_get_selected_protocol(stranger.session, &chosen) == 0);
    CHECK(as_text({chosen.data, chosen.size}) == "http/1.1");
    std::array<char, 64> name{};
    std::size_t size = name.size();
    unsigned type = 0;
    const int code = gnutls_server_name_get(stranger.session, name.data(), &size, &type, 0);
    return code == 0 ? std::string(name.data()) : std::string();
  };
  CHECK(name_said("node.example.com") == "node.example.com");
  CHECK(name_said("192-0-2-1.example") == "192-0-2-1.example");
  CHECK(name_said("192.0.2.1").empty());
  CHECK(name_said("2001:db8::1").empty());
  CHECK(name_said("").empty());
}

TEST_CASE("no certificate is for a host that cannot be one") {
  Setup setup;
  for (const std::string& host :
       {std::string(254, 'a'), std::string(100'000, 'a'), std::string("a b"), std::string("\xc3\xa4.example"),
        std::string("*.example.com"), std::string("["), std::string("."), std::string("a\0b", 3)}) {
    setup.host = host;
    INFO(host);
    CHECK(refusal(setup) == "the certificate is for another host");
  }
  setup.host = std::string(kHost) + std::string("\0.example", 9);
  CHECK(refusal(setup) == "the certificate is for another host");
}

TEST_CASE("a server serves who says no protocol, and refuses who has none in common") {
  Stranger plain(GNUTLS_CLIENT, kAny), other(GNUTLS_CLIENT, kAny), web_client(GNUTLS_CLIENT, kAny);
  End first = Setup().server(), second = Setup().server(), third = Setup().server();
  CHECK(plain.run(first) == 0);
  web_client.offer("http/1.1");
  CHECK(web_client.run(second) == 0);
  other.offer("h2");
  CHECK(other.run(third) == GNUTLS_E_FATAL_ALERT_RECEIVED);
  CHECK(third.error == Error{Code::kHandshake, GNUTLS_A_NO_APPLICATION_PROTOCOL});
}

TEST_CASE("what is no TLS is refused at its first bytes") {
  for (const std::string_view words : {"GET / HTTP/1.1\r\n", "\x13/multistream/1.0.0\n"}) {
    End server = Setup().server();
    server.feed(as_bytes(words));
    CHECK(server.error == Error{Code::kHandshake, GNUTLS_A_UNEXPECTED_MESSAGE});
    End client = Setup().client();
    client.down.clear();
    client.feed(as_bytes(words));
    CHECK(client.error == Error{Code::kHandshake, GNUTLS_A_UNEXPECTED_MESSAGE});
  }
}

TEST_CASE("of a handshake no more is taken than its bound") {
  const auto record = [](std::size_t size) {
    Bytes out(5 + size);
    const Bytes head{22, 3, 1, static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    std::ranges::copy(head, out.begin());
    return out;
  };
  Bytes hello = record(16'384);
  hello[5] = GNUTLS_HANDSHAKE_CLIENT_HELLO;
  hello[6] = 0xff;
  for (const std::size_t over : {0, 1}) {
    End server = Setup().server();
    server.feed(hello);
    server.feed(record(RecordSession::kHandshakeBytesMax - hello.size() + over));
    CHECK(server.error == (over == 0 ? Error{Code::kOk} : Error{Code::kHandshake, GNUTLS_A_DECODE_ERROR}));
  }
  End large = Setup().server();
  large.feed(Bytes{22, 3, 1, 0x41, 0x01});
  CHECK(large.error == Error{Code::kHandshake, GNUTLS_A_RECORD_OVERFLOW});
}

TEST_CASE("a changed byte is a violation, behind what came before it, and the peer is told at once") {
  for (const std::size_t at : {0, 1, 4, 5, 20}) {
    Talk talk;
    Bytes stream = talk.client.sealed(as_bytes("good"));
    Bytes changed = talk.client.sealed(as_bytes("changed"));
    changed[at] ^= 1;
    append(stream, changed);
    append(stream, Bytes(2, 0));
    talk.server.feed(stream);
    INFO(at);
    CHECK(as_text(talk.server.up) == "good");
    CHECK(talk.server.error.code == Code::kProtocolViolation);
    CHECK_FALSE(talk.server.down.empty());
    talk.client.feed(talk.server.said());
    CHECK(talk.client.error == Error{Code::kRefused, talk.server.error.detail});
    for (End* end : {&talk.client, &talk.server}) {
      end->layer->finish(end->down);
      end->layer->send(as_bytes("too late"), end->down);
    }
    CHECK(talk.server.down.empty());
  }
}

TEST_CASE("a byte changed in the handshake ends it") {
  for (int flight = 0; flight < 3; ++flight) {
    for (std::size_t at = 0;; at += 13) {
      End client = Setup().client(), server = Setup().server();
      if (!test::tamper_handshake(client, server, flight, at)) break;
      INFO("flight " << flight << " byte " << at);
      CHECK_FALSE((client.good() && server.good()));
    }
  }
}

TEST_CASE("the end is told behind what came before it, and the other direction goes on") {
  Talk talk;
  Bytes stream = talk.client.sealed(as_bytes("last words"));
  talk.client.layer->finish(talk.client.down);
  talk.client.layer->finish(talk.client.down);
  talk.client.layer->send(as_bytes("too late"), talk.client.down);
  append(stream, talk.client.said());
  talk.server.feed(stream);
  CHECK(as_text(talk.server.up) == "last words");
  CHECK(talk.server.error.code == Code::kConnectionClosed);
  CHECK(talk.server.down.empty());
  talk.client.feed(talk.server.sealed(as_bytes("and my answer")));
  CHECK(as_text(talk.client.up) == "and my answer");
  talk.server.layer->finish(talk.server.down);
  talk.client.feed(talk.server.said());
  CHECK(talk.client.error.code == Code::kConnectionClosed);
}

TEST_CASE("before its handshake is over a layer says nothing of the end") {
  End client = Setup().client(), server = Setup().server();
  client.down.clear();
  for (End* end : {&client, &server}) {
    end->layer->finish(end->down);
    CHECK(end->down.empty());
  }
}

TEST_CASE("a WebSocket in TLS is two layers on each other") {
  Rng rng(Bytes(32, 1));
  LayerStack client, server;
  client.add(WebLayer::client({std::string(kHost), trust(web().root.pem()), kNow}));
  client.add(websocket::Layer::client(kHost, "/", rng));
  server.add(WebLayer::server(credentials(web().leaf)));
  server.add(websocket::Layer::server());
  Bytes to_client, to_server, client_up, server_up;
  REQUIRE(client.begin(to_server));
  REQUIRE(server.begin(to_client));
  Result<void> client_end, server_end;
  const auto run = [&] {
    while (!to_client.empty() || !to_server.empty()) {
      for (const std::uint8_t byte : std::exchange(to_server, {})) {
        if (server_end) server_end = server.receive({&byte, 1}, server_up, to_client);
      }
      for (const std::uint8_t byte : std::exchange(to_client, {})) {
        if (client_end) client_end = client.receive({&byte, 1}, client_up, to_server);
      }
    }
  };
  run();
  REQUIRE((client.open() && server.open()));
  client.send(text(1000), to_server);
  server.send(text(2000), to_client);
  run();
  CHECK(server_up == text(1000));
  CHECK(client_up == text(2000));
  client.finish(to_server);
  run();
  REQUIRE_FALSE(server_end);
  CHECK(server_end.error().code == Code::kConnectionClosed);
  server.finish(to_client);
  run();
  REQUIRE_FALSE(client_end);
  CHECK(client_end.error().code == Code::kConnectionClosed);
}
