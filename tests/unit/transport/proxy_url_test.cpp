// How a proxy and a target are written down.

#include <catch2/catch.hpp>

#include <string>

#include "transport/proxy/proxy_url.hpp"

namespace p2pa::proxy {
namespace {

Code parse_error(std::string_view text) {
  const auto parsed = ProxyUrl::parse(text);
  return parsed ? Code::kOk : parsed.error().code;
}

TEST_CASE("a host and a port are read as they are written") {
  for (const char* text :
       {"proxy.example:8080", "localhost:1", "192.0.2.1:65535", "[2001:db8::1]:443", "a_b-c.x1:9"}) {
    INFO(text);
    const auto parsed = HostPort::parse(text);
    REQUIRE(parsed);
    CHECK(parsed->to_string() == text);
  }
  CHECK(HostPort::parse("[2001:db8::1]:443")->host() == "2001:db8::1");
  CHECK(HostPort::parse("192.0.2.1:80")->ip() == *IpAddress::parse("192.0.2.1"));
  CHECK_FALSE(HostPort::parse("one.example:80")->ip());
}

TEST_CASE("what is not a host and a port is refused") {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv, "proxy.example"sv, "proxy.example:"sv, ":80"sv, "a:0"sv, "a:65536"sv, "a:-1"sv, "a:+1"sv,
        "a:8 "sv, "a b:80"sv, "a\r\nX:80"sv, "a..b:80"sv, ".a:80"sv, "a.:80"sv, "2001:db8::1:80"sv,
        "[a]:80"sv, "[192.0.2.1]:80"sv, "[::1:80"sv, "[]:80"sv, "[fe80::1%2]:80"sv, "1.2.3:80"sv,
        "300.1.1.1:80"sv, "127.1:80"sv, "\xc3\xa4.example:80"sv, "a\0b:80"sv}) {
    INFO(text);
    const auto parsed = HostPort::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Code::kInvalidArgument);
  }
}

TEST_CASE("a name has as many bytes as DNS has room for") {
  const std::string label(HostPort::kLabelMax, 'a');
  CHECK(HostPort::make(label, 80));
  CHECK_FALSE(HostPort::make(label + 'a', 80));
  const std::string name = label + '.' + label + '.' + label + '.' + std::string(61, 'a');
  REQUIRE(name.size() == HostPort::kNameMax);
  CHECK(HostPort::make(name, 80));
  CHECK_FALSE(HostPort::make(name + 'a', 80));
}

TEST_CASE("an endpoint is a target unless its zone or port means nothing elsewhere") {
  IpEndpoint endpoint = *IpEndpoint::parse("[fe80::1]:4001");
  CHECK(HostPort::make(endpoint)->to_string() == "[fe80::1]:4001");
  endpoint.scope = 2;
  CHECK_FALSE(HostPort::make(endpoint));
  CHECK_FALSE(HostPort::make(*IpEndpoint::parse("192.0.2.1:0")));
}

TEST_CASE("a proxy is read with and without credentials") {
  const auto http = ProxyUrl::parse("http://proxy.example:3128");
  REQUIRE(http);
  CHECK(http->scheme == ProxyUrl::Scheme::kHttp);
  CHECK(http->proxy == *HostPort::parse("proxy.example:3128"));
  CHECK_FALSE(http->credentials);
  const auto socks = ProxyUrl::parse("socks5://ann:secret@[2001:db8::1]:1080");
  REQUIRE(socks);
  CHECK(socks->scheme == ProxyUrl::Scheme::kSocks5);
  CHECK(socks->proxy == *HostPort::parse("[2001:db8::1]:1080"));
  CHECK(socks->credentials == Credentials{"ann", "secret"});
  CHECK(ProxyUrl::parse("HTTP://a:1/") == ProxyUrl::parse("http://a:1"));
}

TEST_CASE("credentials are percent-decoded once") {
  const auto parsed = ProxyUrl::parse("http://a%40b%2525:p%3aw:x@h:1");
  CHECK_FALSE(parsed);  // a second ':' is to be encoded
  const auto url = ProxyUrl::parse("http://a%40b%2525:p%3aw%C3%bc@h:1");
  REQUIRE(url);
  CHECK(url->credentials == Credentials{"a@b%25", "p:w\xc3\xbc"});
}

TEST_CASE("a token may be a user without a password, but not over SOCKS") {
  CHECK(ProxyUrl::parse("http://token@h:1")->credentials == Credentials{"token", ""});
  CHECK(ProxyUrl::parse("http://token:@h:1")->credentials == Credentials{"token", ""});
  CHECK(parse_error("socks5://token@h:1") == Code::kInvalidArgument);
  CHECK(parse_error("socks5://:secret@h:1") == Code::kInvalidArgument);
}

TEST_CASE("credentials that the proxy's protocol cannot carry are refused") {
  CHECK(parse_error("http://a%3ab:c@h:1") == Code::kInvalidArgument);
  CHECK(parse_error("socks5://a%3ab:c@h:1") == Code::kOk);
  for (const char* part : {"a%0d%0ab", "%00", "%7f"}) {
    INFO(part);
    CHECK(parse_error("http://" + std::string(part) + ":c@h:1") == Code::kInvalidArgument);
    CHECK(parse_error("http://a:" + std::string(part) + "@h:1") == Code::kInvalidArgument);
  }
  const std::string longest(Credentials::kPartMax, 'a');
  for (const std::string scheme : {"http://", "socks5://"}) {
    CHECK(parse_error(scheme + longest + ":b@h:1") == Code::kOk);
    CHECK(parse_error(scheme + longest + "a:b@h:1") == Code::kInvalidArgument);
    CHECK(parse_error(scheme + "b:" + longest + "@h:1") == Code::kOk);
    CHECK(parse_error(scheme + "b:" + longest + "a@h:1") == Code::kInvalidArgument);
  }
}

TEST_CASE("what is not the URL of a proxy is refused") {
  for (const char* text :
       {"", "h:1", "http:h:1", "http://", "http://h", "http://h:1/path", "http://h:1//", "http://h:1?q",
        "http://h:1#f", "http:///h:1", "http://a@b@h:1", "http://%:b@h:1", "http://%4:b@h:1",
        "http://%zz:b@h:1", "http://a b:c@h:1", "http://a/b:c@h:1"}) {
    INFO(text);
    CHECK(parse_error(text) == Code::kInvalidArgument);
  }
  for (const char* text : {"https://h:1", "socks4://h:1", "socks5h://h:1", "://h:1", " http://h:1"}) {
    INFO(text);
    CHECK(parse_error(text) == Code::kUnsupported);
  }
}

TEST_CASE("a URL has a longest form") {
  std::string text = "http://";
  while (text.size() + 4 < ProxyUrl::kTextMax) text += text.size() % 2 == 0 ? "a" : "b";
  CHECK(std::string(ProxyUrl::parse(text + "@h:1").error().why) != "proxy url: too long");
  CHECK(std::string(ProxyUrl::parse(text + "a@h:1").error().why) == "proxy url: too long");
}

TEST_CASE("people are shown a proxy without its credentials") {
  CHECK(ProxyUrl::parse("socks5://ann:secret@h:1")->to_string() == "socks5://h:1");
  CHECK(ProxyUrl::parse("http://ann:secret@[::1]:1/")->to_string() == "http://[::1]:1");
}

TEST_CASE("the layer of a URL speaks the protocol of its scheme") {
  Bytes http, socks;
  CHECK(ProxyUrl::parse("http://h:1")->layer(*HostPort::parse("t:2"))->begin(http));
  CHECK(as_text(http).starts_with("CONNECT t:2 "));
  CHECK(ProxyUrl::parse("socks5://a:b@h:1")->layer(*HostPort::parse("t:2"))->begin(socks));
  CHECK(socks == Bytes{5, 2, 0, 2});
}

}  // namespace
}  // namespace p2pa::proxy
