#include "dns/host_name.hpp"

namespace p2pa::dns {
namespace {

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Result<std::string> host_name(ByteView name) {
  std::string_view text = as_text(name);
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > kNameMax) return fail(Code::kMalformed, "dns: a name that is too long", kNameMax);
  std::string out;
  std::size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return fail(Code::kMalformed, "dns: a name with an empty label");
      label = 0;
    } else if (!is_allowed(lower(c))) {
      return fail(Code::kMalformed, "dns: a character that no host name has");
    } else if (++label > kLabelMax) {
      return fail(Code::kMalformed, "dns: a name with a label that is too long", kLabelMax);
    }
    out += lower(c);
  }
  if (label == 0) return fail(Code::kMalformed, "dns: a name with an empty label");
  return out;
}

}  // namespace p2pa::dns
