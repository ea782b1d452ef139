#include "p2pagents/pre_shared_key.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/multibase.hpp"
#include "crypto/secret_bytes.hpp"

namespace p2pa {
namespace {

constexpr std::string_view kHead = "/key/swarm/psk/1.0.0/";

std::unexpected<Error> bad(const char* why) { return fail(Code::kBadKeyFile, why); }

/// Takes a line off the front of `text`, without its end.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<Bytes> decode(std::string_view encoding, std::string_view text) {
  if (encoding == "/bin/") {
    const ByteView raw = as_bytes(text);
    return Bytes(raw.begin(), raw.end());
  }
  std::string_view line = take_line(text);
  if (text.find_first_not_of("\r\n \t") != text.npos) return bad("more follows the network's key");
  if (encoding == "/base16/") return decode_base(Base::kBase16, line);
  if (encoding != "/base64/") return bad("the network's key is not in base16, base64 or bin");
  while (line.ends_with('=')) line.remove_suffix(1);
  return decode_base(Base::kBase64, line);
}

}  // namespace

PreSharedKey::~PreSharedKey() { crypto::wipe(bytes_); }

PreSharedKey PreSharedKey::from_bytes(ByteView key32) {
  P2PA_ASSERT(key32.size() == kSize);
  PreSharedKey out;
  std::ranges::copy(key32, out.bytes_.begin());
  return out;
}

Result<PreSharedKey> PreSharedKey::parse(ByteView file) {
  if (file.size() > kFileBytesMax) return bad("a network's key file is not that long");
  std::string_view text = as_text(file);
  if (take_line(text) != kHead) return bad("not a network's key file of version 1.0.0");
  const std::string_view encoding = take_line(text);
  auto key = decode(encoding, text);
  if (!key && key.error().code == Code::kBadKeyFile) return std::unexpected(key.error());
  if (!key) return bad("the network's key has characters that its encoding does not");
  const bool fits = key->size() == kSize;
  auto out = fits ? Result<PreSharedKey>(from_bytes(*key)) : bad("the network's key does not have 32 bytes");
  crypto::wipe(*key);
  return out;
}

std::string PreSharedKey::to_file() const {
  return std::string(kHead) + "\n/base16/\n" + encode_base(Base::kBase16, bytes_) + "\n";
}

}  // namespace p2pa
