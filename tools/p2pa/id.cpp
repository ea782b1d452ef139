#include <fmt/format.h>

#include "commands.hpp"
#include "output.hpp"
#include "p2pagents/key_file.hpp"

namespace p2pa_tool {

int run_id(const IdOptions& options) {
  auto key = p2pa::load_key_file(options.key_file);
  if (!key && key.error().code == p2pa::Code::kNotFound) {
    key = p2pa::load_or_create_key_file(options.key_file);
    if (key) fmt::print(stderr, "p2pa: made a new key in {}\n", options.key_file);
  }
  if (!key) return report(options.key_file, key.error());
  const std::string id = key->peer_id().to_string();
  if (options.json) {
    print_json({{"peer", id}, {"cid", key->peer_id().to_cid()}});
  } else {
    fmt::print("{}\n", id);
  }
  return kOk;
}

}  // namespace p2pa_tool
