#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/rng.hpp"
#include "dns/query.hpp"
#include "p2pagents/sim.hpp"

namespace p2pa::sim {

/// The name server of a world: a table, and how well it answers.
class NameServer final {
 public:
  explicit NameServer(ByteView seed32) : rng_(seed32) {}

  /// See World::set_dns().
  Result<void> set(const std::string& name, DnsRecord type, const std::vector<std::string>& values);
  void set_options(const DnsOptions& options) { options_ = options; }

  /// What a query comes to, and after which time.
  std::pair<dns::Answer, Duration> answer(const dns::Query& query);

 private:
  struct Records {
    std::vector<IpAddress> addresses;
    std::vector<std::string> texts;
  };
  bool chance(double probability) { return rng_.unit() < probability; }
  void spoil(dns::Answer& answer);

  std::map<std::pair<std::string, dns::RecordType>, Records> table_;
  DnsOptions options_;
  Rng rng_;
};

}  // namespace p2pa::sim
