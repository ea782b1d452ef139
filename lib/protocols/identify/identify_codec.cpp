#include "protocols/identify/identify_codec.hpp"

#include "base/utf8.hpp"
#include "wire/protobuf.hpp"

namespace p2pa::identify {

namespace {

// Field 8 is in every implementation and not in the spec's text.
enum Field : std::uint32_t {
  kPublicKey = 1,
  kListenAddresses = 2,
  kProtocols = 3,
  kObservedAddress = 4,
  kProtocolVersion = 5,
  kAgentVersion = 6,
  kSignedPeerRecord = 8,
};

void merge_version(ByteView content, std::optional<std::string>& into) {
  const std::string_view text = as_text(content);
  if (text.size() <= kVersionBytesMax && is_utf8(text)) into = std::string(text);
}

void merge_protocol(ByteView content, std::optional<std::vector<std::string>>& into) {
  if (!into) into.emplace();
  const std::string_view text = as_text(content);
  if (text.empty() || text.size() > kProtocolBytesMax || !is_utf8(text)) return;
  if (into->size() < kProtocolsMax) into->emplace_back(text);
}

void merge_address(ByteView content, std::optional<std::vector<Multiaddr>>& into) {
  if (!into) into.emplace();
  if (into->size() >= kAddressesMax) return;
  auto address = Multiaddr::from_bytes(content);
  if (address) into->push_back(std::move(*address));
}

bool is_known(std::uint32_t number) {
  return (number >= kPublicKey && number <= kAgentVersion) || number == kSignedPeerRecord;
}

void merge_field(std::uint32_t number, ByteView content, Message& into) {
  switch (number) {
    case kPublicKey: into.public_key.emplace(content.begin(), content.end()); return;
    case kListenAddresses: return merge_address(content, into.listen_addresses);
    case kProtocols: return merge_protocol(content, into.protocols);
    case kObservedAddress:
      if (auto address = Multiaddr::from_bytes(content)) into.observed_address = std::move(*address);
      return;
    case kProtocolVersion: return merge_version(content, into.protocol_version);
    case kAgentVersion: return merge_version(content, into.agent_version);
    case kSignedPeerRecord: into.signed_peer_record.emplace(content.begin(), content.end()); return;
    default: return;
  }
}

}  // namespace

Bytes encode(const Message& message) {
  Bytes out;
  wire::ProtoWriter writer(out);
  if (message.public_key) writer.bytes(kPublicKey, *message.public_key);
  if (message.listen_addresses) {
    for (const Multiaddr& address : *message.listen_addresses) {
      writer.bytes(kListenAddresses, address.bytes());
    }
  }
  if (message.protocols) {
    for (const std::string& protocol : *message.protocols) writer.text(kProtocols, protocol);
  }
  if (message.observed_address) writer.bytes(kObservedAddress, message.observed_address->bytes());
  if (message.protocol_version) writer.text(kProtocolVersion, *message.protocol_version);
  if (message.agent_version) writer.text(kAgentVersion, *message.agent_version);
  if (message.signed_peer_record) writer.bytes(kSignedPeerRecord, *message.signed_peer_record);
  return out;
}

Result<void> merge(ByteView protobuf, Message& into) {
  wire::ProtoReader reader(protobuf);
  wire::ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    if (!is_known(field.number)) continue;
    const auto content = field.bytes();
    if (!content) return std::unexpected(content.error());
    merge_field(field.number, *content, into);
  }
}

}  // namespace p2pa::identify
