// Node::open is here since it is here that a core meets the real world.

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "crypto/secret_bytes.hpp"
#include "dns/server.hpp"
#include "io/entropy.hpp"
#include "io/machine.hpp"
#include "io/uv_driver.hpp"
#include "node/check_options.hpp"
#include "p2pagents/key_file.hpp"
#include "p2pagents/node.hpp"

namespace p2pa {
namespace {

/// Later nobody would hear of it: appending to a file has no answer.
Result<void> check_directory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || ::access(path.c_str(), W_OK | X_OK) != 0) {
    return fail(Code::kIo, "the qlog directory cannot be written", static_cast<std::uint64_t>(errno));
  }
  if (!S_ISDIR(info.st_mode)) return fail(Code::kInvalidArgument, "qlog_directory is no directory");
  return {};
}

}  // namespace

Result<std::unique_ptr<Node>> Node::open(NodeOptions options) {
  if (auto fine = check_options(options); !fine) return std::unexpected(fine.error());
  for (const Multiaddr& address : options.listen) {
    if (const auto fine = check_listen(address, options); !fine) {
      return fail(Code::kInvalidArgument, fine.error().why);
    }
  }
  if (!options.qlog_directory.empty()) {
    if (auto fine = check_directory(options.qlog_directory); !fine) {
      return std::unexpected(fine.error());
    }
  }
  std::array<std::uint8_t, 32> seed;
  if (auto filled = io::fill_entropy(seed); !filled) return std::unexpected(filled.error());
  if (!options.key) options.key = generate_key();

  io::DriverOptions driver_options;
  for (const std::string& server : options.dns_servers) {
    driver_options.dns_servers.push_back(*dns::parse_server(server));  // checked above
  }
  auto core =
      std::make_unique<NodeCore>(std::move(options), seed, io::unix_time(), io::UvLoop::now(), io::machine());
  crypto::wipe(seed);
  auto driver = io::make_uv_driver(*core, driver_options);
  if (!driver) return std::unexpected(driver.error());
  return std::make_unique<Node>(std::move(core), std::move(*driver));
}

}  // namespace p2pa
