// The values of a Multiaddr's components, each protocol's text and bytes side by side.

#include <limits>

#include "address/ip_text.hpp"
#include "address/multiaddr_codec.hpp"
#include "base/assert.hpp"
#include "base/byte_writer.hpp"
#include "base/multibase.hpp"
#include "base/multihash.hpp"

namespace p2pa {

namespace {

using Protocol = Multiaddr::Protocol;

std::unexpected<Error> bad_value(const char* why) { return fail(Code::kMalformed, why); }

/// Something that can stand between two slashes and be shown: not empty, no slash, no control byte.
Result<void> check_name(ByteView value) {
  if (value.empty()) return bad_value("multiaddr: empty name");
  for (const std::uint8_t c : value) {
    if (c == '/' || c < 0x20 || c == 0x7f) return bad_value("multiaddr: character not allowed in a name");
  }
  return {};
}

/// As go has it: an absolute path, and no slash at its end.
Result<void> check_path(ByteView value) {
  if (value.size() < 2 || value.front() != '/' || value.back() == '/') {
    return bad_value("multiaddr: bad unix path");
  }
  for (const std::uint8_t c : value) {
    if (c < 0x20 || c == 0x7f) return bad_value("multiaddr: control character in a path");
  }
  return {};
}

Result<Bytes> checked(Protocol protocol, Bytes value) {
  if (const auto good = check_value(protocol, value); !good) return std::unexpected(good.error());
  return value;
}

Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

template <class T>
Result<Bytes> parse_number(std::string_view text) {
  const auto value = parse_decimal(text, std::numeric_limits<T>::max());
  if (!value) return bad_value("multiaddr: not a number, or too large");
  Bytes out;
  ByteWriter(out).big_endian(static_cast<T>(*value));
  return out;
}

std::uint64_t number_of(ByteView value) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : value) number = number << 8 | byte;
  return number;
}

bool is_unreserved(char c) {  // RFC 3986 §2.3
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

void append_percent_encoded(std::string& out, ByteView value) {
  for (const char c : as_text(value)) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += '%';
      out += encode_base(Base::kBase16Upper, as_bytes({&c, 1}));
    }
  }
}

Result<Bytes> decode_percent(std::string_view text) {
  Bytes out;
  while (!text.empty()) {
    if (text[0] != '%') {
      out.push_back(static_cast<std::uint8_t>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    const std::string_view hex = text.substr(1, 2);
    const auto byte = decode_base(Base::kBase16, hex);
    if (hex.size() != 2 || !byte) return bad_value("multiaddr: bad percent encoding");
    out.push_back((*byte)[0]);
    text.remove_prefix(3);
  }
  return out;
}

}  // namespace

Result<void> check_value(Protocol protocol, ByteView value) {
  switch (protocol) {
    case Protocol::kIp6Zone:
    case Protocol::kDns:
    case Protocol::kDns4:
    case Protocol::kDns6:
    case Protocol::kDnsAddr:
    case Protocol::kSni: return check_name(value);
    case Protocol::kUnix: return check_path(value);
    case Protocol::kHttpPath:
      if (value.empty()) return bad_value("multiaddr: empty http path");
      return {};
    case Protocol::kP2p:
      if (!PeerId::from_bytes(value)) return bad_value("multiaddr: bad peer id");
      return {};
    case Protocol::kCerthash:
      if (!Multihash::parse(value)) return bad_value("multiaddr: bad certificate hash");
      return {};
    default: return {};  // a fixed size is all there is to it
  }
}

Result<Bytes> parse_value(Protocol protocol, std::string_view text) {
  switch (protocol) {
    case Protocol::kIp4: {
      const auto ip = parse_ip4(text);
      if (!ip) return bad_value("multiaddr: bad IPv4 address");
      return to_bytes(*ip);
    }
    case Protocol::kIp6: {
      const auto ip = parse_ip6(text);
      if (!ip) return bad_value("multiaddr: bad IPv6 address");
      return to_bytes(*ip);
    }
    case Protocol::kTcp:
    case Protocol::kUdp: return parse_number<std::uint16_t>(text);
    case Protocol::kIpCidr: return parse_number<std::uint8_t>(text);
    case Protocol::kMemory: return parse_number<std::uint64_t>(text);
    case Protocol::kP2p: {
      const auto id = PeerId::parse(text);
      if (!id) return bad_value("multiaddr: bad peer id");
      return to_bytes(id->bytes());
    }
    case Protocol::kCerthash: {
      auto hash = decode_multibase(text);
      if (!hash) return std::unexpected(hash.error());
      return checked(protocol, std::move(*hash));
    }
    case Protocol::kHttpPath: {
      auto path = decode_percent(text);
      if (!path) return path;
      return checked(protocol, std::move(*path));
    }
    default: return checked(protocol, to_bytes(as_bytes(text)));
  }
}

void append_value_text(std::string& out, Protocol protocol, ByteView value) {
  switch (protocol) {
    case Protocol::kIp4: return append_ip4(out, value);
    case Protocol::kIp6: return append_ip6(out, value);
    case Protocol::kTcp:
    case Protocol::kUdp:
    case Protocol::kIpCidr:
    case Protocol::kMemory: out += std::to_string(number_of(value)); return;
    case Protocol::kP2p: out += encode_base(Base::kBase58Btc, value); return;
    case Protocol::kCerthash: out += encode_multibase(Base::kBase64Url, value); return;
    case Protocol::kHttpPath: return append_percent_encoded(out, value);
    default: out += as_text(value);
  }
}

}  // namespace p2pa
