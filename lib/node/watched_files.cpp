#include "node/watched_files.hpp"

#include <algorithm>
#include <utility>

#include "crypto/secret_bytes.hpp"

namespace p2pa {

WatchedFiles::WatchedFiles(std::vector<std::string> paths, std::uint64_t first_effect, Install install)
    : paths_(std::move(paths)), first_effect_(first_effect), install_(std::move(install)), read_(paths_.size()) {}

void WatchedFiles::begin() {
  if (!std::exchange(begun_, true)) reading_ = !paths_.empty();
}

bool WatchedFiles::poll_effect(Effect& out) {
  if (!has_effects()) return false;
  out = {};
  out.kind = Effect::Kind::kReadFile;
  out.id = first_effect_ + asked_;
  out.path = paths_[asked_++];
  return true;
}

bool WatchedFiles::owns(const EffectDone& effect) const {
  return effect.id >= first_effect_ && effect.id - first_effect_ < paths_.size();
}

Result<void> WatchedFiles::done(Instant now, const EffectDone& effect) {
  if (!reading_) return {};
  if (effect.result) {
    read_[effect.id - first_effect_] = effect.bytes;
  } else {
    failure_ = effect.result.error();
  }
  if (++answered_ < paths_.size()) return {};
  reading_ = false;
  tried_ = true;
  due_ = now + kFilesCheck;
  auto fine = on_all_read();
  for (Bytes& contents : read_) {  // a key may be among them
    crypto::wipe(contents);
    contents = {};
  }
  const auto told = std::exchange(told_, fine ? std::nullopt : std::optional(fine.error()));
  return told == told_ ? Result<void>{} : fine;
}

Result<void> WatchedFiles::on_all_read() {
  if (const auto failure = std::exchange(failure_, {})) return std::unexpected(*failure);
  std::vector<crypto::Sha256Digest> digests;
  for (const Bytes& contents : read_) digests.push_back(crypto::sha256(contents));
  if (digests == used_) return {};
  auto fine = install_(read_);
  if (fine) used_ = std::move(digests);
  return fine;
}

void WatchedFiles::on_deadline(Instant now) {
  if (now < due_) return;
  due_ = kNever;
  asked_ = answered_ = 0;
  reading_ = true;
}

void WatchedFiles::close() {
  due_ = kNever;
  reading_ = false;
}

}  // namespace p2pa
