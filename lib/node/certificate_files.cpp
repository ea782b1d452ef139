#include "node/certificate_files.hpp"

#include <utility>

#include "crypto/secret_bytes.hpp"

namespace p2pa {
namespace {

constexpr std::uint64_t kFirstEffect = ~std::uint64_t{0} - 2;  // and the one after it

}  // namespace

CertificateFiles::CertificateFiles(std::string chain_path, std::string key_path, Install install)
    : paths_{std::move(chain_path), std::move(key_path)}, install_(std::move(install)), reading_(!paths_[0].empty()) {}

bool CertificateFiles::poll_effect(Effect& out) {
  if (!has_effects()) return false;
  out = {};
  out.kind = Effect::Kind::kReadFile;
  out.id = kFirstEffect + asked_;
  out.path = paths_[asked_++];
  return true;
}

bool CertificateFiles::owns(const EffectDone& effect) {
  return effect.id >= kFirstEffect && effect.id < kFirstEffect + kFiles;
}

Result<void> CertificateFiles::done(Instant now, const EffectDone& effect) {
  if (!reading_) return {};
  if (effect.result) {
    read_[effect.id - kFirstEffect] = effect.bytes;
  } else {
    failure_ = effect.result.error();
  }
  if (++answered_ < kFiles) return {};
  reading_ = false;
  due_ = now + kCertificateCheck;
  auto fine = on_both_read();
  crypto::wipe(read_[1]);
  const auto told = std::exchange(told_, fine ? std::nullopt : std::optional(fine.error()));
  return told == told_ ? Result<void>{} : fine;
}

Result<void> CertificateFiles::on_both_read() {
  if (const auto failure = std::exchange(failure_, {})) return std::unexpected(*failure);
  const std::array read{crypto::sha256(read_[0]), crypto::sha256(read_[1])};
  if (read == used_) return {};
  auto fine = install_(read_[0], read_[1]);
  if (fine) used_ = read;
  return fine;
}

void CertificateFiles::on_deadline(Instant now) {
  if (now < due_) return;
  due_ = kNever;
  asked_ = answered_ = 0;
  reading_ = true;
}

void CertificateFiles::close() {
  due_ = kNever;
  reading_ = false;
}

}  // namespace p2pa
