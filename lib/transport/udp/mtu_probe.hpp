#pragma once
// How large the packets of a path may be, found by trying (RFC 8899).

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace p2pa::udp {

class MtuProbe final {
 public:
  /// UDP payload that every path carries; what else is tried, up to Ethernet's 1,500 less IPv6 and UDP headers.
  static constexpr std::array<std::size_t, 4> kSizes = {1200, 1280, 1372, 1452};
  static constexpr std::size_t kSizeMin = kSizes.front(), kSizeMax = kSizes.back();
  static constexpr int kAttemptsMax = 3;
  static constexpr int kBlackHole = 3;  ///< probe time-outs after which large packets are under suspicion

  std::size_t size() const { return kSizes[proven_]; }
  /// The size of a probe that may go now.
  std::optional<std::size_t> due() const;
  void sent(std::uint64_t number) { under_way_ = number; }
  /// A packet arrived or was lost; true: it was the probe.
  bool acknowledged(std::uint64_t number);
  bool lost(std::uint64_t number);
  /// The peer does not answer. True: the size shrank.
  bool timed_out(int timeouts);

 private:
  std::size_t proven_ = 0;
  std::size_t end_ = kSizes.size();  // sizes from here on do not arrive
  int attempts_ = 0;
  std::optional<std::uint64_t> under_way_;
};

}  // namespace p2pa::udp
