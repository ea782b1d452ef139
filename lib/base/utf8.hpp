#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace p2pa {

/// Is this UTF-8 without overlong forms, surrogates or values above U+10FFFF (RFC 3629)?
bool is_utf8(std::string_view text) noexcept;

/// The text with every byte that is not part of UTF-8 replaced by '?', cut to `bytes_max` at the end
/// of a character.
std::string to_utf8(std::string_view text, std::size_t bytes_max);

}  // namespace p2pa
