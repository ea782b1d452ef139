#include "p2pagents/multiaddr.hpp"

#include <algorithm>
#include <utility>

#include "address/multiaddr_codec.hpp"
#include "base/assert.hpp"
#include "base/byte_writer.hpp"

namespace p2pa {

namespace {

/// Text is at most this much longer than what it stands for: percent encoding takes three for one.
constexpr std::size_t kTextMax = 3 * Multiaddr::kBytesMax + 16 * Multiaddr::kComponentsMax;

/// Cuts the piece before the next slash off the front.
std::string_view take_piece(std::string_view& text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view piece = text.substr(0, slash);
  text.remove_prefix(std::min(slash + 1, text.size()));
  return piece;
}

/// The text of a value, cut off the front: up to the next slash, or all of it with the slash that
/// stood before it.
Result<std::string_view> take_value(const ProtocolInfo& info, std::string_view& text) {
  if (text.empty()) return fail(Code::kMalformed, "multiaddr: a protocol without its value");
  if (!info.is_path) return take_piece(text);
  const std::string_view path(text.data() - 1, text.size() + 1);
  text = {};
  return path;
}

}  // namespace

Result<Multiaddr> Multiaddr::parse(std::string_view text) {
  if (text.size() > kTextMax) return fail(Code::kMalformed, "multiaddr: text too long", kTextMax);
  while (text.ends_with('/')) text.remove_suffix(1);
  if (!text.starts_with('/')) return fail(Code::kMalformed, "multiaddr: must begin with a slash");
  text.remove_prefix(1);

  Bytes bytes;
  while (!text.empty()) {
    const ProtocolInfo* info = protocol_named(take_piece(text));
    if (info == nullptr) return fail(Code::kUnsupported, "multiaddr: unknown protocol");
    if (info->value_size == 0) {
      append_component(bytes, info->protocol, {});
      continue;
    }
    const auto value_text = take_value(*info, text);
    if (!value_text) return std::unexpected(value_text.error());
    const auto value = parse_value(info->protocol, *value_text);
    if (!value) return std::unexpected(value.error());
    append_component(bytes, info->protocol, *value);
  }
  return from_bytes(bytes);  // for the bounds
}

Result<Multiaddr> Multiaddr::from_bytes(ByteView binary) {
  if (binary.empty()) return fail(Code::kMalformed, "multiaddr: empty");
  if (binary.size() > kBytesMax) return fail(Code::kMalformed, "multiaddr: too long", kBytesMax);
  ByteReader reader(binary);
  for (std::size_t count = 0; !reader.at_end(); ++count) {
    if (count == kComponentsMax) {
      return fail(Code::kMalformed, "multiaddr: too many components", kComponentsMax);
    }
    const auto component = read_component(reader);
    if (!component) return std::unexpected(component.error());
    if (component->protocol == Protocol::kUnix && !reader.at_end()) {
      return fail(Code::kMalformed, "multiaddr: something after a path");
    }
  }
  Multiaddr address;
  address.bytes_.assign(binary.begin(), binary.end());
  return address;
}

std::string Multiaddr::to_string() const {
  std::string text;
  ComponentReader reader(bytes_);
  while (const auto component = reader.next()) {
    const ProtocolInfo& info = *protocol_coded(static_cast<std::uint64_t>(component->protocol));
    text += '/';
    text += info.name;
    if (info.value_size == 0) continue;
    if (!info.is_path) text += '/';
    append_value_text(text, component->protocol, component->value);
  }
  return text;
}

std::vector<Multiaddr::Component> Multiaddr::components() const {
  std::vector<Component> all;
  ComponentReader reader(bytes_);
  while (const auto component = reader.next()) all.push_back(*component);
  return all;
}

std::optional<ByteView> Multiaddr::find(Protocol protocol) const {
  ComponentReader reader(bytes_);
  while (const auto component = reader.next()) {
    if (component->protocol == protocol) return component->value;
  }
  return std::nullopt;
}

std::optional<PeerId> Multiaddr::peer_id() const {
  std::optional<PeerId> last;
  ComponentReader reader(bytes_);
  while (const auto component = reader.next()) {
    if (component->protocol == Protocol::kP2pCircuit) last.reset();  // that was the relay
    if (component->protocol == Protocol::kP2p) last = *PeerId::from_bytes(component->value);
  }
  return last;
}

Multiaddr Multiaddr::with_peer_id(const PeerId& id) const {
  P2PA_ASSERT(!id.empty());
  Multiaddr suffix;
  append_component(suffix.bytes_, Protocol::kP2p, id.bytes());
  return without_peer_id() / suffix;
}

Multiaddr Multiaddr::without_peer_id() const {
  ComponentReader reader(bytes_);
  std::size_t last_begin = 0;
  std::optional<Component> last;
  for (;;) {
    const std::size_t begin = reader.position();
    const auto component = reader.next();
    if (!component) break;
    last_begin = begin;
    last = component;
  }
  Multiaddr out = *this;
  if (last && last->protocol == Protocol::kP2p) out.bytes_.resize(last_begin);
  return out;
}

Multiaddr Multiaddr::operator/(const Multiaddr& rest) const {
  if (rest.empty()) return *this;
  Bytes joined;
  joined.reserve(bytes_.size() + rest.bytes_.size());
  ByteWriter writer(joined);
  writer.append(bytes_);
  writer.append(rest.bytes_);
  auto address = from_bytes(joined);
  return address ? std::move(*address) : Multiaddr();
}

// Not inline: g++ 12 warns of a memcmp without end where it knows one of them to be empty.
std::strong_ordering operator<=>(const Multiaddr& a, const Multiaddr& b) {
  return a.bytes_ <=> b.bytes_;
}

}  // namespace p2pa
