#include "node/web_files.hpp"

#include <utility>

namespace p2pa {
namespace {

// Beside the effects that Sockets numbers.
constexpr std::uint64_t kCertificateEffect = std::uint64_t{1} << 62, kRootsEffect = kCertificateEffect + 16;

std::vector<std::string> certificate_paths(const NodeOptions& options) {
  if (options.web_certificate_file.empty()) return {};
  return {options.web_certificate_file, options.web_key_file};
}

std::vector<std::string> root_paths(const NodeOptions& options) {
  if (options.web_roots_file.empty()) return {};
  return {options.web_roots_file};
}

}  // namespace

WebFiles::WebFiles(const NodeOptions& options, tcp::Endpoint& tcp, Journal& journal)
    : tcp_(tcp),
      journal_(journal),
      certificate_(certificate_paths(options), kCertificateEffect,
                   [&tcp](std::span<const Bytes> contents) -> Result<void> {
                     auto credentials = tls::WebCredentials::from_pem(contents[0], contents[1]);
                     if (!credentials) return std::unexpected(credentials.error());
                     tcp.set_web_credentials(std::move(*credentials));
                     return {};
                   }),
      roots_(root_paths(options), kRootsEffect, [&tcp](std::span<const Bytes> contents) -> Result<void> {
        auto trust = tls::WebTrust::from_pem(contents[0]);
        if (!trust) return std::unexpected(trust.error());
        tcp.set_web_trust(std::move(trust));
        return {};
      }) {
  certificate_.begin();
  if (options.web_roots_file.empty()) tcp.set_web_trust(tls::WebTrust::anybody());
}

void WebFiles::turn() {
  if (tcp_.web_trust_wanted()) roots_.begin();
}

bool WebFiles::done(Instant now, const EffectDone& effect) {
  if (certificate_.owns(effect)) {
    const auto fine = certificate_.done(now, effect);
    if (!fine) journal_.files_unusable("web_certificate_file", fine.error());
    return false;
  }
  const bool first = !roots_.tried();
  const auto fine = roots_.done(now, effect);
  if (!fine) journal_.files_unusable("web_roots_file", fine.error());
  if (!fine && first) tcp_.set_web_trust(std::unexpected(fine.error()));
  return first && roots_.tried();
}

void WebFiles::on_deadline(Instant now) {
  certificate_.on_deadline(now);
  roots_.on_deadline(now);
}

void WebFiles::close() {
  certificate_.close();
  roots_.close();
}

}  // namespace p2pa
