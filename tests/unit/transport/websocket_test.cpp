#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "support/hex.hpp"
#include "transport/websocket/layer.hpp"
#include "transport/websocket/upgrade.hpp"

using namespace p2pa;
using http::HeadReader;
using http::HttpHead;
using test::from_hex;
using websocket::Frames;
using websocket::Layer;

namespace {

// RFC 6455 §1.3
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==", kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view kSwitching = "HTTP/1.1 101 Switching Protocols\r\n";

void append(Bytes& to, ByteView from) { to.insert(to.end(), from.begin(), from.end()); }

Bytes text(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

/// One end and what came of it.
struct End {
  explicit End(std::unique_ptr<Layer> which) : layer(std::move(which)) { REQUIRE(layer->begin(down)); }

  void feed(ByteView bytes, std::size_t piece = 1 << 20) {
    while (!bytes.empty() && error.code == Code::kOk) {
      const ByteView part = bytes.first(std::min(piece, bytes.size()));
      if (const auto done = layer->receive(part, up, down); !done) error = done.error();
      bytes = bytes.subspan(part.size());
    }
  }
  void feed(std::string_view words) { feed(as_bytes(words)); }
  /// What it has to say, and forgets.
  Bytes said() { return std::exchange(down, {}); }
  std::string said_text() { return std::string(as_text(said())); }
  bool good() const { return error.code == Code::kOk && layer->open(); }

  std::unique_ptr<Layer> layer;
  Bytes up, down;
  Error error{Code::kOk};
};

/// Both ends, and the bytes in pieces of one size.
struct Pair {
  explicit Pair(std::size_t size = 1 << 20) : piece(size) { run(); }
  void run() {
    while (!client.down.empty() || !server.down.empty()) {
      server.feed(client.said(), piece);
      client.feed(server.said(), piece);
    }
  }

  Rng rng{Bytes(32, 1)};
  End client{Layer::client("example.com:4001", "/", rng)}, server{Layer::server()};
  std::size_t piece;
};

std::string request(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

std::string good_request(std::string_view more = {}) {
  return request("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: " + std::string(kKey) + "\r\n" + std::string(more));
}

/// A server that has been asked as RFC 6455 asks.
End open_server() {
  End server(Layer::server());
  server.feed(good_request());
  REQUIRE(server.good());
  server.down.clear();
  return server;
}

/// A client whose server answers with these lines behind the status.
struct Dialer {
  Dialer() : end(Layer::client("h", "/", rng)) {
    const std::string asked = end.said_text();
    constexpr std::string_view kField = "Sec-WebSocket-Key: ";
    key = asked.substr(asked.find(kField) + kField.size(), 24);
  }
  std::string answer(std::string_view more = {}) const {
    return std::string(kSwitching) + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
           websocket::accept_of(key) + "\r\n" + std::string(more) + "\r\n";
  }

  Rng rng{Bytes(32, 2)};
  End end;
  std::string key;
};

/// A frame of the peer's; a client's has the mask of RFC 6455 §5.7.
Bytes frame(std::uint8_t first, ByteView payload, bool masked, std::size_t pretended = 0) {
  constexpr std::uint8_t kMask[] = {0x37, 0xfa, 0x21, 0x3d};
  const std::size_t size = pretended == 0 ? payload.size() : pretended;
  const std::uint8_t flag = masked ? 0x80 : 0;
  Bytes out{first};
  const auto size_in = [&](std::uint8_t kind, int bytes) {
    out.push_back(flag | kind);
    for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(size >> (8 * i)));
  };
  if (size < 126) {
    size_in(static_cast<std::uint8_t>(size), 0);
  } else if (size < 1 << 16) {
    size_in(126, 2);
  } else {
    size_in(127, 8);
  }
  if (masked) append(out, kMask);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out.push_back(masked ? static_cast<std::uint8_t>(payload[i] ^ kMask[i % 4]) : payload[i]);
  }
  return out;
}

Bytes from_client(std::uint8_t first, std::string_view payload = {}) {
  return frame(first, as_bytes(payload), true);
}

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

/// A server's.
Bytes close_frame(std::uint64_t code) {
  return {0x88, 2, static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code)};
}

/// What a server says of a frame that breaks a rule.
Error verdict(ByteView bytes) {
  End server = open_server();
  server.feed(bytes);
  if (server.error.code == Code::kProtocolViolation) {
    CHECK(server.said() == close_frame(server.error.detail));
    server.layer->finish(server.down);
    CHECK(server.down.empty());
  }
  return server.error;
}

constexpr Error kBroken{Code::kProtocolViolation, 1002};

}  // namespace

TEST_CASE("the accept key is that of RFC 6455") {
  CHECK(websocket::accept_of(kKey) == kAccept);
  CHECK(websocket::key_of(as_bytes("the sample nonce")) == kKey);
}

TEST_CASE("both ends greet and talk, however the bytes are cut") {
  for (const std::size_t piece : {1, 2, 3, 7, 1000, 100'000}) {
    Pair pair(piece);
    REQUIRE((pair.client.good() && pair.server.good()));
    Bytes asked, answered;
    for (const std::size_t size : {0, 1, 125, 126, 4095, 4096, 4097, 65'535, 65'536, 65'537, 140'000}) {
      const Bytes words = text(size);
      pair.client.layer->send(words, pair.client.down);
      pair.server.layer->send(words, pair.server.down);
      append(asked, words);
      append(answered, words);
      pair.run();
    }
    INFO(piece);
    CHECK(pair.server.up == asked);
    CHECK(pair.client.up == answered);
    CHECK((pair.client.good() && pair.server.good()));
  }
}

TEST_CASE("what comes behind the greeting in one piece is not lost") {
  End server(Layer::server());
  Bytes stream;
  append(stream, as_bytes(good_request()));
  append(stream, from_client(kFin | kBinary, "early"));
  server.feed(stream);
  CHECK(server.good());
  CHECK(as_text(server.up) == "early");

  Dialer dialer;
  stream.clear();
  append(stream, as_bytes(dialer.answer()));
  append(stream, frame(kFin | kBinary, as_bytes("hello"), false));
  dialer.end.feed(stream);
  CHECK(dialer.end.good());
  CHECK(as_text(dialer.end.up) == "hello");
}

TEST_CASE("a client says what is needed and nothing else") {
  Rng rng(Bytes(32, 1));
  End client(Layer::client("[2001:db8::1]:8080", "/a?b=c", rng));
  const std::string asked = client.said_text();
  const auto head = HttpHead::parse(std::string_view(asked).substr(0, asked.size() - 2));
  REQUIRE(head);
  CHECK(head->start_line() == "GET /a?b=c HTTP/1.1");
  CHECK(head->one("host") == "[2001:db8::1]:8080");
  CHECK(head->one("sec-websocket-key")->size() == 24);
  CHECK(std::ranges::count(asked, '\n') == 7);
  End other(Layer::client("h", "/", rng));
  const std::string again = other.said_text();
  CHECK_FALSE(again.contains(*head->one("sec-websocket-key")));  // each has a nonce of its own
  CHECK_FALSE(client.layer->open());
  client.layer->finish(client.down);
  CHECK(client.down.empty());
}

TEST_CASE("a host and a path cannot smuggle a field") {
  CHECK(websocket::is_host("a-b.example_1:443"));
  CHECK(websocket::is_host("[::1]"));
  CHECK(websocket::is_path("/x/y?z"));
  for (const std::string_view bad : {"", "a b", "a\r\nX: y", "a/b", "a@b", "\xc3\xa4"}) {
    CHECK_FALSE(websocket::is_host(bad));
    CHECK_FALSE(websocket::is_path(bad));
  }
  CHECK_FALSE(websocket::is_path("/ HTTP/1.1\r\nX: y"));
}

TEST_CASE("a server answers browsers, other libraries and proxies") {
  const std::string key(kKey);
  const std::string requests[] = {
      // Chromium
      "GET / HTTP/1.1\r\nHost: 127.0.0.1:4002\r\nConnection: Upgrade\r\nPragma: no-cache\r\n"
      "Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0\r\n"
      "Upgrade: websocket\r\nOrigin: https://example.com\r\nSec-WebSocket-Version: 13\r\n"
      "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\nCookie: a=b; c=d\r\n"
      "Sec-WebSocket-Key: " + key +
          "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
      // Firefox
      "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Key: " + key +
          "\r\nConnection: keep-alive, Upgrade\r\nSec-Fetch-Mode: websocket\r\nUpgrade: websocket\r\n\r\n",
      // gorilla and coder, go
      "GET / HTTP/1.1\r\nHost: 127.0.0.1:4002\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: " + key + "\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n\r\n",
      // ws, js
      "GET / HTTP/1.1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key +
          "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nHost: h:1\r\n\r\n",
      // soketto, rust
      "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: " + key +
          "\r\nSec-WebSocket-Version: 13\r\n\r\n",
      // through nginx, which writes its own Connection
      "GET /some/path HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nHost: backend\r\n"
      "X-Real-IP: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nX-Forwarded-Proto: https\r\n"
      "Sec-WebSocket-Key: " + key + "\r\nsec-websocket-version:13\r\nContent-Length: 0\r\n\r\n",
      // whatever the case, and lists in several fields
      "GET http://h/ HTTP/1.1\r\nHOST:h\r\nUPGRADE: h2c\r\nupgrade:\tfoo , WebSocket \r\n"
      "Connection: close,UPGRADE\r\nSEC-WEBSOCKET-KEY: " + key + " \r\nSec-WebSocket-Version: 13\r\n\r\n",
  };
  const std::string answer = std::string(kSwitching) +
                             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                             std::string(kAccept) + "\r\n\r\n";
  for (const std::string& each : requests) {
    for (const std::size_t piece : {1, 10'000}) {
      End server(Layer::server());
      server.feed(as_bytes(each), piece);
      INFO(each);
      CHECK(server.good());
      CHECK(server.said_text() == answer);
    }
  }
}

TEST_CASE("a server says nothing before the request is complete") {
  const std::string all = good_request();
  End server(Layer::server());
  server.feed(std::string_view(all).substr(0, all.size() - 1));
  CHECK((server.error.code == Code::kOk && server.down.empty() && !server.layer->open()));
  server.feed(std::string_view(all).substr(all.size() - 1));
  CHECK(server.good());
}

TEST_CASE("a request that is no upgrade is told what is spoken here") {
  const std::string good = good_request();
  std::string old = good, version = good, no_connection = good;
  old.replace(old.find("1.1"), 3, "1.0");
  version.replace(version.find("13"), 2, "12");
  no_connection.replace(no_connection.find("Connection: Upgrade"), 19, "Connection: close");
  const std::string all[] = {request({}), old, version, no_connection,
                             request("Upgrade: h2c\r\nConnection: Upgrade\r\n"),
                             "POST /form HTTP/1.1\r\nContent-Length: 4\r\n\r\na=b&"};
  for (const std::string& each : all) {
    End server(Layer::server());
    server.feed(each);
    INFO(each);
    CHECK(server.error == Error{Code::kRefused, 426});
    const std::string said = server.said_text();
    CHECK(said.starts_with("HTTP/1.1 426 "));
    CHECK(said.contains("\r\nSec-WebSocket-Version: 13\r\n"));
    CHECK(said.ends_with("\r\n\r\n"));
    server.layer->finish(server.down);
    CHECK(server.down.empty());
  }
}

TEST_CASE("a request that HTTP does not allow is malformed") {
  const std::string good = good_request();
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string out = good;
    out.replace(out.find(from), from.size(), to);
    return out;
  };
  const std::string nul("\r\nX: a\0b\r\n", 10);
  const std::string all[] = {
      with("GET", "POST"), with("GET / ", "GET /"), with("GET / ", "GET  "), with("GET / ", "GET /a b "),
      with("HTTP/1.1", "HTTP/2.0"), with("HTTP/1.1", "HTTP/1.11"), with("GET ", " "),
      with("GET / HTTP/1.1", ""),
      with("Host: h\r\n", ""), with("Host: h\r\n", "Host: h\r\nHost: h\r\n"), with("Host: h", "Host h"),
      with("Host: h", "Host : h"), with("Host: h", ": h"), with("Host: h", "Ho\xc3\xb6t: h"),
      with("\r\nHost", "\r\n Host"),
      with("\r\nHost", "\r\nA: b\r\n c\r\nHost"), with("\r\nHost", "\nHost"), with("\r\nHost", "\rHost"),
      with("\r\nHost", nul + "Host"), with("\r\nHost", "\r\nA: \x7f\r\nHost"), "\r\n" + good,
      with(kKey, ""), with(kKey, "dGhlIHNhbXBsZSBub25j"), with(kKey, "dGhlIHNhbXBsZSBub25jZQ"),
      with(kKey, "dGhlIHNhbXBsZSBub25jZQ=?"), with(kKey, "dGhlIHNhbXBsZSBub25jZR=="),
      with(kKey, std::string(kKey) + "\r\nSec-WebSocket-Key: " + std::string(kKey)),
      good_request("Content-Length: 5\r\n"), good_request("Content-Length: 0\r\nContent-Length: 0\r\n"),
      good_request("Transfer-Encoding: chunked\r\n"),
  };
  for (const std::string& each : all) {
    End server(Layer::server());
    server.feed(each);
    INFO(each);
    CHECK(server.error.code == Code::kMalformed);
    CHECK(server.said_text().starts_with("HTTP/1.1 400 "));
    CHECK_FALSE(server.layer->open());
  }
}

TEST_CASE("a head is lines and nothing between them") {
  for (const std::string_view bad : {"", "GET", "\r\n", "GET\n\r\n", "G\nET\r\n", "GET\r\na\r:b\r\n",
                                     "GET\r\na:\nb:c\r\n", "GET\r\na:b\n\r\n", "GET\r\na:b\r\n\r\n"}) {
    const auto head = HttpHead::parse(bad);
    INFO(bad);
    REQUIRE_FALSE(head);
    CHECK(head.error().code == Code::kMalformed);
  }
  const auto head = HttpHead::parse("GET\r\na: \t b c\t\r\nb:\r\n");
  REQUIRE(head);
  CHECK(head->one("A") == "b c");
  CHECK(head->one("b") == "");
  CHECK((head->has("b") && !head->has("c") && !head->one("c")));
}

TEST_CASE("what is no HTTP at all is seen at its first bytes") {
  const Bytes tls = from_hex("1603010200"), multistream = from_hex("132f6d756c7469");
  for (const Bytes& each : {tls, multistream}) {
    End server(Layer::server());
    server.feed(each);
    CHECK(server.error.code == Code::kMalformed);
    Dialer dialer;
    dialer.end.feed(each);
    CHECK(dialer.end.error.code == Code::kMalformed);
    CHECK(dialer.end.down.empty());
  }
}

TEST_CASE("a head is gathered within its bounds") {
  const std::string frame_of_it = good_request("X: \r\n");
  for (const std::size_t over : {0, 1}) {
    const std::string padding(HeadReader::kHeadBytesMax - frame_of_it.size() + over, 'x');
    End server(Layer::server());
    server.feed(good_request("X: " + padding + "\r\n"));
    CHECK(server.error.code == (over == 0 ? Code::kOk : Code::kMalformed));
  }
  End endless(Layer::server());
  endless.feed(std::string(HeadReader::kHeadBytesMax, 'x'));
  CHECK(endless.error.code == Code::kOk);
  endless.feed("x");
  CHECK(endless.error.code == Code::kMalformed);

  for (const std::size_t over : {0, 1}) {
    std::string fields;
    for (std::size_t i = 0; i < HttpHead::kFieldsMax - 5 + over; ++i) fields += "a:b\r\n";
    End server(Layer::server());
    server.feed(good_request(fields));
    CHECK(server.error.code == (over == 0 ? Code::kOk : Code::kMalformed));
  }
}

TEST_CASE("a client takes the answer to its own key, whatever stands around it") {
  constexpr std::string_view kProxy = "Server: nginx/1.22.1\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n";
  for (const std::string_view more : {std::string_view(), kProxy}) {
    for (const std::size_t piece : {1, 10'000}) {
      Dialer dialer;
      dialer.end.feed(as_bytes(dialer.answer(more)), piece);
      CHECK(dialer.end.good());
      CHECK(dialer.end.down.empty());
    }
  }
  Dialer terse;
  std::string answer = terse.answer();
  answer.replace(answer.find(" Switching Protocols"), 20, "");
  answer.replace(answer.find("Upgrade: websocket"), 18, "upgrade: WebSocket");
  terse.end.feed(answer);
  CHECK(terse.end.good());
}

TEST_CASE("a server that says no has its status told") {
  for (const auto& [line, status] :
       {std::pair{"HTTP/1.1 404 Not Found", 404u}, {"HTTP/1.0 502 Bad Gateway", 502u},
        {"HTTP/1.1 200", 200u}, {"HTTP/1.1 426 ", 426u}, {"HTTP/1.1 100 Continue", 100u}}) {
    Dialer dialer;
    dialer.end.feed(std::string(line) + "\r\nContent-Length: 2\r\n\r\nno");
    CHECK(dialer.end.error == Error{Code::kRefused, status});
    CHECK_FALSE(dialer.end.layer->open());
    dialer.end.layer->finish(dialer.end.down);
    CHECK(dialer.end.down.empty());
  }
}

TEST_CASE("an answer that is not to the request is refused") {
  const Dialer model;
  const std::string good = model.answer();
  const auto verdict_of = [&](std::string_view from, std::string_view to) {
    Dialer dialer;  // of the same seed: its key is that of the model
    std::string answer = good;
    answer.replace(answer.find(from), from.size(), to);
    dialer.end.feed(answer);
    CHECK_FALSE(dialer.end.layer->open());
    return dialer.end.error.code;
  };
  const std::string accept = websocket::accept_of(model.key);
  CHECK(verdict_of(accept, kAccept) == Code::kHandshake);
  CHECK(verdict_of("Sec-WebSocket-Accept", "X") == Code::kHandshake);
  CHECK(verdict_of("\r\nSec", "\r\nSec-WebSocket-Accept: " + accept + "\r\nSec") == Code::kHandshake);
  CHECK(verdict_of("Upgrade: websocket", "Upgrade: h2c") == Code::kHandshake);
  CHECK(verdict_of("Connection: Upgrade", "Connection: close") == Code::kHandshake);
  CHECK(verdict_of("\r\nSec", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec") == Code::kHandshake);
  CHECK(verdict_of("\r\nSec", "\r\nSec-WebSocket-Protocol: chat\r\nSec") == Code::kHandshake);
  for (const std::string_view line :
       {"HTTP/2 101", "HTTP/1.1101 ", "HTTP/1.1 1x1 ", "HTTP/1.1 1011", "HTTP/1.1 10", "HTTP"}) {
    CHECK(verdict_of("HTTP/1.1 101 Switching Protocols", line) == Code::kMalformed);
  }
}

TEST_CASE("frames are those of RFC 6455") {  // §5.7
  End server = open_server();
  server.feed(from_hex("828537fa213d7f9f4d5158"));  // its masked "Hello", of bytes
  CHECK(as_text(server.up) == "Hello");
  server.feed(from_hex("898537fa213d7f9f4d5158"));
  CHECK(server.said() == from_hex("8a0548656c6c6f"));

  Dialer dialer;
  dialer.end.feed(dialer.answer());
  dialer.end.feed(from_hex("020348656c80026c6f"));  // in two fragments
  CHECK(as_text(dialer.end.up) == "Hello");
  dialer.end.up.clear();
  const Bytes words = text(256), more = text(65'536);
  Bytes stream = from_hex("827e0100");
  append(stream, words);
  append(stream, from_hex("827f0000000000010000"));
  append(stream, more);
  dialer.end.feed(stream);
  append(stream = words, more);
  CHECK(dialer.end.up == stream);

  Pair pair;
  pair.server.layer->send(words, pair.server.down);
  CHECK(std::ranges::equal(ByteView(pair.server.down).first(4), from_hex("827e0100")));
}

TEST_CASE("a client masks, each frame differently, and adds at most its header") {
  Pair pair;
  const Bytes words(100, 0);
  pair.client.layer->send(words, pair.client.down);
  pair.client.layer->send(words, pair.client.down);
  const ByteView both = pair.client.down, first = both.first(106), second = both.subspan(106);
  CHECK(second.size() == 106);
  CHECK(std::ranges::equal(first.first(2), Bytes{0x82, 0x80 | 100}));
  CHECK_FALSE(std::ranges::equal(first.subspan(2, 4), second.subspan(2, 4)));
  CHECK(std::ranges::equal(first.subspan(2, 4), first.subspan(6, 4)));  // of zeros the mask is left
  pair.client.down.clear();

  for (const std::size_t size : {std::size_t{1}, Frames::kPayloadMax, Frames::kPayloadMax + 1}) {
    pair.client.layer->send(text(size), pair.client.down);
    const std::size_t frames = (size + Frames::kPayloadMax - 1) / Frames::kPayloadMax;
    CHECK(pair.client.said().size() <= size + frames * Frames::kHeaderMax);
  }
  static_assert(Frames::kHeaderMax <= ByteLayer::kOverheadMax);
}

TEST_CASE("payload is passed on as it comes, however large its frame says it is") {
  End server = open_server();
  const Bytes words = text(10'000);
  const std::size_t pretended = std::size_t{1} << 62;
  server.feed(frame(kFin | kBinary, words, true, pretended), 777);
  CHECK(server.error.code == Code::kOk);
  CHECK(server.up == words);
  CHECK(verdict(frame(kFin | kBinary, {}, true, std::size_t{1} << 63)) == kBroken);
}

TEST_CASE("control frames may come inside a message") {
  End server = open_server();
  server.feed(from_client(kBinary, "a"));
  server.feed(from_client(kFin | kPing, "there?"));
  server.feed(from_client(kContinuation, "b"));
  server.feed(from_client(kFin | kPong, "nobody asked"));
  server.feed(from_client(kContinuation));
  server.feed(from_client(kFin | kContinuation, "c"));
  server.feed(from_client(kFin | kBinary, "d"));
  CHECK(server.good());
  CHECK(as_text(server.up) == "abcd");
  CHECK(server.said() == frame(kFin | kPong, as_bytes("there?"), false));
}

TEST_CASE("of pings that come together the last is answered") {
  End server = open_server();
  Bytes flood;
  for (int i = 0; i < 1000; ++i) append(flood, from_client(kFin | kPing));
  const std::string most(Frames::kControlBytesMax, 'x');
  append(flood, from_client(kFin | kPing, most));
  server.feed(flood);
  CHECK(server.said() == frame(kFin | kPong, as_bytes(most), false));
  server.feed(from_client(kFin | kPing));
  CHECK(server.said() == Bytes{0x8a, 0});
  CHECK(server.good());
}

TEST_CASE("a frame that breaks a rule is a violation, and the peer is told") {
  const std::string long_one(Frames::kControlBytesMax + 1, 'x');
  CHECK(verdict(frame(kFin | kBinary, as_bytes("x"), false)) == kBroken);  // not masked
  for (const std::uint8_t reserved : {0x40, 0x20, 0x10}) {
    CHECK(verdict(from_client(kFin | kBinary | reserved, "x")) == kBroken);
    CHECK(verdict(from_client(kFin | kPing | reserved)) == kBroken);
  }
  for (const std::uint8_t opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    CHECK(verdict(from_client(kFin | opcode)) == kBroken);
  }
  CHECK(verdict(from_client(kFin | kText, "hello")) == Error{Code::kProtocolViolation, 1003});
  CHECK(verdict(from_client(kText)) == Error{Code::kProtocolViolation, 1003});
  CHECK(verdict(from_client(kFin | kContinuation, "x")) == kBroken);
  Bytes nested = from_client(kBinary, "x");
  append(nested, from_client(kFin | kBinary, "y"));
  CHECK(verdict(nested) == kBroken);
  for (const std::uint8_t control : {kClose, kPing, kPong}) {
    CHECK(verdict(from_client(control)) == kBroken);  // in fragments
    CHECK(verdict(from_client(kFin | control, long_one)) == kBroken);
  }
  // Sizes that would have been shorter otherwise (§5.2).
  CHECK(verdict(from_hex("82fe007d00000000")) == kBroken);
  CHECK(verdict(from_hex("82ff000000000000ffff00000000")) == kBroken);
}

TEST_CASE("a server does not mask") {
  Dialer dialer;
  dialer.end.feed(dialer.answer());
  dialer.end.feed(from_client(kFin | kBinary, "x"));
  CHECK(dialer.end.error == kBroken);
  CHECK(dialer.end.up.empty());
  const Bytes told = dialer.end.said();
  REQUIRE(told.size() == 8);  // masked, as all that a client says
  CHECK((told[6] ^ told[2]) == 1002 >> 8);
  CHECK((told[7] ^ told[3]) == (1002 & 0xff));
}

TEST_CASE("what stands in front of a violation is passed on") {
  End server = open_server();
  Bytes stream = from_client(kFin | kBinary, "good");
  append(stream, from_client(kFin | kText, "bad"));
  append(stream, from_client(kFin | kBinary, "never read"));
  server.feed(stream);
  CHECK(as_text(server.up) == "good");
  CHECK(server.error == Error{Code::kProtocolViolation, 1003});
}

TEST_CASE("whoever closes is answered once, behind what was said before") {
  Pair pair;
  pair.client.layer->send(as_bytes("last words"), pair.client.down);
  pair.client.layer->finish(pair.client.down);
  pair.client.layer->finish(pair.client.down);
  pair.client.layer->send(as_bytes("too late"), pair.client.down);
  pair.run();
  CHECK(as_text(pair.server.up) == "last words");
  CHECK(pair.server.error == Error{Code::kConnectionClosed, 1000});
  CHECK(pair.client.error == Error{Code::kConnectionClosed, 1000});
  for (End* end : {&pair.client, &pair.server}) {
    end->layer->finish(end->down);
    end->layer->send(as_bytes("too late"), end->down);
    CHECK(end->down.empty());
  }
}

TEST_CASE("who has closed still hears what was under way") {
  Pair pair;
  pair.client.layer->finish(pair.client.down);
  pair.client.feed(frame(kFin | kPing, {}, false));
  CHECK(pair.client.down.size() == 8);  // no pong behind the close
  pair.client.feed(frame(kFin | kBinary, as_bytes("under way"), false));
  CHECK(as_text(pair.client.up) == "under way");
  CHECK(pair.client.error.code == Code::kOk);
}

TEST_CASE("a close says a code that may be said, and a reason in UTF-8") {
  const auto close = [](std::uint16_t code, std::string_view reason = {}) {
    const std::string head{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    return from_client(kFin | kClose, head + std::string(reason));
  };
  for (const std::uint16_t code : {1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999}) {
    End server = open_server();
    server.feed(close(code, "bye \xc3\xa4"));
    CHECK(server.error == Error{Code::kConnectionClosed, code});
    CHECK(server.said() == close_frame(code));
  }
  for (const std::uint16_t code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65'535}) {
    CHECK(verdict(close(code)) == kBroken);
  }
  CHECK(verdict(from_client(kFin | kClose, "x")) == kBroken);
  CHECK(verdict(close(1000, "\xff")) == Error{Code::kProtocolViolation, 1007});
  CHECK(verdict(close(1000, "\xed\xa0\x80")) == Error{Code::kProtocolViolation, 1007});

  End server = open_server();
  server.feed(from_client(kFin | kClose));
  CHECK(server.error == Error{Code::kConnectionClosed, 1005});
  CHECK(server.said() == Bytes{0x88, 0});
}

TEST_CASE("the same seed says the same bytes") {
  Pair first, second;
  first.client.layer->send(text(1000), first.client.down);
  second.client.layer->send(text(1000), second.client.down);
  CHECK(first.client.down == second.client.down);
}
