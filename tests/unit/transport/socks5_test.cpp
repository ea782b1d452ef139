// The tunnel through a SOCKS proxy.

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <utility>

#include "transport/proxy/socks5.hpp"

namespace p2pa::proxy {
namespace {

const Credentials kAnn{"ann", "secret"};

/// One client that has greeted.
struct Greeted {
  Socks5 layer;
  Bytes up, down;

  explicit Greeted(std::optional<Credentials> credentials = {}, std::string_view target = "t.example:443")
      : layer(*HostPort::parse(target), std::move(credentials)) {
    REQUIRE(layer.begin(down));
  }
  Result<void> receive(const Bytes& bytes) { return layer.receive(bytes, up, down); }
  Bytes sent() { return std::exchange(down, {}); }
};

/// What answers that come in one piece and such that come byte by byte end with: the same.
Result<void> answer(const Bytes& bytes, const std::optional<Credentials>& credentials = {}) {
  Greeted whole(credentials), split(credentials);
  const auto result = whole.receive(bytes);
  Result<void> last{};
  for (std::size_t i = 0; i < bytes.size() && last; ++i) last = split.receive({bytes[i]});
  CHECK(last == result);
  CHECK(whole.layer.open() == split.layer.open());
  CHECK(whole.up == split.up);
  CHECK(whole.down == split.down);
  if (!result) CHECK(std::string_view(result.error().why).starts_with("socks proxy: "));
  return result;
}

Error error_of(const Bytes& bytes, const std::optional<Credentials>& credentials = {}) {
  const auto result = answer(bytes, credentials);
  return result ? Error{Code::kOk} : result.error();
}

TEST_CASE("without credentials none are offered") {
  CHECK(Greeted().sent() == Bytes{5, 1, 0});
  CHECK(Greeted(kAnn).sent() == Bytes{5, 2, 0, 2});
}

TEST_CASE("the target is asked for by its name or by its address") {
  const auto request = [](std::string_view target) {
    Greeted client({}, target);
    client.sent();
    REQUIRE(client.receive({5, 0}));
    return client.sent();
  };
  CHECK(request("t.ex:443") == Bytes{5, 1, 0, 3, 4, 't', '.', 'e', 'x', 1, 0xbb});
  CHECK(request("192.0.2.1:4001") == Bytes{5, 1, 0, 1, 192, 0, 2, 1, 0x0f, 0xa1});
  CHECK(request("[2001:db8::1]:1") ==
        Bytes{5, 1, 0, 4, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1});
}

TEST_CASE("credentials are shown when asked for, and the target is asked for when they were taken") {
  Greeted client(kAnn, "h:1");
  client.sent();
  REQUIRE(client.receive({5, 2}));
  CHECK(client.sent() == Bytes{1, 3, 'a', 'n', 'n', 6, 's', 'e', 'c', 'r', 'e', 't'});
  REQUIRE(client.receive({1, 0}));
  CHECK(client.sent() == Bytes{5, 1, 0, 3, 1, 'h', 0, 1});
  CHECK_FALSE(client.layer.open());
  REQUIRE(client.receive({5, 0, 0, 1, 0, 0, 0, 0, 0, 0}));
  CHECK(client.layer.open());
  CHECK(client.sent().empty());
}

TEST_CASE("a proxy need not want the credentials that it is offered") {
  Greeted client(kAnn, "h:1");
  client.sent();
  REQUIRE(client.receive({5, 0}));
  CHECK(client.sent() == Bytes{5, 1, 0, 3, 1, 'h', 0, 1});
}

TEST_CASE("a granted request opens the tunnel, whatever address the proxy tells") {
  Bytes longest{5, 0, 5, 0, 0, 3, 255};
  longest.resize(longest.size() + 257, 'a');
  for (const Bytes& bytes :
       {Bytes{5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 5, 6},
        Bytes{5, 0, 5, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18},
        Bytes{5, 0, 5, 0, 0, 3, 1, 'h', 0, 1}, Bytes{5, 0, 5, 0, 0, 3, 0, 0, 1}, longest}) {
    CHECK(error_of(bytes).code == Code::kOk);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(size);
      Greeted client;
      REQUIRE(client.receive({bytes.begin(), middle}));
      CHECK_FALSE(client.layer.open());
      Bytes rest(middle, bytes.end());
      rest.push_back('!');
      REQUIRE(client.receive(rest));
      CHECK(client.layer.open());
      CHECK(client.up == Bytes{'!'});
    }
  }
}

TEST_CASE("an open SOCKS tunnel is transparent") {
  Greeted client;
  REQUIRE(client.receive({5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, 1}));
  REQUIRE(client.receive({5, 0xff}));
  CHECK(client.up == Bytes{5, 1, 5, 0xff});
  client.sent();
  client.layer.send(as_bytes("hello"), client.down);
  client.layer.finish(client.down);
  CHECK(as_text(client.down) == "hello");
}

TEST_CASE("a refusal tells the reply, and in words what it means") {
  std::set<std::string> texts;
  for (unsigned reply = 1; reply < 256; ++reply) {
    INFO(reply);
    const Error error = error_of({5, 0, 5, static_cast<std::uint8_t>(reply), 0, 1, 0, 0, 0, 0, 0, 0});
    CHECK(error == Error{Code::kRefused, reply});
    texts.insert(error.why);
  }
  CHECK(texts.size() == 9);  // eight that RFC 1928 knows, and one for all others
  CHECK(std::string(error_of({5, 0, 5, 5, 0, 1}).why) == "socks proxy: the host refuses the connection");
}

TEST_CASE("a proxy that likes no method refuses") {
  CHECK(error_of({5, 0xff}) == Error{Code::kRefused, 0xff});
  CHECK(error_of({5, 0xff}, kAnn) == Error{Code::kRefused, 0xff});
  CHECK(std::string(error_of({5, 0xff}).why) == "socks proxy: wants credentials");
}

TEST_CASE("a proxy may not choose what was not offered") {
  for (unsigned method = 1; method < 0xff; ++method) {
    INFO(method);
    const Bytes bytes{5, static_cast<std::uint8_t>(method)};
    CHECK(error_of(bytes) == Error{Code::kProtocolViolation, method});
    if (method != 2) CHECK(error_of(bytes, kAnn) == Error{Code::kProtocolViolation, method});
  }
}

TEST_CASE("any status of credentials but zero is a refusal") {
  for (unsigned status = 1; status < 256; ++status) {
    INFO(status);
    CHECK(error_of({5, 2, 1, static_cast<std::uint8_t>(status)}, kAnn) == Error{Code::kRefused, status});
  }
}

TEST_CASE("what is not SOCKS 5 is malformed") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    INFO(byte);
    const auto other = static_cast<std::uint8_t>(byte);
    if (byte != 5) CHECK(error_of({other, 0}).code == Code::kMalformed);
    if (byte != 5) CHECK(error_of({5, 0, other, 0, 0, 1}).code == Code::kMalformed);
    if (byte != 1) CHECK(error_of({5, 2, other, 0}, kAnn).code == Code::kMalformed);
    if (byte != 0) CHECK(error_of({5, 0, 5, 0, other, 1}).code == Code::kMalformed);
    const bool address = byte == 1 || byte == 3 || byte == 4;
    if (!address) CHECK(error_of({5, 0, 5, 0, 0, other}) == Error{Code::kMalformed, byte});
  }
}

}  // namespace
}  // namespace p2pa::proxy
