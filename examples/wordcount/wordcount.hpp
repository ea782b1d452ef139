#pragma once
// The work itself: counting words. Knows nothing of the network.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wordcount {

/// A word is a run of ASCII letters, taken in lower case, or of bytes over 127. A longer run than this
/// is several words, none of which ends within a UTF-8 character: Chinese has no spaces, and whoever
/// splits the text must not have to look for the next one without end.
inline constexpr std::size_t kWordBytesMax = 64;

using Counts = std::map<std::string, std::uint64_t, std::less<>>;

Counts count_words(std::string_view text);
void merge(Counts& into, const Counts& from);

/// One line "word count" each; the form that travels.
std::string encode(const Counts& counts);
/// False when the text is not of that form.
bool decode(std::string_view text, Counts& out);

std::uint64_t total(const Counts& counts);
/// The most frequent, ties in order of the alphabet.
std::vector<std::pair<std::string, std::uint64_t>> top(const Counts& counts, std::size_t n);
/// FNV-1a over encode(): equal counts, equal digest.
std::string digest(const Counts& counts);

/// Pieces that cut no word, as large as they can be without being over `size` bytes; a word over
/// that is a piece of its own. So what is counted does not depend on the size.
std::vector<std::string_view> split(std::string_view text, std::size_t size);

}  // namespace wordcount
