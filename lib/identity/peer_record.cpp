#include "identity/peer_record.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "identity/envelope.hpp"
#include "wire/protobuf.hpp"

namespace p2pa {

namespace {

constexpr std::uint32_t kPeerField = 1, kSequenceField = 2, kAddressesField = 3;
constexpr std::uint32_t kMultiaddrField = 1;  // of AddressInfo

// What the implementations sign, not what RFC 0003 says.
constexpr std::string_view kDomain = "libp2p-peer-record";
constexpr std::uint8_t kPayloadType[] = {0x03, 0x01};
// rust-libp2p (its issue 6204) signs this.
constexpr std::string_view kLegacyDomain = "libp2p-routing-state";
constexpr std::string_view kLegacyPayloadType = "/libp2p/routing-state-record";

/// The address in an AddressInfo message; empty when it is one that we cannot use.
Result<Multiaddr> decode_address(ByteView message) {
  Multiaddr address;
  wire::ProtoReader reader(message);
  wire::ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return std::unexpected(more.error());
    if (!*more) return address;
    if (field.number != kMultiaddrField) continue;
    const auto binary = field.bytes();
    if (!binary) return std::unexpected(binary.error());
    address = Multiaddr::from_bytes(*binary).value_or(Multiaddr());
  }
}

Result<void> decode_field(const wire::ProtoField& field, PeerRecord& record) {
  if (field.number == kSequenceField) {
    const auto sequence = field.varint();
    if (!sequence) return std::unexpected(sequence.error());
    record.sequence = *sequence;
    return {};
  }
  const auto content = field.bytes();
  if (!content) return std::unexpected(content.error());
  if (field.number == kPeerField) {
    const auto peer = PeerId::from_bytes(*content);
    if (!peer) return std::unexpected(peer.error());
    record.peer = *peer;
    return {};
  }
  auto address = decode_address(*content);
  if (!address) return std::unexpected(address.error());
  if (!address->empty()) record.addresses.push_back(std::move(*address));
  return {};
}

bool is_known(std::uint32_t number) {
  return number == kPeerField || number == kSequenceField || number == kAddressesField;
}

Result<Envelope> open_either_form(ByteView bytes) {
  auto envelope = Envelope::decode(bytes);
  if (!envelope) return envelope;
  const bool standard = std::ranges::equal(envelope->payload_type, kPayloadType);
  if (!standard && as_text(envelope->payload_type) != kLegacyPayloadType) {
    return fail(Code::kMalformed, "peer record: the envelope holds something else");
  }
  const auto good = envelope->verify(standard ? kDomain : kLegacyDomain);
  if (!good) return std::unexpected(good.error());
  return envelope;
}

}  // namespace

Bytes PeerRecord::encode() const {
  Bytes out;
  wire::ProtoWriter writer(out);
  writer.bytes(kPeerField, peer.bytes());
  writer.varint(kSequenceField, sequence);
  Bytes info;
  for (const Multiaddr& address : addresses) {
    info.clear();
    wire::ProtoWriter(info).bytes(kMultiaddrField, address.bytes());
    writer.bytes(kAddressesField, info);
  }
  return out;
}

Result<PeerRecord> PeerRecord::decode(ByteView protobuf) {
  PeerRecord record;
  std::size_t addresses_seen = 0;
  wire::ProtoReader reader(protobuf);
  wire::ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    if (field.number == kAddressesField && ++addresses_seen > kAddressesMax) {
      return fail(Code::kMalformed, "peer record: too many addresses", kAddressesMax);
    }
    if (!is_known(field.number)) continue;
    if (const auto good = decode_field(field, record); !good) return std::unexpected(good.error());
  }
  if (record.peer.empty()) return fail(Code::kMalformed, "peer record: no peer id");
  return record;
}

Bytes PeerRecord::seal(const KeyPair& key) const {
  P2PA_ASSERT(peer == key.peer_id());
  return Envelope::seal(key, kDomain, kPayloadType, encode());
}

Result<PeerRecord> PeerRecord::open(ByteView envelope) {
  const auto opened = open_either_form(envelope);
  if (!opened) return std::unexpected(opened.error());
  auto record = decode(opened->payload);
  if (!record) return record;
  if (record->peer != opened->key.peer_id()) {
    return fail(Code::kPeerIdMismatch, "peer record: signed by another peer");
  }
  return record;
}

Result<PeerRecord> PeerRecord::open_from(const PeerId& sender, ByteView envelope) {
  auto record = open(envelope);
  if (record && record->peer != sender) {
    return fail(Code::kPeerIdMismatch, "peer record: about another peer than its sender");
  }
  return record;
}

}  // namespace p2pa
