#pragma once
// The wish of one stream to move bytes in one direction under the limits that it falls under.

#include <array>
#include <cstddef>
#include <cstdint>

#include "p2pagents/shaping.hpp"

namespace p2pa::shaping {

class Claim;
struct Bucket;

/// A port: who is told that there are tokens.
class Claimant {
 public:
  virtual ~Claimant() = default;
  /// Called on a deadline, or when a limit changes. It may take, and wait again.
  virtual void on_tokens(Claim& claim) = 0;
};

/// Lies in what it is the claim of; neither copied nor moved. REQUIRES Shaper::cancel() before it goes.
class Claim final {
 public:
  Claim(Claimant& owner, void* subject, Direction way) : owner_(&owner), subject_(subject), direction_(way) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  void* subject() const { return subject_; }  ///< the owner's own
  Direction direction() const { return direction_; }
  bool waiting() const { return waiting_; }

 private:
  friend class Shaper;

  static constexpr std::size_t kBucketsMax = 3;  // of the node, the peer and the protocol

  Claimant* owner_;
  void* subject_;
  const Direction direction_;
  Priority priority_ = Priority::kInteractive;
  bool waiting_ = false;
  bool called_ = false;  // its turn has come: it need not queue behind those who wait
  std::uint8_t buckets_count_ = 0;
  std::uint64_t epoch_ = 0;  // of the limits that buckets_ were looked up in
  std::uint64_t wanted_ = 0;
  std::array<Bucket*, kBucketsMax> buckets_{};
  Claim* next_ = nullptr;
  Claim* previous_ = nullptr;
};

}  // namespace p2pa::shaping
