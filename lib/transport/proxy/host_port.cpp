#include "transport/proxy/host_port.hpp"

#include <algorithm>

#include "address/ip_text.hpp"

namespace p2pa::proxy {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= HostPort::kLabelMax && std::ranges::all_of(text, is_name_character);
}

bool is_name(std::string_view text) {
  if (text.size() > HostPort::kNameMax) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == text.npos) return !std::ranges::all_of(text, is_digit);
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

Result<HostPort> HostPort::make(std::string_view host, std::uint16_t port) {
  if (const auto ip = IpAddress::parse(host)) return make(IpEndpoint{*ip, port});
  if (!is_name(host)) return fail(Code::kInvalidArgument, "neither an IP address nor a host's name");
  if (port == 0) return fail(Code::kInvalidArgument, "port 0 cannot be connected to");
  return HostPort(std::string(host), std::nullopt, port);
}

Result<HostPort> HostPort::make(const IpEndpoint& endpoint) {
  if (endpoint.port == 0) return fail(Code::kInvalidArgument, "port 0 cannot be connected to");
  if (endpoint.scope != 0) return fail(Code::kInvalidArgument, "a zone means nothing to a proxy");
  return HostPort(endpoint.ip.to_string(), endpoint.ip, endpoint.port);
}

Result<HostPort> HostPort::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return fail(Code::kInvalidArgument, "a host without a port");
  const auto port = parse_decimal(text.substr(colon + 1), 0xffff);
  if (!port) return fail(Code::kInvalidArgument, "not the number of a port");
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool colons = host.find(':') != host.npos;
  if (bracketed != colons) return fail(Code::kInvalidArgument, "brackets are what IPv6 alone has");
  return make(host, static_cast<std::uint16_t>(*port));
}

std::string HostPort::to_string() const {
  if (ip_) return IpEndpoint{*ip_, port_}.to_string();
  return host_ + ':' + std::to_string(port_);
}

}  // namespace p2pa::proxy
