#include "dns/expansion.hpp"

#include <algorithm>

#include "address/multiaddr_codec.hpp"
#include "base/assert.hpp"
#include "dns/host_name.hpp"

namespace p2pa::dns {
namespace {

using Protocol = Multiaddr::Protocol;

constexpr std::string_view kRecordPrefix = "dnsaddr=";
constexpr std::string_view kNamePrefix = "_dnsaddr.";

bool is_name(Protocol protocol) {
  return protocol == Protocol::kDns || protocol == Protocol::kDns4 || protocol == Protocol::kDns6 ||
         protocol == Protocol::kDnsAddr;
}

Multiaddr::Component first_of(const Multiaddr& address) {
  const auto first = ComponentReader(address.bytes()).next();
  P2PA_ASSERT(first && is_name(first->protocol));
  return *first;
}

/// What follows the first component.
ByteView rest_of(const Multiaddr& address) {
  ComponentReader reader(address.bytes());
  (void)reader.next();
  return address.bytes().subspan(reader.position());
}

/// Empty where that is none.
Multiaddr made_of(const Bytes& bytes) {
  auto address = Multiaddr::from_bytes(bytes);
  return address ? std::move(*address) : Multiaddr();
}

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

Multiaddr with_first(const Multiaddr& address, Protocol protocol) {
  Bytes out;
  append_component(out, protocol, first_of(address).value);
  append(out, rest_of(address));
  return made_of(out);
}

void append_sni(Bytes& out, std::string_view name) {
  append_component(out, Protocol::kTls, {});
  append_component(out, Protocol::kSni, as_bytes(name));
}

}  // namespace

bool has_name(const Multiaddr& address) {
  const auto first = ComponentReader(address.bytes()).next();
  return first && is_name(first->protocol);
}

std::vector<Multiaddr> split_families(const Multiaddr& address) {
  if (!has_name(address) || first_of(address).protocol != Protocol::kDns) return {address};
  return {with_first(address, Protocol::kDns6), with_first(address, Protocol::kDns4)};
}

Result<Question> question_of(const Multiaddr& address) {
  const Multiaddr::Component first = first_of(address);
  P2PA_ASSERT(first.protocol != Protocol::kDns);
  std::string text(as_text(first.value));
  if (first.protocol == Protocol::kDnsAddr) text.insert(0, kNamePrefix);
  auto name = host_name(as_bytes(text));
  if (!name) return std::unexpected(name.error());
  switch (first.protocol) {
    case Protocol::kDnsAddr: return Question{RecordType::kTxt, std::move(*name)};
    case Protocol::kDns6: return Question{RecordType::kAaaa, std::move(*name)};
    default: return Question{RecordType::kA, std::move(*name)};
  }
}

Multiaddr with_ip(const Multiaddr& address, const IpAddress& ip) {
  const auto name = host_name(first_of(address).value);
  P2PA_ASSERT(name.has_value());
  Bytes out;
  append_component(out, ip.v6 ? Protocol::kIp6 : Protocol::kIp4, ByteView(ip.bytes).first(ip.v6 ? 16 : 4));
  const ByteView rest = rest_of(address);
  ComponentReader reader(rest);
  while (const auto component = reader.next()) {
    if (component->protocol == Protocol::kP2pCircuit) {  // what follows is for the relay
      append_component(out, component->protocol, component->value);
      append(out, rest.subspan(reader.position()));
      break;
    }
    if (component->protocol == Protocol::kWss) {
      append_sni(out, *name);
      append_component(out, Protocol::kWs, {});
      continue;
    }
    ComponentReader ahead = reader;
    const auto next = ahead.next();
    if (component->protocol == Protocol::kTls && next && next->protocol == Protocol::kWs) {
      append_sni(out, *name);
      continue;
    }
    append_component(out, component->protocol, component->value);
  }
  return made_of(out);
}

std::optional<Multiaddr> parse_dnsaddr(std::string_view text) {
  if (!text.starts_with(kRecordPrefix)) return std::nullopt;
  auto address = Multiaddr::parse(text.substr(kRecordPrefix.size()));
  if (!address) return std::nullopt;
  return std::move(*address);
}

std::optional<Multiaddr> with_record(const Multiaddr& address, const Multiaddr& record) {
  P2PA_ASSERT(first_of(address).protocol == Protocol::kDnsAddr);
  const ByteView rest = rest_of(address);
  std::size_t wanted_size = 0;
  ComponentReader reader(rest);
  while (const auto component = reader.next()) {
    if (component->protocol == Protocol::kP2pCircuit) break;
    wanted_size = reader.position();
  }
  const ByteView wanted = rest.first(wanted_size);
  // Where a component begins: bytes that only look like the end of the record are none.
  ComponentReader parts(record.bytes());
  for (std::size_t begin = 0; begin + wanted.size() <= record.bytes().size(); begin = parts.position()) {
    const ByteView end = record.bytes().subspan(begin);
    if (std::ranges::equal(end, wanted)) {
      Bytes out;
      append(out, record.bytes());
      append(out, rest.subspan(wanted_size));
      Multiaddr joined = made_of(out);
      if (joined.empty()) return std::nullopt;
      return joined;
    }
    if (!parts.next()) break;
  }
  return std::nullopt;
}

}  // namespace p2pa::dns
