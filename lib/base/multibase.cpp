#include "base/multibase.hpp"

#include <array>
#include <utility>

#include "base/assert.hpp"

namespace p2pa {

namespace {

constexpr std::uint8_t kNoDigit = 0xff;
constexpr std::size_t kQuantum = 4;  // RFC 4648 §4: characters that padding makes whole
using Digits = std::array<std::uint8_t, 256>;  // character to digit

/// An alphabet. Where the radix is a power of two a digit is `bits` bits of the input (RFC 4648);
/// where it is not, bits is 0 and the whole input is one big number.
struct Alphabet {
  std::string_view symbols;
  unsigned bits;
  Digits digits;
};

constexpr Alphabet make_alphabet(std::string_view symbols, unsigned bits, bool either_case) {
  Alphabet out{symbols, bits, {}};
  out.digits.fill(kNoDigit);
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const char c = symbols[i];
    out.digits[static_cast<std::uint8_t>(c)] = static_cast<std::uint8_t>(i);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (either_case && letter) {
      out.digits[static_cast<std::uint8_t>(c ^ 0x20)] = static_cast<std::uint8_t>(i);
    }
  }
  return out;
}

constexpr Alphabet kHex = make_alphabet("0123456789abcdef", 4, true);
constexpr Alphabet kHexUpper = make_alphabet("0123456789ABCDEF", 4, true);
constexpr Alphabet k32 = make_alphabet("abcdefghijklmnopqrstuvwxyz234567", 5, true);
constexpr Alphabet k32Upper = make_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, true);
constexpr Alphabet k36 = make_alphabet("0123456789abcdefghijklmnopqrstuvwxyz", 0, true);
constexpr Alphabet k36Upper = make_alphabet("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0, true);
constexpr Alphabet k58 =
    make_alphabet("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 0, false);
constexpr Alphabet k64 =
    make_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6, false);
constexpr Alphabet k64Url =
    make_alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, false);

const Alphabet* alphabet_of(Base base) {
  switch (base) {
    case Base::kBase16: return &kHex;
    case Base::kBase16Upper: return &kHexUpper;
    case Base::kBase32: return &k32;
    case Base::kBase32Upper: return &k32Upper;
    case Base::kBase36: return &k36;
    case Base::kBase36Upper: return &k36Upper;
    case Base::kBase58Btc: return &k58;
    case Base::kBase64:
    case Base::kBase64Padded: return &k64;
    case Base::kBase64Url: return &k64Url;
  }
  return nullptr;  // a prefix from outside
}

/// Little-endian digits of the number `value * from + digit`, in radix `to`.
void multiply_add(Bytes& value, unsigned from, unsigned digit, unsigned to) {
  unsigned carry = digit;
  for (std::uint8_t& place : value) {
    carry += place * from;
    place = static_cast<std::uint8_t>(carry % to);
    carry /= to;
  }
  for (; carry > 0; carry /= to) value.push_back(static_cast<std::uint8_t>(carry % to));
}

std::string encode_number(const Alphabet& alphabet, ByteView bytes) {
  const auto radix = static_cast<unsigned>(alphabet.symbols.size());
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  Bytes digits;
  digits.reserve(bytes.size() * 8 / 5 + 1);
  for (const std::uint8_t byte : bytes.subspan(zeros)) multiply_add(digits, 256, byte, radix);

  std::string text(zeros, alphabet.symbols[0]);
  text.reserve(zeros + digits.size());
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) text += alphabet.symbols[*it];
  return text;
}

Result<Bytes> decode_number(const Alphabet& alphabet, std::string_view text) {
  const auto radix = static_cast<unsigned>(alphabet.symbols.size());
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == alphabet.symbols[0]) ++zeros;
  Bytes value;
  value.reserve(text.size());
  for (const char c : text.substr(zeros)) {
    const std::uint8_t digit = alphabet.digits[static_cast<std::uint8_t>(c)];
    if (digit == kNoDigit) return fail(Code::kMalformed, "multibase: character not in the alphabet");
    multiply_add(value, radix, digit, 256);
  }
  Bytes bytes(zeros, 0);
  bytes.insert(bytes.end(), value.rbegin(), value.rend());
  return bytes;
}

std::string encode_bits(const Alphabet& alphabet, ByteView bytes) {
  const std::uint32_t mask = (1u << alphabet.bits) - 1;
  std::string text;
  text.reserve((bytes.size() * 8 + alphabet.bits - 1) / alphabet.bits);
  std::uint32_t window = 0;
  unsigned held = 0;  // bits of the window not written yet
  for (const std::uint8_t byte : bytes) {
    window = window << 8 | byte;
    for (held += 8; held >= alphabet.bits;) {
      held -= alphabet.bits;
      text += alphabet.symbols[window >> held & mask];
    }
  }
  if (held > 0) text += alphabet.symbols[window << (alphabet.bits - held) & mask];
  return text;
}

Result<Bytes> decode_bits(const Alphabet& alphabet, std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size() * alphabet.bits / 8);
  std::uint32_t window = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::uint8_t digit = alphabet.digits[static_cast<std::uint8_t>(c)];
    if (digit == kNoDigit) return fail(Code::kMalformed, "multibase: character not in the alphabet");
    window = window << alphabet.bits | digit;
    held += alphabet.bits;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<std::uint8_t>(window >> held));
    }
  }
  const bool whole_digit_over = held >= alphabet.bits;
  const bool bits_over = (window & ((1u << held) - 1)) != 0;
  if (whole_digit_over || bits_over) return fail(Code::kMalformed, "multibase: bits left over");
  return bytes;
}

}  // namespace

std::string encode_base(Base base, ByteView bytes) {
  const Alphabet* alphabet = alphabet_of(base);
  P2PA_ASSERT(alphabet != nullptr);
  if (alphabet->bits == 0) return encode_number(*alphabet, bytes);
  std::string text = encode_bits(*alphabet, bytes);
  if (base == Base::kBase64Padded) text.append((kQuantum - text.size() % kQuantum) % kQuantum, '=');
  return text;
}

Result<Bytes> decode_base(Base base, std::string_view text) {
  const Alphabet* alphabet = alphabet_of(base);
  P2PA_ASSERT(alphabet != nullptr);
  if (text.size() > kBaseTextMax) {
    return fail(Code::kMalformed, "multibase: text too long", kBaseTextMax);
  }
  if (base == Base::kBase64Padded) {
    if (text.size() % kQuantum != 0) return fail(Code::kMalformed, "multibase: without its padding");
    for (int most = 2; most > 0 && text.ends_with('='); --most) text.remove_suffix(1);
  }
  return alphabet->bits == 0 ? decode_number(*alphabet, text) : decode_bits(*alphabet, text);
}

std::string encode_multibase(Base base, ByteView bytes) {
  return std::to_underlying(base) + encode_base(base, bytes);
}

Result<Bytes> decode_multibase(std::string_view text) {
  if (text.empty()) return fail(Code::kMalformed, "multibase: empty");
  const Base base{text[0]};
  if (alphabet_of(base) == nullptr) return fail(Code::kUnsupported, "multibase: unknown prefix");
  return decode_base(base, text.substr(1));
}

}  // namespace p2pa
