#include "transport/proxy/proxy_url.hpp"

#include <algorithm>
#include <utility>

#include "base/multibase.hpp"
#include "transport/proxy/http_connect.hpp"
#include "transport/proxy/socks5.hpp"

namespace p2pa::proxy {

namespace {

constexpr std::string_view kHttp = "http", kSocks5 = "socks5", kAuthority = "://";

std::unexpected<Error> invalid(const char* why) { return fail(Code::kInvalidArgument, why); }

/// `scheme` is in lower case.
bool is_scheme(std::string_view text, std::string_view scheme) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(text, scheme, {}, lower);
}

/// Unreserved characters and sub-delims (RFC 3986 §2): those that stand for themselves in a user's part.
bool is_plain(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (is_plain(text.front())) {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto byte = decode_base(Base::kBase16, text.substr(1, 2));
    if (text.front() != '%' || !byte || byte->size() != 1) {
      return invalid("proxy url: user and password need percent-encoding");
    }
    out += static_cast<char>(byte->front());
    text.remove_prefix(3);
  }
  return out;
}

Result<Credentials> parse_credentials(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  auto user = percent_decode(text.substr(0, colon));
  if (!user) return std::unexpected(user.error());
  auto password = percent_decode(text.substr(std::min(colon + 1, text.size())));
  if (!password) return std::unexpected(password.error());
  return Credentials{std::move(*user), std::move(*password)};
}

}  // namespace

Result<ProxyUrl> ProxyUrl::parse(std::string_view text) {
  if (text.size() > kTextMax) return invalid("proxy url: too long");
  const std::size_t colon = text.find(kAuthority);
  if (colon == text.npos) return invalid("proxy url: has no scheme");
  const bool http = is_scheme(text.substr(0, colon), kHttp);
  if (!http && !is_scheme(text.substr(0, colon), kSocks5)) {
    return fail(Code::kUnsupported, "proxy url: the scheme is neither http nor socks5");
  }
  text.remove_prefix(colon + kAuthority.size());

  std::optional<Credentials> credentials;
  if (const std::size_t at = text.find('@'); at != text.npos) {
    auto parsed = parse_credentials(text.substr(0, at));
    if (!parsed) return std::unexpected(parsed.error());
    if (!(http ? parsed->fit_basic() : parsed->fit_socks())) {
      return invalid("proxy url: a user or password that the proxy's protocol cannot carry");
    }
    credentials = std::move(*parsed);
    text.remove_prefix(at + 1);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  auto proxy = HostPort::parse(text);
  if (!proxy) return std::unexpected(proxy.error());
  return ProxyUrl{http ? Scheme::kHttp : Scheme::kSocks5, std::move(*proxy), std::move(credentials)};
}

std::string ProxyUrl::to_string() const {
  std::string out(scheme == Scheme::kHttp ? kHttp : kSocks5);
  out += kAuthority;
  return out + proxy.to_string();
}

std::unique_ptr<ByteLayer> ProxyUrl::layer(HostPort target) const {
  if (scheme == Scheme::kHttp) return std::make_unique<HttpConnect>(std::move(target), credentials);
  return std::make_unique<Socks5>(std::move(target), credentials);
}

}  // namespace p2pa::proxy
