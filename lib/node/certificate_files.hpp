#pragma once
// The certificate and key of secure WebSocket, which are files, and stay what the files are.

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "crypto/hash.hpp"
#include "node/driver.hpp"

namespace p2pa {

/// How soon what changed in the files counts for new connections: those who renew certificates replace
/// files, and tell nobody.
inline constexpr Duration kCertificateCheck = seconds(60);

/// Reads two files now and then, and hands on what is new in them.
class CertificateFiles final {
 public:
  /// Puts a chain and a key in use, both PEM. An error: they do not fit, and what was in use stays.
  using Install = std::function<Result<void>(ByteView chain, ByteView key)>;

  /// Empty paths: never does anything.
  CertificateFiles(std::string chain_path, std::string key_path, Install install);

  bool poll_effect(Effect& out);
  bool has_effects() const { return asked_ < kFiles && reading_; }
  /// Is it the answer to an effect of ours?
  static bool owns(const EffectDone& effect);
  /// REQUIRES owns(). The error, once, when the files cannot be used; it is told again only after they changed.
  Result<void> done(Instant now, const EffectDone& effect);
  Instant next_deadline() const { return due_; }
  void on_deadline(Instant now);
  void close();

 private:
  static constexpr std::size_t kFiles = 2;
  Result<void> on_both_read();

  std::array<std::string, kFiles> paths_;
  std::array<Bytes, kFiles> read_;  // until both are
  std::array<crypto::Sha256Digest, kFiles> used_{};
  Install install_;
  std::optional<Error> failure_;  // of a file that cannot be read
  std::optional<Error> told_;     // so that nothing is told twice
  std::size_t asked_ = 0, answered_ = 0;
  bool reading_ = false;
  Instant due_ = kNever;
};

}  // namespace p2pa
