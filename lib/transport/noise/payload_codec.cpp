#include "transport/noise/payload_codec.hpp"

#include "wire/protobuf.hpp"

namespace p2pa::noise {

namespace {

// The third field once carried early data, and stays empty.
enum Field : std::uint32_t { kIdentityKey = 1, kIdentitySig = 2, kExtensions = 4 };
enum ExtensionField : std::uint32_t { kStreamMuxers = 2 };

Result<void> decode_extensions(ByteView protobuf, std::vector<std::string_view>& muxers) {
  wire::ProtoReader reader(protobuf);
  wire::ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    if (field.number != kStreamMuxers) continue;
    const auto muxer = field.text();
    if (!muxer) return std::unexpected(muxer.error());
    if (muxer->size() > kMuxerBytesMax) {
      return fail(Code::kMalformed, "noise: the name of a muxer is too long", kMuxerBytesMax);
    }
    if (muxers.size() == kMuxersMax) return fail(Code::kMalformed, "noise: too many muxers", kMuxersMax);
    muxers.push_back(*muxer);
  }
}

Result<void> decode_field(const wire::ProtoField& field, Payload& payload) {
  if (field.number != kIdentityKey && field.number != kIdentitySig && field.number != kExtensions) return {};
  const auto content = field.bytes();
  if (!content) return std::unexpected(content.error());
  if (field.number == kExtensions) return decode_extensions(*content, payload.muxers);
  (field.number == kIdentityKey ? payload.identity_key : payload.identity_sig) = *content;
  return {};
}

}  // namespace

Bytes encode(const Payload& payload) {
  Bytes out;
  wire::ProtoWriter writer(out);
  writer.bytes(kIdentityKey, payload.identity_key);
  writer.bytes(kIdentitySig, payload.identity_sig);
  if (payload.muxers.empty()) return out;
  Bytes extensions;
  wire::ProtoWriter muxers(extensions);
  for (const std::string_view muxer : payload.muxers) muxers.text(kStreamMuxers, muxer);
  writer.bytes(kExtensions, extensions);
  return out;
}

Result<Payload> decode(ByteView protobuf) {
  Payload payload;
  wire::ProtoReader reader(protobuf);
  wire::ProtoField field;
  for (;;) {
    const auto more = reader.next(field);
    if (!more) return std::unexpected(more.error());
    if (!*more) return payload;
    if (const auto taken = decode_field(field, payload); !taken) return std::unexpected(taken.error());
  }
}

}  // namespace p2pa::noise
