#include "base/multihash.hpp"

#include "base/byte_writer.hpp"
#include "base/varint.hpp"

namespace p2pa {

Result<Multihash> Multihash::parse(ByteView bytes) {
  ByteReader reader(bytes);
  const auto code = read_varint(reader);
  if (!code) return fail(Code::kMalformed, "multihash: bad code");
  const auto size = read_varint(reader);
  if (!size) return fail(Code::kMalformed, "multihash: bad length");
  if (*size != reader.remaining()) {
    return fail(Code::kMalformed, "multihash: length does not match the digest");
  }
  if (*code == kSha256 && *size != 32) {
    return fail(Code::kMalformed, "multihash: sha2-256 is 32 bytes");
  }
  return Multihash{*code, reader.rest()};
}

void Multihash::append_to(Bytes& out) const {
  append_varint(out, code);
  append_varint(out, digest.size());
  ByteWriter(out).append(digest);
}

}  // namespace p2pa
