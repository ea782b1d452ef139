#include "sim/name_server.hpp"

#include "dns/host_name.hpp"

namespace p2pa::sim {
namespace {

dns::RecordType record_type(DnsRecord type) {
  switch (type) {
    case DnsRecord::kA: return dns::RecordType::kA;
    case DnsRecord::kAaaa: return dns::RecordType::kAaaa;
    case DnsRecord::kTxt: break;
  }
  return dns::RecordType::kTxt;
}

}  // namespace

Result<void> NameServer::set(const std::string& name, DnsRecord type,
                             const std::vector<std::string>& values) {
  const auto host = dns::host_name(as_bytes(name));
  if (!host) return fail(Code::kInvalidArgument, "dns: not the name of a host");
  Records records;
  for (const std::string& value : values) {
    if (type == DnsRecord::kTxt) {
      records.texts.push_back(value);
      continue;
    }
    const auto ip = IpAddress::parse(value);
    if (!ip || ip->v6 != (type == DnsRecord::kAaaa)) {
      return fail(Code::kInvalidArgument, "dns: not an address of this family");
    }
    records.addresses.push_back(*ip);
  }
  table_[{*host, record_type(type)}] = std::move(records);
  return {};
}

std::pair<dns::Answer, Duration> NameServer::answer(const dns::Query& query) {
  dns::Answer answer;
  answer.id = query.id;
  if (chance(options_.silence)) {
    answer.result = fail(Code::kTimeout, "dns: no name server answered");
    return {std::move(answer), World::kDnsTimeout};
  }
  if (const auto found = table_.find({query.name, query.type}); found != table_.end()) {
    answer.addresses = found->second.addresses;
    answer.texts = found->second.texts;
  }
  answer.ttl = options_.ttl;
  const bool nothing = answer.addresses.empty() && answer.texts.empty();
  if (nothing) answer.result = fail(Code::kNotFound, "dns: no such name");
  if (chance(options_.garbage)) spoil(answer);
  return {std::move(answer), options_.delay};
}

void NameServer::spoil(dns::Answer& answer) {
  for (IpAddress& ip : answer.addresses) rng_.fill(MutableBytes(ip.bytes).first(ip.v6 ? 16 : 4));
  for (std::string& text : answer.texts) {
    Bytes bytes(text.size());
    rng_.fill(bytes);
    text = as_text(bytes);
  }
}

}  // namespace p2pa::sim
