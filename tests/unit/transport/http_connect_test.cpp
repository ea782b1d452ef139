// The tunnel through an HTTP proxy.

#include <catch2/catch.hpp>

#include <string>

#include "transport/proxy/http_connect.hpp"

namespace p2pa::proxy {
namespace {

/// One client that has asked.
struct Asked {
  HttpConnect layer;
  Bytes up, down;

  explicit Asked(std::string_view target = "t.example:443", std::optional<Credentials> credentials = {})
      : layer(*HostPort::parse(target), std::move(credentials)) {
    REQUIRE(layer.begin(down));
  }
  Result<void> receive(std::string_view bytes) { return layer.receive(as_bytes(bytes), up, down); }
};

/// What an answer that comes in one piece and one that comes byte by byte end with: the same.
Result<void> answer(std::string_view bytes) {
  Asked whole, split;
  const auto result = whole.receive(bytes);
  Result<void> last{};
  for (std::size_t i = 0; i < bytes.size() && last; ++i) last = split.receive(bytes.substr(i, 1));
  CHECK(last == result);
  CHECK(whole.layer.open() == split.layer.open());
  CHECK(whole.up == split.up);
  if (!result) CHECK(std::string_view(result.error().why).starts_with("http proxy: "));
  return result;
}

Code code_of(std::string_view bytes) {
  const auto result = answer(bytes);
  return result ? Code::kOk : result.error().code;
}

TEST_CASE("a request names the target twice, and nothing else") {
  CHECK(as_text(Asked("t.example:443").down) ==
        "CONNECT t.example:443 HTTP/1.1\r\nHost: t.example:443\r\n\r\n");
  CHECK(as_text(Asked("192.0.2.1:1").down) == "CONNECT 192.0.2.1:1 HTTP/1.1\r\nHost: 192.0.2.1:1\r\n\r\n");
  CHECK(as_text(Asked("[2001:db8::1]:1").down) ==
        "CONNECT [2001:db8::1]:1 HTTP/1.1\r\nHost: [2001:db8::1]:1\r\n\r\n");
}

TEST_CASE("credentials go as Basic, padded") {
  const auto line_of = [](const char* user, const char* password) {
    const Asked asked("h:1", Credentials{user, password});
    const std::string_view text = as_text(asked.down);
    return std::string(text.substr(text.find("Proxy-")));
  };
  // RFC 7617 §2
  CHECK(line_of("Aladdin", "open sesame") ==
        "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
  CHECK(line_of("a", "b") == "Proxy-Authorization: Basic YTpi\r\n\r\n");
  CHECK(line_of("a", "bc") == "Proxy-Authorization: Basic YTpiYw==\r\n\r\n");
  CHECK(line_of("a", "bcd") == "Proxy-Authorization: Basic YTpiY2Q=\r\n\r\n");
}

TEST_CASE("any 2xx opens the tunnel, whatever its fields say of a body") {
  for (const char* head :
       {"HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 299 \r\n\r\n",
        "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nVia:\t1.1 x\r\n\r\n",
        "HTTP/1.1 204 \xc3\xa4\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    INFO(head);
    CHECK(code_of(head) == Code::kOk);
    Asked asked;
    REQUIRE(asked.receive(head));
    CHECK(asked.layer.open());
    CHECK(asked.up.empty());
  }
}

TEST_CASE("the tunnel is not open before the last byte of the header") {
  const std::string_view head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size) {
    Asked asked;
    REQUIRE(asked.receive(head.substr(0, size)));
    CHECK_FALSE(asked.layer.open());
    REQUIRE(asked.receive(head.substr(size)));
    CHECK(asked.layer.open());
  }
}

TEST_CASE("what follows the header goes up as it is") {
  Asked asked;
  REQUIRE(asked.receive("HTTP/1.1 200 OK\r\n\r\n\r\nHTTP/1.1 500 no\r\n"));
  CHECK(as_text(asked.up) == "\r\nHTTP/1.1 500 no\r\n");
  REQUIRE(asked.receive("more"));
  CHECK(as_text(asked.up) == "\r\nHTTP/1.1 500 no\r\nmore");
}

TEST_CASE("an open HTTP tunnel is transparent") {
  Asked asked;
  REQUIRE(asked.receive("HTTP/1.1 200 OK\r\n\r\n"));
  asked.down.clear();
  asked.layer.send(as_bytes("hello"), asked.down);
  asked.layer.finish(asked.down);
  CHECK(as_text(asked.down) == "hello");
}

TEST_CASE("interim answers are passed over") {
  CHECK(code_of("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n") == Code::kOk);
  const auto refused = answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail == 403);
  CHECK(code_of("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n") == Code::kProtocolViolation);
}

TEST_CASE("a refusal tells the status, and in words what it means") {
  for (unsigned status = 300; status < 600; ++status) {
    INFO(status);
    const auto result = answer("HTTP/1.1 " + std::to_string(status) + " no\r\nContent-Length: 2\r\n\r\nno");
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Code::kRefused);
    CHECK(result.error().detail == status);
  }
  const auto why = [](const char* status) {
    return std::string(answer("HTTP/1.1 " + std::string(status) + "\r\n\r\n").error().why);
  };
  CHECK(why("407") == "http proxy: wants credentials, or others");
  CHECK(why("403") == "http proxy: forbids to connect there");
  CHECK(why("405") == "http proxy: does not do CONNECT");
  CHECK(why("502") == "http proxy: cannot connect there");
  CHECK(why("504") == "http proxy: got no answer from there");
  CHECK(why("302") == "http proxy: points somewhere else");
  CHECK(why("418") == "http proxy: refuses the request");
  CHECK(why("599") == "http proxy: failed");
}

TEST_CASE("what is not an answer of HTTP/1 is malformed") {
  for (const char* bytes :
       {"SSH-2.0-x\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/2 200\r\n\r\n", "http/1.1 200 OK\r\n\r\n",
        "H\r\n", "HTTP/1.\r\n", "HTTP/1.x 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1\t200 OK\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1 -20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.11 200 OK\r\n\r\n"}) {
    INFO(bytes);
    CHECK(code_of(bytes) == Code::kMalformed);
  }
}

TEST_CASE("an answer of something else is found out by its first bytes") {
  Asked asked;
  CHECK_FALSE(asked.receive("\x05"));
  Asked other;
  CHECK(other.receive("HTTP/"));
  CHECK_FALSE(other.receive("2"));
}

TEST_CASE("a header that two readers might read differently is malformed") {
  using namespace std::string_view_literals;
  const std::string start = "HTTP/1.1 200 OK\r\n";
  for (const std::string_view rest :
       {"A: b\n\r\n"sv, "\n"sv, "A: b\rC: d\r\n\r\n"sv, "\r\r\n"sv, "A: b\r\n c\r\n\r\n"sv, "A : b\r\n\r\n"sv,
        ": b\r\n\r\n"sv, "no colon\r\n\r\n"sv, "\xc3\xa4: b\r\n\r\n"sv, "A: \0\r\n\r\n"sv,
        "A: \x1b[0m\r\n\r\n"sv, "A: \x7f\r\n\r\n"sv}) {
    INFO(rest);
    CHECK(code_of(start + std::string(rest)) == Code::kMalformed);
  }
  CHECK(code_of("HTTP/1.1 200 OK\n\n") == Code::kMalformed);
}

TEST_CASE("a header has at most kHeaderMax bytes, interim answers included") {
  const std::string start = "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nA: ", end = "\r\n\r\n";
  const std::string value(HttpConnect::kHeaderMax - start.size() - end.size(), 'a');
  const std::string fits = start + value + end;
  CHECK(code_of(fits) == Code::kOk);
  CHECK(code_of(fits + "and more that is not of it") == Code::kOk);
  const auto over = answer(start + value + 'a' + end);
  REQUIRE_FALSE(over);
  CHECK(over.error() == Error{Code::kMalformed, HttpConnect::kHeaderMax});
  Asked endless;
  Result<void> result = endless.receive("HTTP/1.1 200 ");
  for (std::size_t i = 0; i < HttpConnect::kHeaderMax && result; ++i) result = endless.receive("a");
  CHECK_FALSE(result);
}

}  // namespace
}  // namespace p2pa::proxy
