#pragma once
// Files that a node uses, and goes on using as they change: certificates, keys, roots.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/hash.hpp"
#include "node/driver.hpp"

namespace p2pa {

/// How soon what changed in the files counts: those who renew certificates replace files, and tell nobody.
inline constexpr Duration kFilesCheck = seconds(60);

/// Reads some files together, now and then, and hands them on when they are not what they were.
class WatchedFiles final {
 public:
  /// Puts what was read in use. An error: it does not fit together, and what was in use stays.
  using Install = std::function<Result<void>(std::span<const Bytes> contents)>;

  /// The effects are numbered from `first_effect` on. No paths: never does anything.
  WatchedFiles(std::vector<std::string> paths, std::uint64_t first_effect, Install install);

  /// From now on they are read; nothing when they are already.
  void begin();
  bool poll_effect(Effect& out);
  bool has_effects() const { return reading_ && asked_ < paths_.size(); }
  /// Is it the answer to an effect of ours?
  bool owns(const EffectDone& effect) const;
  /// REQUIRES owns(). The error when the files cannot be used; the same one is told again only after they
  /// could be.
  Result<void> done(Instant now, const EffectDone& effect);
  /// Once all were read for the first time, well or not.
  bool tried() const { return tried_; }
  Instant next_deadline() const { return due_; }
  void on_deadline(Instant now);
  void close();

 private:
  Result<void> on_all_read();

  const std::vector<std::string> paths_;
  const std::uint64_t first_effect_;
  const Install install_;
  std::vector<Bytes> read_;  // until all are
  std::vector<crypto::Sha256Digest> used_;
  std::optional<Error> failure_;  // of a file that cannot be read
  std::optional<Error> told_;
  std::size_t asked_ = 0, answered_ = 0;
  bool begun_ = false, reading_ = false, tried_ = false;
  Instant due_ = kNever;
};

}  // namespace p2pa
